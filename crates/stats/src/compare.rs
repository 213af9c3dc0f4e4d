//! Whether one thing is faster than another, and by how much.
//!
//! Each value is one repeat (one run's p99, one run's throughput), never one request. The effect is
//! a ratio, as it is what carries over to other machines, so everything is done on logarithms.

use crate::error::{self, Error};
use crate::interval::{self, Interval};
use crate::sample;

/// What can be said of a candidate beside a baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Candidate over baseline, of geometric means.
    pub ratio: Interval,
    /// The probability of a ratio as far from 1 if there is no difference.
    pub p: f64,
}

/// What it comes to. Whether higher is better depends on the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The candidate's figure is the higher one.
    Higher,
    /// The candidate's figure is the lower one.
    Lower,
    /// None that the repeats show, or none that matters.
    None,
}

impl Comparison {
    /// A difference, if the whole interval lies on one side of 1 and the ratio is off by more than
    /// `margin` (0.02 is 2 %; 0 lets any difference matter).
    pub fn verdict(&self, margin: f64) -> Difference {
        self.verdict_by(self.p, margin)
    }

    /// The same of one of many, whose p-value has been raised for that (see [`holm`]): it and the
    /// bare one are held against what the interval leaves out.
    pub fn verdict_by(&self, p: f64, margin: f64) -> Difference {
        let is_shown = p < 1.0 - self.ratio.level;
        if !is_shown {
            Difference::None
        } else if self.ratio.low > 1.0 && self.ratio.estimate > 1.0 + margin {
            Difference::Higher
        } else if self.ratio.high < 1.0 && self.ratio.estimate < 1.0 / (1.0 + margin) {
            Difference::Lower
        } else {
            Difference::None
        }
    }
}

/// The ratio of two independent samples of positive values, at least two each: Welch's interval
/// (*Biometrika* 34, 1947) for the difference of the means of their logarithms. At a `level` of
/// 0.95 equal things differ one time in twenty, and hardly more often with few or unequal repeats.
pub fn independent(baseline: &[f64], candidate: &[f64], level: f64) -> Result<Comparison, Error> {
    let (a, b) = (logs(baseline)?, logs(candidate)?);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (va, vb) = (sample::variance(&a) / n, sample::variance(&b) / m);
    let freedom = (va + vb).powi(2) / (va * va / (n - 1.0) + vb * vb / (m - 1.0));
    of_logs(
        sample::mean(&b) - sample::mean(&a),
        (va + vb).sqrt(),
        freedom,
        level,
    )
}

/// The same for samples measured in pairs (the same block, the same seed, one beside the other), at
/// least two: Student's interval for the mean of the log ratios. What both of a pair suffered falls
/// out.
pub fn paired(baseline: &[f64], candidate: &[f64], level: f64) -> Result<Comparison, Error> {
    if baseline.len() != candidate.len() {
        return Err(Error::Unpaired(baseline.len(), candidate.len()));
    }
    let (a, b) = (logs(baseline)?, logs(candidate)?);
    let ratios: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
    let n = ratios.len() as f64;
    of_logs(
        sample::mean(&ratios),
        (sample::variance(&ratios) / n).sqrt(),
        n - 1.0,
        level,
    )
}

fn logs(values: &[f64]) -> Result<Vec<f64>, Error> {
    error::sample(values, 2)?;
    values
        .iter()
        .map(|v| error::positive("value", *v).map(f64::ln))
        .collect()
}

fn of_logs(
    difference: f64,
    standard_error: f64,
    freedom: f64,
    level: f64,
) -> Result<Comparison, Error> {
    if standard_error == 0.0 {
        // No spread at all: what is seen is all there is.
        error::inside("level", level)?;
        let ratio = Interval {
            low: difference,
            estimate: difference,
            high: difference,
            level,
        }
        .map(f64::exp);
        return Ok(Comparison {
            ratio,
            p: if difference == 0.0 { 1.0 } else { 0.0 },
        });
    }
    let ratio = interval::t_interval(difference, standard_error, freedom, level)?.map(f64::exp);
    Ok(Comparison {
        ratio,
        p: interval::t_two_sided(difference / standard_error, freedom)?,
    })
}

