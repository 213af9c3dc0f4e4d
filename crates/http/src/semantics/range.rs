//! Range requests: which bytes of the file are wanted (RFC 9110, section 14).

use std::ops::Range;

use crate::semantics::syntax::{saturating_decimal, trim};

/// What a Range field comes to for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection<'a> {
    /// The field does not count: the whole file.
    Whole,
    /// One range is left of it.
    Part(Range<u64>),
    /// Two ranges at least.
    Parts(Parts<'a>),
    /// 416
    Unsatisfiable,
}

/// The ranges that a Range field asks for, in its order, as far as they overlap the file.
///
/// They are read from the field as they are needed: so many ranges take no more memory than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// What of the field is left.
    set: &'a [u8],
    /// Size of the file in bytes.
    len: u64,
}

impl<'a> Parts<'a> {
    /// Those of a field's value for a file of `len` bytes. `None`: their unit is not the byte.
    pub(crate) fn of(value: &'a [u8], len: u64) -> Option<Parts<'a>> {
        let (unit, set) = value.split_at_checked(b"bytes=".len())?;
        unit.eq_ignore_ascii_case(b"bytes=")
            .then_some(Parts { set, len })
    }

    /// Goes on where so many bytes of the field were [left](Parts::left).
    pub(crate) fn skip_to(&mut self, left: usize) {
        self.set = &self.set[self.set.len().saturating_sub(left)..];
    }

    /// How many bytes of the field are left.
    pub(crate) fn left(&self) -> usize {
        self.set.len()
    }

    /// The next range as it was asked for, without the white space around it; empty elements of the
    /// list are none.
    fn next_spec(&mut self) -> Option<&'a [u8]> {
        while !self.set.is_empty() {
            let comma = self.set.iter().position(|&byte| byte == b',');
            let (spec, rest) = self.set.split_at(comma.unwrap_or(self.set.len()));
            self.set = rest.get(1..).unwrap_or_default();
            let spec = trim(spec);
            if !spec.is_empty() {
                return Some(spec);
            }
        }
        None
    }
}

impl Iterator for Parts<'_> {
    type Item = Range<u64>;

    fn next(&mut self) -> Option<Range<u64>> {
        loop {
            if let Some(Some(part)) = part(self.next_spec()?, self.len) {
                return Some(part);
            }
        }
    }
}

/// Reads the value of a Range field for a file of `len` bytes.
///
/// Ignored, as RFC 9110, 14.2 allows or demands: a unit other than bytes; a malformed set; more
/// than `max` ranges; ranges that add up to more than the file, which ask for more work than the
/// file is worth; any range of an empty file.
pub(crate) fn select(value: &[u8], len: u64, max: usize) -> Selection<'_> {
    read(value, len, max).unwrap_or(Selection::Whole)
}

fn read(value: &[u8], len: u64, max: usize) -> Option<Selection<'_>> {
    let all = Parts::of(value, len).filter(|_| len > 0)?;
    let mut specs = all.clone();
    let (mut asked, mut found, mut total) = (0, 0, 0u64);
    let mut first = None;
    while let Some(spec) = specs.next_spec() {
        asked += 1;
        if asked > max {
            return None;
        }
        if let Some(part) = part(spec, len)? {
            total = total.saturating_add(part.end - part.start);
            found += 1;
            first = first.or(Some(part));
        }
    }
    match (asked, found, first) {
        (0, ..) => None,
        (_, _, None) => Some(Selection::Unsatisfiable),
        _ if total > len => None,
        (_, 1, Some(part)) => Some(Selection::Part(part)),
        _ => Some(Selection::Parts(all)),
    }
}

/// One range, `Some(None)` if it begins behind the end of the file. `None`: malformed.
fn part(spec: &[u8], len: u64) -> Option<Option<Range<u64>>> {
    let dash = spec.iter().position(|&byte| byte == b'-')?;
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

    /// `Ok`: the ranges; `Err`: there are none, for this reason.
    fn ranges(value: &str, len: u64) -> Result<Vec<Range<u64>>, Selection<'_>> {
        match select(value.as_bytes(), len, 4) {
            Selection::Part(part) => Ok(vec![part]),
            Selection::Parts(parts) => {
                assert!(parts.clone().count() > 1, "{value}");
                Ok(parts.collect())
            }
            none => Err(none),
        }
    }

    #[track_caller]
    fn check(value: &str, expected: &[Range<u64>]) {
        assert_eq!(ranges(value, 100), Ok(expected.to_vec()), "{value}");
    }

    #[test]
    fn selects() {
        check("bytes=0-0", &[0..1]);
        check("Bytes=0-", &[0..100]);
        check("bytes=99-", &[99..100]);
        check("bytes=10-1000", &[10..100]);
        check("bytes=10-99999999999999999999999", &[10..100]);
        check("bytes=-1", &[99..100]);
        check("bytes=-1000", &[0..100]);
        check("bytes=-99999999999999999999999", &[0..100]);
        check("bytes=0-1, 5-6 ,,-2", &[0..2, 5..7, 98..100]);
        check("bytes=0-0,200-", &[0..1]);
        check("bytes=0-49,50-99", &[0..50, 50..100]);
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
            assert_eq!(ranges(value, 100), Err(Selection::Unsatisfiable), "{value}");
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
            assert_eq!(ranges(value, 100), Err(Selection::Whole), "{value}");
        }
        assert_eq!(ranges("bytes=0-", 0), Err(Selection::Whole));
        assert_eq!(ranges("bytes=-0", 0), Err(Selection::Whole));
        assert_eq!(ranges("bytes=0-", u64::MAX), Ok(vec![0..u64::MAX]));
    }

    #[test]
    fn goes_on_where_it_was_left() {
        let value = b"bytes=0-1, 200-, 5-6 ,,-2";
        let mut left = value.len();
        for expected in [Some(0..2), Some(5..7), Some(98..100), None] {
            let mut parts = Parts::of(value, 100).unwrap();
            parts.skip_to(left);
            assert_eq!(parts.next(), expected);
            left = parts.left();
        }
    }
}
