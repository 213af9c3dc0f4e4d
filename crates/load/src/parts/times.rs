//! A histogram in few bytes, and back.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use hdrhistogram::Histogram;
use std::slice;

/// Base64 of pairs of numbers in LEB128: how much a value is greater than the one before, and how often it was.
pub(super) fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    let mut last = 0;
    for step in histogram.iter_recorded() {
        let value = step.value_iterated_to();
        put(value - last, &mut bytes);
        put(step.count_at_value(), &mut bytes);
        last = value;
    }
    BASE64_STANDARD_NO_PAD.encode(bytes)
}

/// Reads what [`encode`] wrote, by way of `bytes`, whose contents do not matter: calls `each` with every value, the least first, and how often it
/// was. None where it comes to something else.
pub(super) fn decode(
    text: &str,
    bytes: &mut Vec<u8>,
    mut each: impl FnMut(u64, u64),
) -> Option<()> {
    bytes.clear();
    BASE64_STANDARD_NO_PAD.decode_vec(text, bytes).ok()?;
    let mut rest = bytes.iter();
    let mut value = 0_u64;
    while !rest.as_slice().is_empty() {
        value = value.checked_add(take(&mut rest)?)?;
        each(value, take(&mut rest)?);
    }
    Some(())
}

/// LEB128: seven bits a byte, the least first, the highest bit set but in the last.
fn put(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[inline(always)]
fn take(rest: &mut slice::Iter<'_, u8>) -> Option<u64> {
    let mut number = 0_u64;
    let mut place = 0;
    loop {
        let byte = *rest.next()?;
        number |= u64::from(byte & 0x7f) << place;
        if byte < 0x80 {
            return Some(number);
        }
        place += 7;
        if place >= u64::BITS {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{LONGEST, histogram};

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut times = histogram();
        values
            .into_iter()
            .for_each(|value| times.saturating_record(value));
        times
    }

    fn read(text: &str) -> Option<Vec<(u64, u64)>> {
        let mut times = Vec::new();
        decode(text, &mut vec![1, 2], |value, count| {
            times.push((value, count));
        })?;
        Some(times)
    }

    #[test]
    fn nothing_is_lost() {
        for times in [
            of([]),
            of([0, 0, 1]),
            of((0..2_000).map(|k| k * k * k)),
            of([LONGEST, u64::MAX, 5_000_000]),
        ] {
            let mut back = histogram();
            let read = read(&encode(&times)).expect("times");
            assert!(read.is_sorted_by(|(a, _), (b, _)| a < b));
            for (value, count) in read {
                back.saturating_record_n(value, count);
            }
            assert_eq!(back, times);
            assert_eq!((back.min(), back.max()), (times.min(), times.max()));
        }
    }

    #[test]
    fn what_is_no_times_is_none() {
        let cut = BASE64_STANDARD_NO_PAD.encode([5]);
        let endless = BASE64_STANDARD_NO_PAD.encode([0xff; 11]);
        let beyond = BASE64_STANDARD_NO_PAD.encode([[0xff; 9].as_slice(), &[1, 1, 1, 1]].concat());
        for text in ["*", &cut, &endless, &beyond] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(""), Some(Vec::new()));
    }
}