/// P-values of many comparisons, each raised by how many there are to choose from: whoever calls
/// different what is below 0.05 is wrong with any of them at most one time in twenty, however they
/// hang together (Holm, *Scandinavian Journal of Statistics* 6, 1979). In the order given.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, place) in order.into_iter().enumerate() {
        least = least.max((p.len() - rank) as f64 * p[place]).min(1.0);
        adjusted[place] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng, SeedableRng};

    /// A run's figure: 100 give or take a tenth, log-normal enough (the sum of twelve uniforms less
    /// six is about normal).
    fn runs(rng: &mut Xoshiro256PlusPlus, n: usize, scale: f64) -> Vec<f64> {
        let uniform =
            |rng: &mut Xoshiro256PlusPlus| (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        (0..n)
            .map(|_| {
                scale * 100.0 * (0.1 * ((0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0)).exp()
            })
            .collect()
    }

    #[test]
    fn welch_by_hand() {
        let found = independent(&[2.0, 4.0, 8.0], &[8.0, 16.0, 64.0], 0.95).unwrap();
        assert!((found.ratio.estimate.log2() - 7.0 / 3.0).abs() < 1e-12);
        // Base 2: variances 1 and 7/3, standard error √(10/9), freedom (10/9)² / (1/18 + 49/162) =
        // 3.448.
        let t = 7.0 / 3.0 / (10.0_f64 / 9.0).sqrt();
        assert!(
            (found.p
                - interval::t_two_sided(t, 100.0 / 81.0 / (1.0 / 18.0 + 49.0 / 162.0)).unwrap())
            .abs()
                < 1e-9
        );
        assert_eq!(found.verdict(0.0), Difference::None);
    }

    #[test]
    fn pairs_cancel_what_they_share() {
        let (a, b) = ([10.0, 100.0, 1000.0, 50.0], [11.1, 109.0, 1105.0, 54.9]);
        assert_eq!(
            independent(&a, &b, 0.95).unwrap().verdict(0.0),
            Difference::None
        );
        let found = paired(&a, &b, 0.95).unwrap();
        assert_eq!(found.verdict(0.05), Difference::Higher);
        assert_eq!(found.verdict(0.2), Difference::None);
        assert_eq!(
            paired(&b, &a, 0.95).unwrap().verdict(0.05),
            Difference::Lower
        );
        assert_eq!(paired(&a, &b[..3], 0.95), Err(Error::Unpaired(4, 3)));
    }

    #[test]
    fn equal_things_differ_at_the_nominal_rate_and_unequal_ones_are_found() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut called = |scale| {
            let differ = |_: &usize| {
                let (a, b) = (runs(&mut rng, 5, 1.0), runs(&mut rng, 5, scale));
                independent(&a, &b, 0.95).unwrap().verdict(0.0) != Difference::None
            };
            (0..2000).filter(differ).count()
        };
        // 100 expected; four standard deviations are 39.
        let false_alarms = called(1.0);
        assert!((61..=139).contains(&false_alarms), "{false_alarms} of 2000");
        assert!(called(1.4) > 1900);
    }

    #[test]
    fn many_comparisons() {
        // As R's p.adjust(p, "holm") has it.
        let of = |p: &[f64]| -> Vec<f64> {
            let adjusted = holm(p).into_iter();
            adjusted.map(|p| (p * 1e4).round() / 1e4).collect()
        };
        assert_eq!(
            of(&[0.05, 0.01, 0.03, 0.02, 0.04]),
            [0.09, 0.05, 0.09, 0.08, 0.09]
        );
        // The fifteen of Benjamini and Hochberg (Journal of the Royal Statistical Society B 57, 1995): three stand.
        let fifteen = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0000,
        ];
        let adjusted = of(&fifteen);
        assert_eq!(adjusted[..4], [0.0015, 0.0056, 0.0247, 0.114]);
        assert!(adjusted[9..].iter().all(|p| *p == 1.0));
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn of_many_equal_things_any_differs_at_the_nominal_rate() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut any_differs = |_: &usize| {
            let p: Vec<f64> = (0..20)
                .map(|_| {
                    let (a, b) = (runs(&mut rng, 5, 1.0), runs(&mut rng, 5, 1.0));
                    independent(&a, &b, 0.95).unwrap().p
                })
                .collect();
            (
                p.iter().any(|p| *p < 0.05),
                holm(&p)[0..].iter().any(|p| *p < 0.05),
            )
        };
        let families: Vec<_> = (0..1000).map(|n| any_differs(&n)).collect();
        let (bare, corrected) = families.iter().fold((0, 0), |(bare, corrected), family| {
            (
                bare + usize::from(family.0),
                corrected + usize::from(family.1),
            )
        });
        // Alone, 1 − 0.95²⁰ = 64 % are expected; together 5 %, and Welch's test is a little off where p is small.
        assert!((590..=690).contains(&bare), "{bare} of 1000");
        assert!((20..=75).contains(&corrected), "{corrected} of 1000");
    }

    #[test]
    fn degenerate_samples() {
        assert_eq!(independent(&[2.0, 2.0], &[2.0, 2.0], 0.95).unwrap().p, 1.0);
        assert_eq!(
            independent(&[2.0, 2.0], &[4.0, 4.0], 0.95)
                .unwrap()
                .verdict(0.0),
            Difference::Higher
        );
        assert!(independent(&[2.0], &[4.0, 4.0], 0.95).is_err());
        assert!(independent(&[0.0, 1.0], &[4.0, 4.0], 0.95).is_err());
    }
}
