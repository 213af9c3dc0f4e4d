//! How sure any statistic is, from independent repeats, by drawing them again.

use crate::error::{self, Error};
use crate::interval::Interval;
use crate::sample;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal};

/// Intervals by resampling, for any statistic (Efron and Tibshirani, *An Introduction to the
/// Bootstrap*, 1993).
///
/// With few repeats they are too narrow: of five values the interval of the median is all of their
/// range and holds the truth with probability 1 − 2/2⁵, which is 0.94. For means of few repeats
/// take [`crate::student_t`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// How many samples are drawn, at most a million; 2000 by default.
    pub resamples: u32,
    /// 0.95 by default.
    pub level: f64,
    /// The same seed draws the same samples.
    pub seed: u64,
}

const MOST: u32 = 1_000_000;

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: 2000,
            level: 0.95,
            seed: 1,
        }
    }
}

impl Bootstrap {
    /// The percentile interval (13.3 there) of a statistic, which may sort the values that it is
    /// given.
    pub fn percentile(
        &self,
        values: &[f64],
        statistic: impl FnMut(&mut [f64]) -> f64,
    ) -> Result<Interval, Error> {
        let mut drawn = self.draw(values, statistic)?;
        let tail = (1.0 - self.level) / 2.0;
        Ok(drawn.interval(tail, 1.0 - tail, self.level))
    }

    /// The bias-corrected and accelerated interval (14.3 there; Efron, *Journal of the American
    /// Statistical Association* 82, 1987): better for skewed statistics.
    pub fn bca(
        &self,
        values: &[f64],
        mut statistic: impl FnMut(&mut [f64]) -> f64,
    ) -> Result<Interval, Error> {
        let mut drawn = self.draw(values, &mut statistic)?;
        let estimate = drawn.estimate;
        // Ties with the estimate count half, so that discrete statistics are not taken for biased
        // ones.
        let below: f64 = drawn
            .sorted
            .iter()
            .map(|v| {
                if *v < estimate {
                    1.0
                } else if *v == estimate {
                    0.5
                } else {
                    0.0
                }
            })
            .sum();
        let n = drawn.sorted.len() as f64;
        let normal = Normal::standard();
        let bias = normal.inverse_cdf((below / n).clamp(0.5 / n, 1.0 - 0.5 / n));
        let acceleration = acceleration(values, &mut statistic);
        let tail = (1.0 - self.level) / 2.0;
        let corrected = |p: f64| {
            let z = bias + normal.inverse_cdf(p);
            normal.cdf(bias + z / (1.0 - acceleration * z))
        };
        Ok(drawn.interval(corrected(tail), corrected(1.0 - tail), self.level))
    }

