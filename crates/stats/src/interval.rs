//! How sure a figure is, from independent repeats.

use crate::error::{self, Error};
use crate::sample;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// An estimate and the interval around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The figure itself.
    pub estimate: f64,
    /// The upper end.
    pub high: f64,
    /// The share of such intervals that hold the truth, like 0.95.
    pub level: f64,
}

impl Interval {
    /// Half its width as a share of the estimate: how wide is too wide.
    pub fn relative_half_width(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.estimate.abs()
    }

    pub(crate) fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            low: f(self.low),
            estimate: f(self.estimate),
            high: f(self.high),
            level: self.level,
        }
    }
}

/// Student's interval for the mean of at least two independent values (*Biometrika* 6, 1908).
pub fn student_t(values: &[f64], level: f64) -> Result<Interval, Error> {
    error::sample(values, 2)?;
    let n = values.len() as f64;
    t_interval(
        sample::mean(values),
        (sample::variance(values) / n).sqrt(),
        n - 1.0,
        level,
    )
}

/// The median of at least two independent values, and an interval for what it estimates: Student's,
/// on logarithms if all values are above 0. Taken back from there it is one for the geometric mean
/// (Bland and Altman, *BMJ* 312, 1996, page 1079), which is the median of all that is symmetric on
/// logarithms, as times and rates about are. It is widened where it would miss the median of the
/// sample.
///
/// Few values make it wide: that of two, of which one is a tenth larger, goes from their median by a
/// factor of 1.8 both ways.
pub fn typical(values: &[f64], level: f64) -> Result<Interval, Error> {
    error::sample(values, 2)?;
    let median = sample::median(&mut values.to_vec());
    let mean = if values.iter().all(|value| *value > 0.0) {
        // Of shares of the median: what is the same in every repeat comes back without a rounding.
        let logs: Vec<f64> = values.iter().map(|value| (value / median).ln()).collect();
        student_t(&logs, level)?.map(|log| log.exp() * median)
    } else {
        student_t(values, level)?
    };
    Ok(Interval {
        low: mean.low.min(median),
        estimate: median,
        high: mean.high.max(median),
        level,
    })
}

pub(crate) fn t_interval(
    estimate: f64,
    standard_error: f64,
    freedom: f64,
    level: f64,
) -> Result<Interval, Error> {
    error::inside("level", level)?;
    let half = t_quantile(0.5 + level / 2.0, freedom)? * standard_error;
    Ok(Interval {
        low: estimate - half,
        estimate,
        high: estimate + half,
        level,
    })
}

/// The quantile at `p` of Student's t.
pub(crate) fn t_quantile(p: f64, freedom: f64) -> Result<f64, Error> {
    Ok(t_distribution(freedom)?.inverse_cdf(p))
}

/// The probability that Student's t is at least as far from 0.
pub(crate) fn t_two_sided(t: f64, freedom: f64) -> Result<f64, Error> {
    Ok((2.0 * t_distribution(freedom)?.cdf(-t.abs())).min(1.0))
}

fn t_distribution(freedom: f64) -> Result<StudentsT, Error> {
    StudentsT::new(0.0, 1.0, freedom).map_err(|_| Error::Parameter {
        name: "degrees of freedom",
        value: freedom,
        must: "above 0",
    })
}

/// The probability that a normal variable is at least as far from 0.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    (2.0 * Normal::standard().cdf(-z.abs())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng, SeedableRng};

    /// Survival of the sixteen mice, group of seven treated (Efron and Tibshirani, table 2.1).
    const TREATED: [f64; 7] = [94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0];

    #[test]
    fn students_table() {
        for (freedom, level, t) in [
            (1.0, 0.95, 12.7062),
            (4.0, 0.95, 2.7764),
            (9.0, 0.99, 3.2498),
            (29.0, 0.90, 1.6991),
            (1000.0, 0.95, 1.9623),
        ] {
            let interval = t_interval(0.0, 1.0, freedom, level).unwrap();
            assert!(
                (interval.high - t).abs() < 1e-4 && interval.low == -interval.high,
                "{freedom}: {}",
                interval.high
            );
            assert!((t_two_sided(t, freedom).unwrap() - (1.0 - level)).abs() < 1e-5);
        }
    }

    #[test]
    fn an_interval_of_a_mean() {
        // Mean 86.857, standard error 25.235 (table 2.1 there), t with 6 degrees of freedom 2.4469.
        let interval = student_t(&TREATED, 0.95).unwrap();
        assert!((interval.estimate - 86.857).abs() < 1e-3);
        assert!(
            (interval.low - 25.110).abs() < 0.01 && (interval.high - 148.605).abs() < 0.01,
            "{interval:?}"
        );
        assert!((interval.relative_half_width() - 0.7109).abs() < 1e-3);
        assert!(student_t(&[1.0], 0.95).is_err() && student_t(&TREATED, 1.0).is_err());
    }

    #[test]
    fn an_interval_of_a_geometric_mean() {
        // Serum triglyceride of 282 babies (Bland and Altman): its common logarithm has a mean of
        // −0.33 and a standard deviation of 0.17, so a geometric mean of 0.47 mmol/l. By hand
        // the interval is 10^(−0.33 ± 1.968·0.17/√282), 0.447 to 0.490.
        let spread = 0.17 * (281.0 / 188.0_f64).sqrt();
        let values: Vec<f64> = [-spread, 0.0, spread]
            .iter()
            .flat_map(|off| [10_f64.powf(-0.33 + off); 94])
            .collect();
        let interval = typical(&values, 0.95).unwrap();
        let is = |found: f64, expected: f64| (found - expected).abs() < 5e-4;
        assert!(
            is(interval.low, 0.4468) && is(interval.high, 0.4897),
            "{interval:?}"
        );
        assert!(is(interval.estimate, 0.4677), "{interval:?}");
    }

    #[test]
    fn intervals_of_few_values() {
        assert!(typical(&[], 0.95).is_err() && typical(&[1.0], 0.95).is_err());
        assert!(typical(&[1.0, f64::INFINITY], 0.95).is_err());
        let pair = typical(&[100.0, 110.0], 0.95).unwrap();
        assert!((pair.high / pair.estimate - 1.83).abs() < 0.01, "{pair:?}");
        for alike in [3.0, 1000.0, 0.1] {
            let interval = typical(&[alike; 3], 0.95).unwrap();
            assert_eq!((interval.low, interval.high), (alike, alike));
        }
        let zero = typical(&[0.0, 0.0, 1.0], 0.95).unwrap();
        assert!(zero.low < 0.0 && zero.estimate == 0.0);
        // One that is far off pulls the geometric mean away, and the interval still has the median.
        let skewed = [vec![1.0; 40], vec![1e6]].concat();
        let skewed = typical(&skewed, 0.5).unwrap();
        assert_eq!((skewed.low, skewed.estimate), (1.0, 1.0));
        assert!(skewed.high > 1.2, "{skewed:?}");
    }

    #[test]
    fn intervals_hold_the_truth_at_the_nominal_rate() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut uniform = || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        // The sum of twelve uniforms less six is about normal: the median is 1.
        let mut repeat = || (0.3 * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0)).exp();
        let misses = (0..2000)
            .filter(|_| {
                let repeats: Vec<f64> = (0..5).map(|_| repeat()).collect();
                let found = typical(&repeats, 0.95).unwrap();
                found.low > 1.0 || found.high < 1.0
            })
            .count();
        // 100 expected; four standard deviations are 39.
        assert!((61..=139).contains(&misses), "{misses} of 2000");
    }
}
