//! How well the figures of one run are known, though what follows each other in it is alike.
//!
//! Response times of neighbouring requests are alike, since they met the same queue: a thousand of them tell less than a thousand
//! independent ones would. How much less is seen at the means of long stretches of the run, which vary by so much more than means
//! of as many independent values would (the design effect: Kish, *Survey Sampling*, 1965, section 8.2; by batch means: Law,
//! *Simulation Modeling and Analysis*, section 9.5.3). The run is then as good as a sample of fewer independent values, of which
//! order statistics bound each quantile without any assumption on the distribution (David and Nagaraja, *Order Statistics*,
//! section 7.1).

use crate::error::{self, Error};
use crate::interval::{Interval, student_t, t_quantile};
use crate::sample;

/// What one run is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The interval of the mean, in the unit of the means.
    pub mean: Interval,
    /// As how many independent values its values count.
    pub independent: f64,
    /// How many standard errors the interval of a quantile goes both ways.
    reach: f64,
}

impl Precision {
    /// That of `count` values of this variance whose stretches of equal length have these means.
    ///
    /// # Errors
    /// With fewer than two means, with such as are no numbers, and of fewer values than means.
    pub fn of(means: &[f64], count: u64, variance: f64, level: f64) -> Result<Self, Error> {
        error::inside("level", level)?;
        let mean = student_t(means, level)?;
        let count = count as f64;
        let each = count / means.len() as f64;
        if each < 1.0 || !variance.is_finite() {
            return Err(Error::Parameter {
                name: "values for each mean",
                value: each,
                must: "at least 1",
            });
        }
        let alike = sample::variance(means) * each / variance;
        Ok(Self {
            mean,
            // All the same: nothing varies, and nothing is alike by more than that.
            independent: match alike.is_finite() {
                true => count / alike.max(1.0),
                false => count,
            },
            reach: t_quantile(0.5 + level / 2.0, means.len() as f64 - 1.0)?,
        })
    }

    /// Between which quantiles of the run the true quantile at `p` lies, from 0 to 1 each. None in place of one that the run is
    /// too short to have.
    pub fn of_quantile(&self, p: f64) -> (Option<f64>, Option<f64>) {
        let half = self.reach * (p * (1.0 - p) / self.independent).sqrt();
        // A rank that is not there: below the first, or above the last.
        let room = 1.0 / self.independent;
        let low = Some(p - half).filter(|low| *low >= room);
        let high = Some(p + half).filter(|high| *high <= 1.0 - room);
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queueing::Mm1;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng, SeedableRng};

    const LEVEL: f64 = 0.95;

    fn exponential(random: &mut Xoshiro256PlusPlus) -> f64 {
        let uniform = (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        -(-uniform).ln_1p()
    }

    /// Response times of customers in their order (Lindley's recursion), from a queue that is in its steady state.
    fn queue(random: &mut Xoshiro256PlusPlus, load: f64, count: usize) -> Vec<f64> {
        let mut wait = 0.0;
        let mut times = Vec::with_capacity(count);
        for number in 0..count + 2_000 {
            let served = exponential(random);
            if number >= 2_000 {
                times.push(wait + served);
            }
            wait = (wait + served - exponential(random) / load).max(0.0_f64);
        }
        times
    }

    fn means(values: &[f64]) -> Vec<f64> {
        values.chunks(values.len() / 20).map(sample::mean).collect()
    }

    /// How many of 100 runs have intervals that hold the truth: of the mean, the median, the 90th and the 99th percentile.
    fn held(load: f64, count: usize) -> [u32; 4] {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        let model = Mm1::new(load, 1.0).unwrap();
        let mut held = [0; 4];
        for _ in 0..100 {
            let mut times = queue(&mut random, load, count);
            let means = means(&times);
            let variance = sample::variance(&times);
            let precision = Precision::of(&means, count as u64, variance, LEVEL).unwrap();
            let mean = model.mean_response();
            held[0] += u32::from((precision.mean.low..=precision.mean.high).contains(&mean));
            for (p, held) in [0.5, 0.9, 0.99].into_iter().zip(&mut held[1..]) {
                let (low, high) = precision.of_quantile(p);
                let mut at =
                    |p: Option<f64>, none| p.map_or(none, |p| sample::quantile(&mut times, p));
                let (low, high) = (at(low, 0.0), at(high, f64::INFINITY));
                *held += u32::from((low..=high).contains(&model.response_quantile(p)));
            }
        }
        held
    }

    #[test]
    fn intervals_of_a_queue_hold_the_truth_as_often_as_they_say() {
        // Independent values nearly, and values that are alike over hundreds.
        for (load, count) in [(0.01, 4_000), (0.5, 10_000), (0.8, 20_000)] {
            let held = held(load, count);
            assert!(held.iter().all(|held| *held >= 88), "{load}: {held:?}");
        }
    }

    #[test]
    fn what_is_alike_counts_for_less() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let of = |times: &[f64]| {
            let precision = Precision::of(
                &means(times),
                times.len() as u64,
                sample::variance(times),
                LEVEL,
            );
            precision.unwrap().independent
        };
        let alone: Vec<f64> = (0..10_000).map(|_| exponential(&mut random)).collect();
        assert!(of(&alone) > 3_000.0);
        assert!(of(&queue(&mut random, 0.9, 10_000)) < 1_000.0);
    }

    #[test]
    fn a_quantile_that_the_run_is_too_short_for_has_no_bound_there() {
        let values: Vec<f64> = (0..200).map(f64::from).map(|at| at % 10.0).collect();
        let precision = Precision::of(&means(&values), 200, 8.25, LEVEL).unwrap();
        assert!(matches!(precision.of_quantile(0.5), (Some(_), Some(_))));
        assert!(matches!(precision.of_quantile(0.999), (Some(_), None)));
        assert!(matches!(precision.of_quantile(0.001), (None, Some(_))));
    }

    #[test]
    fn values_that_are_all_the_same_are_known() {
        let precision = Precision::of(&[5.0; 20], 1_000, 0.0, LEVEL).unwrap();
        assert_eq!((precision.mean.low, precision.mean.high), (5.0, 5.0));
        assert_eq!(precision.independent, 1_000.0);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(Precision::of(&[1.0], 10, 1.0, LEVEL).is_err());
        assert!(Precision::of(&[1.0, f64::NAN], 10, 1.0, LEVEL).is_err());
        assert!(Precision::of(&[1.0, 2.0], 1, 1.0, LEVEL).is_err());
        assert!(Precision::of(&[1.0, 2.0], 10, f64::NAN, LEVEL).is_err());
        assert!(Precision::of(&[1.0, 2.0], 10, 1.0, 1.0).is_err());
    }
}