    fn draw(
        &self,
        values: &[f64],
        mut statistic: impl FnMut(&mut [f64]) -> f64,
    ) -> Result<Drawn, Error> {
        error::sample(values, 2)?;
        error::inside("level", self.level)?;
        if !(1..=MOST).contains(&self.resamples) {
            return Err(Error::Parameter {
                name: "number of resamples",
                value: f64::from(self.resamples),
                must: "from 1 to 1,000,000",
            });
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut scratch = values.to_vec();
        let estimate = statistic(&mut scratch);
        let mut sorted = Vec::with_capacity(self.resamples as usize);
        for _ in 0..self.resamples {
            scratch.fill_with(|| values[below(&mut rng, values.len())]);
            sorted.push(statistic(&mut scratch));
        }
        error::sample(&sorted, 1)?;
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(Drawn { estimate, sorted })
    }
}

/// A number below `n`, by the high half of a product (Lemire, *ACM Transactions on Modeling and
/// Computer Simulation* 29, 2019, without the rejection: the bias is n/2⁶⁴).
fn below(rng: &mut impl Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The skewness of the leave-one-out values (the jackknife), over six.
fn acceleration(values: &[f64], statistic: &mut impl FnMut(&mut [f64]) -> f64) -> f64 {
    let without = |left_out: usize| {
        let mut rest: Vec<f64> = values
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != left_out)
            .map(|(_, v)| *v)
            .collect();
        statistic(&mut rest)
    };
    let jackknife: Vec<f64> = (0..values.len()).map(without).collect();
    let mean = sample::mean(&jackknife);
    let (squares, cubes) = jackknife.iter().fold((0.0, 0.0), |(s, c), v| {
        (s + (mean - v).powi(2), c + (mean - v).powi(3))
    });
    let spread = 6.0 * f64::powf(squares, 1.5);
    if spread > 0.0 && cubes.is_finite() {
        cubes / spread
    } else {
        0.0
    }
}

/// The statistic of the sample and of all resamples.
struct Drawn {
    estimate: f64,
    sorted: Vec<f64>,
}

impl Drawn {
    fn interval(&mut self, low: f64, high: f64, level: f64) -> Interval {
        Interval {
            low: sample::of_sorted(&self.sorted, low),
            estimate: self.estimate,
            high: sample::of_sorted(&self.sorted, high),
            level,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Survival of the sixteen mice, group of seven treated (Efron and Tibshirani, table 2.1).
    const TREATED: [f64; 7] = [94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0];

    #[test]
    fn resampled_means() {
        // The bootstrap standard error of this mean is 23.36 (table 2.1 there, B = ∞): the normal
        // interval is 86.86 ± 45.8.
        let boot = Bootstrap {
            resamples: 10_000,
            ..Bootstrap::default()
        };
        let interval = boot.percentile(&TREATED, |v| sample::mean(v)).unwrap();
        assert!(
            (interval.low - 43.0).abs() < 4.0 && (interval.high - 133.0).abs() < 5.0,
            "{interval:?}"
        );
        assert_eq!(
            interval,
            boot.percentile(&TREATED, |v| sample::mean(v)).unwrap()
        );
        assert_ne!(
            interval,
            Bootstrap { seed: 2, ..boot }
                .percentile(&TREATED, |v| sample::mean(v))
                .unwrap()
        );
        // A skewed sample: the corrected interval moves towards its long tail.
        let corrected = boot.bca(&TREATED, |v| sample::mean(v)).unwrap();
        assert!(
            corrected.low > interval.low && corrected.high > interval.high,
            "{corrected:?}"
        );
    }

    #[test]
    fn resampled_variances() {
        // Spatial test data, 26 children (table 14.1 there): for the variance with n below the
        // line, 171.5, the 90 % BCa interval is (115.8, 259.6) and the percentile interval (100.8,
        // 233.9), from 2000 resamples.
        let scores = [
            48.0, 36.0, 20.0, 29.0, 42.0, 42.0, 20.0, 42.0, 22.0, 41.0, 45.0, 14.0, 6.0, 0.0, 33.0,
            28.0, 34.0, 4.0, 32.0, 24.0, 47.0, 41.0, 24.0, 26.0, 30.0, 41.0,
        ];
        let boot = Bootstrap {
            level: 0.90,
            ..Bootstrap::default()
        };
        let variance =
            |v: &mut [f64]| sample::variance(v) * (v.len() as f64 - 1.0) / v.len() as f64;
        let bca = boot.bca(&scores, variance).unwrap();
        assert!((bca.estimate - 171.5).abs() < 0.1, "{bca:?}");
        assert!(
            (bca.low - 115.8).abs() < 5.0 && (bca.high - 259.6).abs() < 8.0,
            "{bca:?}"
        );
        let percentile = boot.percentile(&scores, variance).unwrap();
        assert!(
            (percentile.low - 100.8).abs() < 5.0 && (percentile.high - 233.9).abs() < 6.0,
            "{percentile:?}"
        );
    }

    #[test]
    fn samples_without_spread_and_bad_parameters() {
        let same = Bootstrap::default().bca(&[3.0; 5], sample::median).unwrap();
        assert_eq!((same.low, same.estimate, same.high), (3.0, 3.0, 3.0));
        let boot = Bootstrap::default();
        assert!(boot.bca(&[1.0], sample::median).is_err());
        assert!(boot.percentile(&[1.0, f64::NAN], sample::median).is_err());
        assert!(
            Bootstrap {
                resamples: 0,
                ..boot
            }
            .percentile(&[1.0, 2.0], sample::median)
            .is_err()
        );
        assert!(
            Bootstrap {
                level: 95.0,
                ..boot
            }
            .percentile(&[1.0, 2.0], sample::median)
            .is_err()
        );
        assert!(boot.percentile(&[1.0, 2.0], |_| f64::NAN).is_err());
    }
}
