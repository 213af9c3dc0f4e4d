//! Heads that are not what the grammar says, and whose meaning is beyond doubt all the same: read as curl reads them.
//!
//! Folded lines, space before a colon, names and values with bytes that have no place there, hundreds of fields, a status line with a space
//! too many: clients get along with these. What decides where the body ends has to be spelt right.

use super::error::Error;
use super::framing::{Said, is_of_framing};
use crate::semantics::syntax::is_tchar;

/// The most fields that are accepted, as in curl.
const MAX_FIELDS: usize = 5000;

/// Reads a whole head. Gives its status and whether it is of HTTP/1.1.
#[cold]
pub(super) fn read(bytes: &[u8], said: &mut Said) -> Result<(u16, bool), Error> {
    let mut lines = lines(bytes);
    let start = status_line(lines.next().unwrap_or_default())?;
    for (number, line) in lines.enumerate() {
        if number == MAX_FIELDS {
            return Err(Error::TooManyFields);
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.ok_or(Error::BadField)?);
        let value = &value[1..];
        if is_blank(line[0]) || line.contains(&0) {
            return Err(Error::BadField);
        }
        check_spelling(name, value)?;
        said.read(name.trim_ascii_end(), value)?;
    }
    Ok(start)
}

/// The lines of a head without their ends, each with those that continue it, up to the empty one.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let ends = memchr::memchr_iter(b'\n', rest);
        let end = ends
            .into_iter()
            .find(|end| !rest.get(end + 1).is_some_and(|next| is_blank(*next)))?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let line = without_cr(line);
        (!line.is_empty()).then_some(line)
    })
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn status_line(line: &[u8]) -> Result<(u16, bool), Error> {
    if line.contains(&b'\n') {
        // What continues it may have been meant for a field.
        return Err(Error::BadField);
    }
    let (version, rest) = line.split_at_checked(8).ok_or(Error::NotHttp)?;
    let version_1_1 = match version[7] {
        b'0' => false,
        b'1' => true,
        _ => return Err(Error::NotHttp),
    };
    if !rest.first().is_some_and(|byte| is_blank(*byte)) {
        return Err(Error::BadStatus);
    }
    match rest.trim_ascii_start() {
        [a, b, c, end @ ..]
            if [a, b, c].iter().all(|digit| digit.is_ascii_digit())
                && end.first().is_none_or(|byte| is_blank(*byte)) =>
        {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Ok((100 * digit(a) + 10 * digit(b) + digit(c), version_1_1))
        }
        _ => Err(Error::BadStatus),
    }
}

/// A field that decides where the body ends, or that some reader would take for one, is refused unless all readers do.
fn check_spelling(name: &[u8], value: &[u8]) -> Result<(), Error> {
    let tokens = name.iter().filter(|byte| is_tchar(**byte));
    let letters = tokens.map(u8::to_ascii_lowercase);
    let reads = |known: &[u8]| letters.clone().eq(known.iter().copied());
    if !reads(b"content-length") && !reads(b"transfer-encoding") {
        return Ok(());
    }
    let is_odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let is_sound = |line: &[u8]| !without_cr(line).iter().any(is_odd);
    if is_of_framing(name) && value.split(|byte| *byte == b'\n').all(is_sound) {
        return Ok(());
    }
    Err(Error::BadField)
}
