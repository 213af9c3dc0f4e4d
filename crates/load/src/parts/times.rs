//! A histogram in few bytes, and back.
//!
//! The values that occur are few beside those that a histogram tells apart, so that adding up pairs of a value and a count costs a fraction
//! of adding up whole histograms.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use hdrhistogram::Histogram;

/// Values and how often each was, the least first.
pub(super) type Times = Vec<(u64, u64)>;

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

/// Reads what [`encode`] wrote, by way of `bytes`, whose contents do not matter; none where it is something else.
pub(super) fn decode(text: &str, bytes: &mut Vec<u8>) -> Option<Times> {
    bytes.clear();
    BASE64_STANDARD_NO_PAD.decode_vec(text, bytes).ok()?;
    let mut rest = bytes.as_slice();
    let mut times = Times::with_capacity(bytes.len() / 3);
    let mut value = 0_u64;
    while !rest.is_empty() {
        value = value.checked_add(take(&mut rest)?)?;
        times.push((value, take(&mut rest)?));
    }
    Some(times)
}

/// Records them all.
pub(super) fn record(times: &Times, histogram: &mut Histogram<u64>) {
    for (value, count) in times {
        histogram.saturating_record_n(*value, *count);
    }
}

/// Adds some to others of which each value is the same or another.
pub(super) fn add(mine: &mut Times, theirs: Times) {
    if mine.is_empty() {
        *mine = theirs;
        return;
    }
    let mut sum = Times::with_capacity(mine.len() + theirs.len() / 4);
    let mut others = theirs.into_iter().peekable();
    for (value, count) in mine.drain(..) {
        while let Some(before) = others.next_if(|(other, _)| *other < value) {
            sum.push(before);
        }
        let same = others.next_if(|(other, _)| *other == value);
        sum.push((value, count + same.map_or(0, |(_, count)| count)));
    }
    sum.extend(others);
    *mine = sum;
}

/// LEB128: seven bits a byte, the least first, the highest bit set but in the last.
fn put(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (place, byte) in rest.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            *rest = &rest[place + 1..];
            return Some(number);
        }
    }
    None
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

    fn read(text: &str) -> Option<Times> {
        decode(text, &mut vec![1, 2])
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
            record(&read(&encode(&times)).expect("times"), &mut back);
            assert_eq!(back, times);
            assert_eq!((back.min(), back.max()), (times.min(), times.max()));
        }
    }

    #[test]
    fn adding_is_having_seen_both() {
        let (one, other) = ((0..900).map(|k| k * 7_919), (0..700).map(|k| k * k));
        let mut sum = read(&encode(&of(one.clone()))).expect("times");
        add(&mut sum, read(&encode(&of(other.clone()))).expect("times"));
        let mut both = histogram();
        record(&sum, &mut both);
        assert_eq!(both, of(one.chain(other)));
        assert!(sum.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn what_is_no_times_is_none() {
        let cut = BASE64_STANDARD_NO_PAD.encode([5]);
        let endless = BASE64_STANDARD_NO_PAD.encode([0xff; 11]);
        let beyond = BASE64_STANDARD_NO_PAD.encode([[0xff; 9].as_slice(), &[1, 1, 1, 1]].concat());
        for text in ["*", &cut, &endless, &beyond] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(""), Some(Times::new()));
    }
}
