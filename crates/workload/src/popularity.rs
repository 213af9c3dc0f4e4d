//! Which file comes next.
//!
//! A choice is a pure function of (seed, its number), not the next of a sequence: a thread that
//! issues every n-th request takes every n-th choice at no cost, and request k asks for the same
//! file however many threads there are.

use crate::seed;
use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;
use std::sync::Arc;

/// Why a list of weights is no popularity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PopularityError {
    /// There is nothing to choose from.
    #[error("there is nothing to choose from")]
    Empty,
    /// More than 2³² − 1 weights.
    #[error("there are more than 2^32 - 1 weights")]
    TooMany,
    /// A weight that is negative, infinite or no number.
    #[error("weight number {0} is not a finite number of at least 0")]
    Weight(usize),
    /// Nothing has any weight.
    #[error("all weights are 0")]
    AllZero,
}

/// Draws indices in proportion to weights, in O(1) each: Walker's alias method, as kept by
/// `rand_distr`.
///
/// Clones share the table.
#[derive(Debug, Clone)]
pub struct Sampler {
    table: Arc<WeightedAliasIndex<f64>>,
    len: usize,
}

impl Sampler {
    /// A sampler over weights of any scale. An index of weight 0 is never drawn.
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Result<Self, PopularityError> {
        let mut weights: Vec<f64> = weights.into_iter().collect();
        let len = weights.len();
        if len == 0 {
            return Err(PopularityError::Empty);
        }
        if u32::try_from(len).is_err() {
            return Err(PopularityError::TooMany);
        }
        if let Some(bad) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(PopularityError::Weight(bad));
        }
        // Scaled by the largest, no sum can overflow.
        let largest = weights.iter().copied().fold(0.0, f64::max);
        if largest == 0.0 {
            return Err(PopularityError::AllZero);
        }
        weights.iter_mut().for_each(|w| *w /= largest);
        let table = WeightedAliasIndex::new(weights).map_err(|_| PopularityError::AllZero)?;
        Ok(Self {
            table: Arc::new(table),
            len,
        })
    }

    /// How many indices there are; all that are drawn are below it.
    #[expect(clippy::len_without_is_empty, reason = "a sampler is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The stream of choices under `seed`.
    pub fn choices(&self, seed: u64) -> Choices {
        Choices {
            sampler: self.clone(),
            key: seed::derive(seed, "files"),
        }
    }
}

/// An endless seeded stream of indices.
#[derive(Debug, Clone)]
pub struct Choices {
    sampler: Sampler,
    key: u64,
}

impl Choices {
    /// The choice that belongs to the `number`-th request of the whole stream.
    pub fn at(&self, number: u64) -> usize {
        self.sampler
            .table
            .sample(&mut seed::event(self.key, number))
    }
}

/// Zipf weights of `count` ranks: 1, 2^−alpha, 3^−alpha, … (Zipf 1949; alpha = 1 is how SPECweb99
/// chooses directories).
pub fn zipf(count: usize, alpha: f64) -> impl Iterator<Item = f64> {
    (1..=count).map(move |rank| (rank as f64).powf(-alpha))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frequencies(weights: &[f64], draws: u32) -> Vec<f64> {
        let mut seen = vec![0.0; weights.len()];
        let choices = Sampler::new(weights.iter().copied()).unwrap().choices(1);
        (0..u64::from(draws)).for_each(|k| seen[choices.at(k)] += 1.0 / f64::from(draws));
        seen
    }

    #[test]
    fn draws_follow_the_weights() {
        let weights: Vec<f64> = zipf(10, 1.0).collect();
        let total: f64 = weights.iter().sum();
        let draws = 100_000;
        for (seen, weight) in frequencies(&weights, draws).iter().zip(&weights) {
            let p = weight / total;
            let sigma = (p * (1.0 - p) / f64::from(draws)).sqrt();
            assert!((seen - p).abs() < 4.0 * sigma, "{seen} for {p}");
        }
    }

    #[test]
    fn weights_of_zero_are_never_drawn_and_scale_does_not_matter() {
        let seen = frequencies(&[0.0, 1e300, 0.0, 1e300], 10_000);
        assert_eq!((seen[0], seen[2]), (0.0, 0.0));
        assert!((seen[1] - 0.5).abs() < 0.03);
    }

    #[test]
    fn bad_weights_are_refused() {
        let refused = |weights: &[f64]| {
            Sampler::new(weights.iter().copied())
                .map(|_| ())
                .unwrap_err()
        };
        assert_eq!(refused(&[]), PopularityError::Empty);
        assert_eq!(refused(&[1.0, -1.0]), PopularityError::Weight(1));
        assert_eq!(refused(&[f64::NAN]), PopularityError::Weight(0));
        assert_eq!(refused(&[0.0]), PopularityError::AllZero);
    }

    #[test]
    fn streams_are_the_same_for_ever() {
        let sampler = Sampler::new(zipf(1000, 1.0)).unwrap();
        let stream = |seed| {
            let choices = sampler.choices(seed);
            (0..6).map(|k| choices.at(k)).collect::<Vec<_>>()
        };
        assert_eq!(stream(1), [662, 1, 0, 0, 559, 146]);
        assert_ne!(stream(1), stream(2));
    }
}
