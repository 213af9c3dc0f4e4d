//! Whether arrivals were as evenly spaced as was asked for.
//!
//! The asked distribution of the gaps is a single point, so no test of fit applies: any jitter at
//! all rejects it. What can be asked is how many gaps are off by more than a tolerance, whether the
//! mean gap is right, and how wide the gaps scatter.

use crate::error::{self, Error};

/// Counts gaps, each in units of the asked gap, so that a perfect one is 1. Flat memory; nothing is
/// allocated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    tolerance: f64,
    n: u64,
    off: u64,
    mean: f64,
    squares: f64,
}

/// How evenly spaced the arrivals were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evenness {
    /// How many gaps were seen.
    pub n: u64,
    /// The share of gaps that were off by more than the tolerance.
    pub off: f64,
    /// The mean gap in units of the asked one: 1 if the rate is right.
    pub mean: f64,
    /// The coefficient of variation of the gaps: 0 for even spacing, 1 for a Poisson process.
    pub variation: f64,
}

impl Spacing {
    /// A gap of 1 ± `tolerance` is right; 0.1 means by a tenth of the asked gap.
    pub fn new(tolerance: f64) -> Result<Self, Error> {
        error::not_negative("tolerance", tolerance)?;
        Ok(Self {
            tolerance,
            n: 0,
            off: 0,
            mean: 0.0,
            squares: 0.0,
        })
    }

    /// Counts a gap (Welford, *Technometrics* 4, 1962).
    pub fn add(&mut self, gap: f64) {
        self.n += 1;
        self.off += u64::from((gap - 1.0).abs() > self.tolerance);
        let before = gap - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (gap - self.mean);
    }

    /// Adds the gaps of another stream with the same tolerance (Chan, Golub and LeVeque, 1979).
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        let (mine, theirs) = (self.n as f64, other.n as f64);
        let between = other.mean - self.mean;
        self.n += other.n;
        self.off += other.off;
        self.mean += between * theirs / (mine + theirs);
        self.squares += other.squares + between * between * mine * theirs / (mine + theirs);
    }

    /// What was seen; an error if it was nothing.
    pub fn evenness(&self) -> Result<Evenness, Error> {
        if self.n == 0 {
            return Err(Error::TooFew { need: 1, got: 0 });
        }
        let n = self.n as f64;
        let variation = (self.squares / n).sqrt() / self.mean;
        Ok(Evenness {
            n: self.n,
            off: self.off as f64 / n,
            mean: self.mean,
            variation,
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
        assert_eq!((even.off, even.mean, even.variation), (0.0, 1.0, 0.0));
        let uneven = seen(&[0.5, 1.5, 1.05, 0.95]).evenness().unwrap();
        assert_eq!((uneven.n, uneven.off, uneven.mean), (4, 0.5, 1.0));
        assert!((uneven.variation - (0.505_f64 / 4.0).sqrt()).abs() < 1e-12);
        assert!(seen(&[]).evenness().is_err());
        assert!(Spacing::new(f64::NAN).is_err());
    }

    #[test]
    fn merging_is_seeing_both() {
        let gaps: Vec<f64> = (0..100).map(|k| f64::from(k * k % 17) / 8.0).collect();
        let all = seen(&gaps).evenness().unwrap();
        let mut merged = seen(&[]);
        gaps.chunks(7).for_each(|part| merged.merge(&seen(part)));
        let merged = merged.evenness().unwrap();
        assert_eq!((merged.n, merged.off), (all.n, all.off));
        assert!(
            (merged.mean - all.mean).abs() < 1e-12
                && (merged.variation - all.variation).abs() < 1e-12
        );
    }
}
