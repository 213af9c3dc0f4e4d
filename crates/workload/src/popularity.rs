//! Which file comes next.
//!
//! A choice is a pure function of (seed, its number), not the next of a sequence: a thread that
//! issues every n-th request takes every n-th choice at no cost, and request k asks for the same
//! file however many threads there are.

use crate::seed;
use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;
use std::iter::FusedIterator;
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

    /// The stream of choices called "files" under `seed`.
    pub fn choices(&self, seed: u64) -> Choices {
        self.choices_named(seed, "files")
    }

    /// A stream of choices independent of those with another label.
    pub fn choices_named(&self, seed: u64, label: &str) -> Choices {
        Choices {
            sampler: self.clone(),
            key: seed::derive(seed, label),
            next: 0,
            stride: 1,
        }
    }
}

/// An endless seeded stream of indices.
#[derive(Debug, Clone)]
pub struct Choices {
    sampler: Sampler,
    key: u64,
    next: u64,
    stride: u64,
}

impl Choices {
    /// The choice that belongs to the `number`-th request of the whole stream, whatever was taken
    /// or split before.
    pub fn at(&self, number: u64) -> usize {
        self.sampler
            .table
            .sample(&mut seed::event(self.key, number))
    }

    /// Every `threads`-th choice from the `thread`-th on (counted from 0). The parts interleave to
    /// the whole; a part can be split again.
    pub fn split(self, thread: usize, threads: usize) -> Self {
        Self {
            next: self
                .next
                .wrapping_add((thread as u64).wrapping_mul(self.stride)),
            stride: self.stride.wrapping_mul(threads.max(1) as u64),
            ..self
        }
    }
}

impl Iterator for Choices {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let choice = self.at(self.next);
        self.next = self.next.wrapping_add(self.stride);
        Some(choice)
    }
}

impl FusedIterator for Choices {}

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
        choices
            .take(draws as usize)
            .for_each(|i| seen[i] += 1.0 / f64::from(draws));
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
    fn parts_interleave_to_the_whole() {
        let all = Sampler::new(zipf(100, 1.0)).unwrap().choices(42);
        let whole: Vec<usize> = all.clone().take(30).collect();
        let mut parts: Vec<Choices> = (0..3).map(|i| all.clone().split(i, 3)).collect();
        let woven: Vec<usize> = (0..30).map(|k| parts[k % 3].next().unwrap()).collect();
        assert_eq!(woven, whole);
        let twice: Vec<usize> = all.split(1, 2).split(1, 3).take(5).collect();
        assert_eq!(twice, [3, 9, 15, 21, 27].map(|k: usize| whole[k]));
    }

    #[test]
    fn streams_are_the_same_for_ever() {
        let sampler = Sampler::new(zipf(1000, 1.0)).unwrap();
        let stream = |seed, label| {
            sampler
                .choices_named(seed, label)
                .take(6)
                .collect::<Vec<_>>()
        };
        assert_eq!(stream(1, "files"), [662, 1, 0, 0, 559, 146]);
        assert_ne!(stream(1, "files"), stream(2, "files"));
        assert_ne!(stream(1, "files"), stream(1, "think"));
    }
}
