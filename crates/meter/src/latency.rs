//! The buckets of the latency histogram: log-linear, as in HdrHistogram, but plain counters, so that they can
//! lie in memory that processes share.
//!
//! Every power of two of nanoseconds is cut into 64 buckets of equal width; a value is known to one part in 64,
//! and is reported as the middle of its bucket, so that it is off by less than 1 %. The range ends at 2⁴² ns
//! (73 minutes); what is longer counts there.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hdrhistogram::Histogram;

/// log2 of the buckets for each power of two.
const PRECISION_BITS: u32 = 6;
const HALF: u64 = 1 << PRECISION_BITS;
/// The largest value that is told from larger ones.
const LARGEST_NS: u64 = (1 << 42) - 1;

/// How many buckets there are.
pub(crate) const BUCKETS: usize = bucket(LARGEST_NS) + 1;

/// The bucket that a latency belongs to.
pub(crate) const fn bucket(nanoseconds: u64) -> usize {
    let value = if nanoseconds > LARGEST_NS {
        LARGEST_NS
    } else {
        nanoseconds
    };
    if value < 2 * HALF {
        return value as usize;
    }
    let shift = value.ilog2() - PRECISION_BITS;
    (shift as u64 * HALF + (value >> shift)) as usize
}

/// The middle of a bucket, in nanoseconds.
fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * HALF {
        return bucket;
    }
    let shift = bucket / HALF - 1;
    let start = (bucket - shift * HALF) << shift;
    start + (1 << shift) / 2
}

/// An empty histogram with the range of the buckets.
pub(crate) fn empty() -> Histogram<u64> {
    Histogram::new_with_max(LARGEST_NS + 1, 3)
        .expect("three digits and a range of many powers of two are valid")
}

/// Adds what `buckets` hold to `histogram`, which came from [`empty`].
pub(crate) fn merge(histogram: &mut Histogram<u64>, buckets: &[AtomicU64]) {
    for (bucket, count) in buckets.iter().enumerate() {
        let count = count.load(Relaxed);
        if count > 0 {
            histogram.saturating_record_n(middle(bucket), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_within_one_percent_of_its_buckets_middle() {
        let mut value = 1_u64;
        while value < LARGEST_NS {
            for value in [value - 1, value, value + 1, value + value / 3] {
                let middle = middle(bucket(value));
                assert!(middle.abs_diff(value) * 100 <= value, "{value} {middle}");
            }
            value *= 2;
        }
    }

    #[test]
    fn buckets_follow_each_other_without_gaps() {
        let mut last = 0;
        for value in 0..100_000 {
            let bucket = bucket(value);
            assert!(bucket == last || bucket == last + 1, "{value}");
            last = bucket;
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
