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
    /// Whether `value` lies in it.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

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

pub(crate) fn t_interval(
    estimate: f64,
    standard_error: f64,
    freedom: f64,
    level: f64,
) -> Result<Interval, Error> {
    error::inside("level", level)?;
    let half = t_distribution(freedom)?.inverse_cdf(0.5 + level / 2.0) * standard_error;
    Ok(Interval {
        low: estimate - half,
        estimate,
        high: estimate + half,
        level,
    })
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
        assert!(interval.contains(100.0) && !interval.contains(10.0));
        assert!((interval.relative_half_width() - 0.7109).abs() < 1e-3);
        assert!(student_t(&[1.0], 0.95).is_err() && student_t(&TREATED, 1.0).is_err());
    }
}
