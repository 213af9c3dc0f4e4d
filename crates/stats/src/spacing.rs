//! Whether arrivals were as evenly spaced as was asked for.
//!
//! The asked distribution of the gaps is a single point, so no test of fit applies: any jitter at
//! all rejects it. What can be asked is how many gaps are off by more than a tolerance.

use crate::error::{self, Error};

/// Counts gaps, each in units of the asked gap, so that a perfect one is 1. Flat memory; nothing is
/// allocated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    tolerance: f64,
    n: u64,
    off: u64,
}

/// How evenly spaced the arrivals were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evenness {
    /// How many gaps were seen.
    pub n: u64,
    /// The share of gaps that were off by more than the tolerance.
    pub off: f64,
}

impl Spacing {
    /// A gap of 1 ± `tolerance` is right; 0.1 means by a tenth of the asked gap.
    pub fn new(tolerance: f64) -> Result<Self, Error> {
        error::not_negative("tolerance", tolerance)?;
        Ok(Self {
            tolerance,
            n: 0,
            off: 0,
        })
    }

    /// Counts a gap.
    pub fn add(&mut self, gap: f64) {
        self.n += 1;
        self.off += u64::from((gap - 1.0).abs() > self.tolerance);
    }

    /// How many gaps were seen, and how many of them were off.
    pub fn counts(&self) -> (u64, u64) {
        (self.n, self.off)
    }

    /// Adds gaps that were counted elsewhere with the same tolerance.
    pub fn add_counts(&mut self, (n, off): (u64, u64)) {
        self.n = self.n.saturating_add(n);
        self.off = self.off.saturating_add(off);
    }

    /// Adds the gaps of another stream with the same tolerance.
    pub fn merge(&mut self, other: &Self) {
        self.add_counts(other.counts());
    }

    /// What was seen; an error if it was nothing.
    pub fn evenness(&self) -> Result<Evenness, Error> {
        if self.n == 0 {
            return Err(Error::TooFew { need: 1, got: 0 });
        }
        Ok(Evenness {
            n: self.n,
            off: self.off as f64 / self.n as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(gaps: &[f64]) -> Spacing {
        let mut spacing = Spacing::new(0.1).unwrap();
        gaps.iter().for_each(|gap| spacing.add(*gap));
        spacing
    }

    #[test]
    fn even_and_uneven() {
        let even = seen(&[1.0; 100]).evenness().unwrap();
        assert_eq!((even.n, even.off), (100, 0.0));
        let uneven = seen(&[0.5, 1.5, 1.05, 0.95]).evenness().unwrap();
        assert_eq!((uneven.n, uneven.off), (4, 0.5));
        assert!(seen(&[]).evenness().is_err());
        assert!(Spacing::new(f64::NAN).is_err());
    }

    #[test]
    fn merging_is_seeing_both() {
        let gaps: Vec<f64> = (0..100).map(|k| f64::from(k * k % 17) / 8.0).collect();
        let all = seen(&gaps).evenness().unwrap();
        let mut merged = seen(&[]);
        gaps.chunks(7).for_each(|part| merged.merge(&seen(part)));
        assert_eq!(merged.evenness().unwrap(), all);
    }
}
