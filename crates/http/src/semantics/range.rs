//! Range requests: which bytes of the file are wanted (RFC 9110, section 14).

use std::ops::Range;

use crate::semantics::syntax::{elements, saturating_decimal};

/// What a Range field comes to for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The field does not count: the whole file.
    Whole,
    /// The ranges that were put into the list, at least one.
    Parts,
    /// 416
    Unsatisfiable,
}

/// Reads the value of a Range field for a file of `len` bytes, and puts the ranges into `parts`,
/// which must be empty.
///
/// Ignored, as RFC 9110, 14.2 allows or demands: a unit other than bytes; a malformed set; more
/// than `max` ranges; ranges that add up to more than the file, which ask for more work than the
/// file is worth; any range of an empty file.
pub(crate) fn select(value: &[u8], len: u64, max: usize, parts: &mut Vec<Range<u64>>) -> Selection {
    let selection = read(value, len, max, parts).unwrap_or(Selection::Whole);
    if selection != Selection::Parts {
        parts.clear();
    }
    selection
}

fn read(value: &[u8], len: u64, max: usize, parts: &mut Vec<Range<u64>>) -> Option<Selection> {
    let (unit, set) = value.split_at_checked(b"bytes=".len())?;
    if !unit.eq_ignore_ascii_case(b"bytes=") || len == 0 {
        return None;
    }
    let mut asked = 0;
    let mut total = 0u64;
    for spec in elements(set).filter(|spec| !spec.is_empty()) {
        asked += 1;
        if asked > max {
            return None;
        }
        if let Some(part) = part(spec, len)? {
            total = total.saturating_add(part.end - part.start);
            parts.push(part);
        }
    }
    match asked {
        0 => None,
        _ if parts.is_empty() => Some(Selection::Unsatisfiable),
        _ if total > len => None,
        _ => Some(Selection::Parts),
    }
}

/// One range, `Some(None)` if it begins behind the end of the file. `None`: malformed.
fn part(spec: &[u8], len: u64) -> Option<Option<Range<u64>>> {
    let dash = memchr::memchr(b'-', spec)?;
    let (first, last) = (&spec[..dash], &spec[dash + 1..]);
    if first.is_empty() {
        let suffix = saturating_decimal(last)?;
        return Some((suffix > 0).then(|| len.saturating_sub(suffix)..len));
    }
    let start = saturating_decimal(first)?;
    let end = if last.is_empty() {
        len
    } else {
        let last_position = saturating_decimal(last)?;
        if last_position < start {
            return None;
        }
        last_position.saturating_add(1).min(len)
    };
    Some((start < len).then_some(start..end))
}

#[cfg(test)]
#[expect(
    clippy::single_range_in_vec_init,
    reason = "lists of ranges are what this is about"
)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Selection, ranges: &[Range<u64>]) {
        let mut parts = Vec::new();
        let selection = select(value.as_bytes(), 100, 4, &mut parts);
        assert_eq!((selection, &parts[..]), (expected, ranges), "{value}");
    }

    #[test]
    fn selects() {
        check("bytes=0-0", Selection::Parts, &[0..1]);
        check("Bytes=0-", Selection::Parts, &[0..100]);
        check("bytes=99-", Selection::Parts, &[99..100]);
        check("bytes=10-1000", Selection::Parts, &[10..100]);
        check(
            "bytes=10-99999999999999999999999",
            Selection::Parts,
            &[10..100],
        );
        check("bytes=-1", Selection::Parts, &[99..100]);
        check("bytes=-1000", Selection::Parts, &[0..100]);
        check(
            "bytes=-99999999999999999999999",
            Selection::Parts,
            &[0..100],
        );
        check(
            "bytes=0-1, 5-6 ,,-2",
            Selection::Parts,
            &[0..2, 5..7, 98..100],
        );
        check("bytes=0-0,200-", Selection::Parts, &[0..1]);
        check("bytes=0-49,50-99", Selection::Parts, &[0..50, 50..100]);
    }

    #[test]
    fn unsatisfiable() {
        for value in [
            "bytes=100-",
            "bytes=100-200",
            "bytes=-0",
            "bytes=200-,-0",
            "bytes=99999999999999999999999-",
        ] {
            check(value, Selection::Unsatisfiable, &[]);
        }
    }

    #[test]
    fn ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=1",
            "bytes=5-4",
            "bytes=99999999999999999999-5",
            "bytes=a-b",
            "bytes=0-1-2",
            "bytes=+0-1",
            "bytes=0 -1",
            "bytes =0-1",
            "bytes=0-1,x",
            "lines=0-1",
            "bytes=0-50,50-99",
            "bytes=0-,0-",
            "bytes=0-0,1-1,2-2,3-3,4-4",
        ] {
            check(value, Selection::Whole, &[]);
        }
        let mut parts = Vec::new();
        assert_eq!(select(b"bytes=0-", 0, 4, &mut parts), Selection::Whole);
        assert_eq!(select(b"bytes=-0", 0, 4, &mut parts), Selection::Whole);
        let mut parts = Vec::new();
        assert_eq!(
            select(b"bytes=0-", u64::MAX, 4, &mut parts),
            Selection::Parts
        );
    }
}
