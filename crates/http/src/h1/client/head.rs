//! The head of a response: where it ends, and what it says about the body.

use super::error::Error;
use super::framing::{Framing, Said};
use super::lenient;

/// The longest head that is accepted, status line and empty line included: as in curl.
pub const MAX_HEAD_BYTES: usize = 300 * 1024;
/// The most fields of a head that is read at once; longer ones are read one by one.
const MAX_FIELDS: usize = 128;

/// What a response's head says, as far as a load generator cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status code, 200 to 999.
    pub status: u16,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the connection may carry another request afterwards.
    pub keep_alive: bool,
}

const PREFIX: &[u8] = b"HTTP/1.";

/// Where the head at the start of `input` ends, its empty line included. None: not in these bytes.
#[inline]
pub(super) fn find_end(input: &[u8]) -> Result<Option<usize>, Error> {
    check_prefix(input)?;
    let mut line_start = 0;
    for newline in memchr::memchr_iter(b'\n', input) {
        let line = &input[line_start..newline];
        if (line.is_empty() || line == b"\r") && line_start > 0 {
            check_size(newline + 1)?;
            return Ok(Some(newline + 1));
        }
        line_start = newline + 1;
        if line_start > MAX_HEAD_BYTES {
            break;
        }
    }
    check_size(input.len())?;
    Ok(None)
}

/// Whether these bytes, up to and including a newline, end a head.
pub(super) fn ends_with_empty_line(head: &[u8]) -> bool {
    head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n")
}

pub(super) fn check_size(length: usize) -> Result<(), Error> {
    if length > MAX_HEAD_BYTES {
        return Err(Error::HeadTooLarge);
    }
    Ok(())
}

/// Whether these bytes may still become a head.
pub(super) fn check_unfinished(bytes: &[u8]) -> Result<(), Error> {
    check_prefix(bytes)?;
    check_size(bytes.len())
}

/// A server that speaks something else is found out at once, not by a timeout, and before anything else is wrong with what it says.
fn check_prefix(bytes: &[u8]) -> Result<(), Error> {
    let compared = bytes.len().min(PREFIX.len());
    if !bytes[..compared].eq_ignore_ascii_case(&PREFIX[..compared]) {
        return Err(Error::NotHttp);
    }
    Ok(())
}

/// Reads a whole head. One that is not what the grammar says may still be plain enough.
pub(super) fn parse(bytes: &[u8]) -> Result<Head, Error> {
    let mut fields = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut fields,
    );
    let mut said = Said::default();
    let (status, version_1_1) = match (parsed, response.code) {
        (Ok(httparse::Status::Complete(length)), Some(status)) if length == bytes.len() => {
            for field in response.headers.iter() {
                said.read(field.name.as_bytes(), field.value)?;
            }
            (status, response.version == Some(1))
        }
        _ => lenient::read(bytes, &mut said)?,
    };
    if !(100..=999).contains(&status) {
        return Err(Error::BadStatus);
    }
    Ok(Head {
        status,
        framing: said.framing(version_1_1)?,
        keep_alive: said.keep_alive(version_1_1),
    })
}
