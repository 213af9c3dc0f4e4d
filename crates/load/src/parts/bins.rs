//! How often each time was, in bins as fine as a histogram's, with memory only near those that are filled.
//!
//! A histogram has a count for every bin that it tells apart, a quarter of a megabyte: one for each second of an hour would be a gigabyte.
//! The times of a second fill few of them, most of them beside each other.

use super::second::MOST;
use hdrhistogram::Histogram;

/// Values of fewer bits than this have a bin each. Of greater ones so many bits are told apart, which are three significant digits.
const BITS: u32 = 11;
/// Bins that get their memory together.
const PAGE: usize = 64;

/// Counts of values.
#[derive(Clone, Debug, Default)]
pub(super) struct Bins {
    /// Up to the last one that is filled.
    pages: Vec<Option<Box<[u64; PAGE]>>>,
}

impl Bins {
    /// Counts a value so many times more.
    #[inline]
    pub(super) fn add(&mut self, value: u64, count: u64) {
        let bin = bin(value);
        let (page, place) = (bin / PAGE, bin % PAGE);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let counts = self.pages[page].get_or_insert_with(|| Box::new([0; PAGE]));
        counts[place] = counts[place].saturating_add(count);
    }

    /// Records all of them in a histogram, as far as anything is counted.
    pub(super) fn record(&self, histogram: &mut Histogram<u64>) {
        for (first, page) in (0..).step_by(PAGE).zip(&self.pages) {
            let counts = page.iter().flat_map(|counts| counts.iter());
            for (bin, count) in (first..).zip(counts).filter(|(_, count)| **count > 0) {
                histogram.saturating_record_n(least(bin), (*count).min(MOST));
            }
        }
    }
}

/// The bin of a value: those of a stretch between two powers of two lie behind those of the stretch before.
#[inline]
fn bin(value: u64) -> usize {
    let dropped = (u64::BITS - BITS).saturating_sub(value.leading_zeros());
    ((dropped as usize) << (BITS - 1)) + (value >> dropped) as usize
}

/// The least value of a bin.
fn least(bin: usize) -> u64 {
    let half = 1 << (BITS - 1);
    let dropped = (bin / half).saturating_sub(1);
    ((bin - dropped * half) as u64) << dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{LONGEST, histogram};

    /// Around every power of two, where one stretch of bins ends and the next begins.
    fn values() -> impl Iterator<Item = u64> {
        let around = |power: u32| {
            let at = 1_u64 << power;
            [at - 1, at, at + 1, at + at / 3, at + at / 2]
        };
        (0..u64::BITS - 1).flat_map(around).chain([0, u64::MAX])
    }

    #[test]
    fn a_bin_has_its_values_and_no_other() {
        for value in values() {
            let bin = bin(value);
            assert!(least(bin) <= value, "{value}");
            let next = (bin < super::bin(u64::MAX)).then(|| least(bin + 1));
            assert!(next.is_none_or(|next| next > value), "{value}");
        }
    }

    #[test]
    fn what_was_counted_is_recorded_as_if_it_had_been_at_once() {
        let (mut bins, mut expected) = (Bins::default(), histogram());
        for (count, value) in (1..).zip(values()) {
            bins.add(value, count);
            bins.add(value, 1);
            expected.saturating_record_n(value, count + 1);
        }
        let mut recorded = histogram();
        bins.record(&mut recorded);
        assert_eq!(recorded, expected);
        let ends = |times: &Histogram<u64>| (times.min(), times.max(), times.len());
        assert_eq!(ends(&recorded), ends(&expected));
        assert!(recorded.max() >= LONGEST);
    }

    #[test]
    fn memory_is_only_where_something_was_counted() {
        let mut bins = Bins::default();
        (0..1_000).for_each(|k| bins.add(100_000 + 100 * k, 1));
        bins.add(LONGEST, u64::MAX);
        bins.add(LONGEST, u64::MAX);
        let pages = bins.pages.iter().flatten().count();
        assert!(pages * PAGE < 1_500, "{pages} pages");
    }
}
