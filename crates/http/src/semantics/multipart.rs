//! Bodies of several ranges, `multipart/byteranges` (RFC 9110, section 14.6; RFC 2046, section 5.1): the same bytes however they
//! are carried.

use std::ops::Range;

use crate::semantics::entity::Entity;

/// What [`part_head`] writes beside the boundary, the type and three numbers.
const PART_HEAD_BYTES: u64 = "\r\n--\r\nContent-Range: bytes -/\r\n\r\n".len() as u64;
/// What [`end`] writes beside the boundary.
const END_BYTES: u64 = "\r\n----\r\n".len() as u64;

/// The head of one part, the delimiter before it included.
pub(crate) fn part_head(entity: &Entity, range: &Range<u64>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n--");
    out.extend_from_slice(entity.boundary());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(entity.type_line());
    content_range(range, entity.len(), out);
    out.extend_from_slice(b"\r\n");
}

/// The delimiter after the last part.
pub(crate) fn end(boundary: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n--");
    out.extend_from_slice(boundary);
    out.extend_from_slice(b"--\r\n");
}

/// Length in bytes of a multipart body.
pub(crate) fn length(entity: &Entity, parts: impl Iterator<Item = Range<u64>>) -> u64 {
    let boundary = entity.boundary().len() as u64;
    let around = PART_HEAD_BYTES + boundary + entity.type_line().len() as u64;
    let around = around + digits(entity.len());
    parts.fold(END_BYTES + boundary, |length, range| {
        let numbers = digits(range.start) + digits(range.end - 1);
        length
            .saturating_add(range.end - range.start)
            .saturating_add(around + numbers)
    })
}

/// How many bytes the number takes.
fn digits(number: u64) -> u64 {
    number.checked_ilog10().map_or(1, |log| u64::from(log) + 1)
}

/// The field that says which bytes of the file these are.
pub(crate) fn content_range(range: &Range<u64>, len: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Range: ");
    write_range(range, len, out);
    out.extend_from_slice(b"\r\n");
}

/// `bytes FIRST-LAST/LENGTH`.
pub(crate) fn write_range(range: &Range<u64>, len: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"bytes ");
    number(range.start, out);
    out.extend_from_slice(b"-");
    number(range.end.saturating_sub(1), out);
    out.extend_from_slice(b"/");
    number(len, out);
}

/// Appends a number in decimal digits.
pub(crate) fn number(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}
