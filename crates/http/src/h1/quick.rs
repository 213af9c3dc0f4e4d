//! The short way through a head that came whole and has nothing wrong with it, as nearly all do.
//!
//! `httparse` goes over the fields once, and what it leaves open is checked by looking at a few
//! bytes again. Anything out of the ordinary is left to the long way, [`Scan`](crate::h1::scan::Scan),
//! which alone decides what is wrong with a head: this one may only say yes, and only where the
//! long way would say the same.

use httparse::{EMPTY_HEADER, Header, Status as Parsed};

use crate::config::Config;
use crate::h1::line::Line;
use crate::h1::scan::longest_line;

/// Room for the fields of an ordinary head. It is cleared for each, so it is not for a hundred.
pub(crate) const ROOM: [Header<'static>; 16] = [EMPTY_HEADER; 16];

/// A head that is whole and sound, as far as its lines go.
pub(crate) struct Quick<'a, 'room> {
    pub(crate) line: Line<'a>,
    pub(crate) fields: &'room [Header<'a>],
    /// Where the head ends.
    pub(crate) end: usize,
}

/// `None`: take the long way.
pub(crate) fn parse<'a, 'room>(
    bytes: &'a [u8],
    room: &'room mut [Header<'a>],
    config: &Config,
) -> Option<Quick<'a, 'room>> {
    let newline = memchr::memchr(b'\n', bytes)?;
    let (line, block) = bytes.split_at(newline + 1);
    let line = line.strip_suffix(b"\r\n")?;
    if line.len() >= longest_line(config) {
        return None;
    }
    let line = Line::parse(line, config.max_target).ok()?;
    let Ok(Parsed::Complete((length, fields))) = httparse::parse_headers(block, room) else {
        return None;
    };
    // `httparse` takes a bare LF for a line end. None of them is one if CRLF is before each name
    // and at the end.
    let follows_crlf = |name: &str| {
        let at = name.as_ptr().addr().wrapping_sub(block.as_ptr().addr());
        at == 0
            || block
                .get(..at)
                .is_some_and(|before| before.ends_with(b"\r\n"))
    };
    let end = newline + 1 + length;
    let sound = fields.iter().all(|field| follows_crlf(field.name))
        && bytes[..end].ends_with(b"\r\n\r\n")
        && fields.len() <= config.max_fields
        && end <= config.max_head;
    sound.then_some(Quick { line, fields, end })
}
