//! The stream of arrivals: each a function of its number and the seed.

use super::thinning::Thinning;
use crate::seed;
use crate::stages::RateStages;
use crate::trace::Times;
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::iter::FusedIterator;

/// A stream of arrival times: nanoseconds since the start, never decreasing. Allocates nothing per
/// arrival.
#[derive(Debug, Clone)]
pub struct Schedule {
    source: Source,
    /// Which arrivals of the source are there at all; none: all.
    thinning: Option<Thinning>,
    /// The number of the source's next arrival.
    number: u64,
    /// Arrivals to pass over before the next one.
    skip: u64,
    /// One in so many arrivals is ours.
    stride: u64,
}

#[derive(Debug, Clone)]
enum Source {
    Constant {
        stages: RateStages,
        stage: usize,
        next: u64,
    },
    Poisson {
        stages: RateStages,
        stage: usize,
        reached: f64,
        rng: Xoshiro256PlusPlus,
    },
    Trace {
        times: Times,
        next: usize,
    },
}

impl Source {
    /// The arrival behind the next `skip`.
    fn next(&mut self, skip: u64) -> Option<u64> {
        match self {
            Self::Constant {
                stages,
                stage,
                next,
            } => {
                let number = next.saturating_add(skip);
                *next = number.saturating_add(1);
                stages.due(number as f64, stage)
            }
            Self::Poisson {
                stages,
                stage,
                reached,
                rng,
            } => {
                for _ in 0..=skip {
                    let gap: f64 = Exp1.sample(rng);
                    *reached += gap;
                    // Once the end is passed there is nothing left to skip.
                    if *reached >= stages.total() {
                        return None;
                    }
                }
                stages.due(*reached, stage)
            }
            Self::Trace { times, next } => {
                let number = next.saturating_add(usize::try_from(skip).unwrap_or(usize::MAX));
                *next = number.saturating_add(1);
                times.as_nanos().get(number).copied()
            }
        }
    }
}

impl Schedule {
    /// Evenly spaced arrivals: the k-th, counted from 0, when k are due. Each is computed from its
    /// own number, so nothing drifts.
    pub fn constant(stages: RateStages) -> Self {
        Self::of(Source::Constant {
            stages,
            stage: 0,
            next: 0,
        })
    }

    /// A Poisson process, inhomogeneous where the rate changes: exponential gaps of mean 1 in the
    /// cumulative rate.
    pub fn poisson(stages: RateStages, seed: u64) -> Self {
        Self::of(Source::Poisson {
            stages,
            stage: 0,
            reached: 0.0,
            rng: seed::stream(seed, "arrivals"),
        })
    }

    /// Recorded times, once.
    pub fn trace(times: Times) -> Self {
        Self::of(Source::Trace { times, next: 0 })
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            thinning: None,
            number: 0,
            skip: 0,
            stride: 1,
        }
    }

    /// The arrivals of one of `parts` processes, `part` being counted from 0: each arrival of the whole stream falls to one of
    /// them, with the same probability to each, by a second stream from the seed that all draw alike. So the parts are together the whole
    /// stream, whoever is where, and those of a Poisson process are Poisson processes that know nothing of each other
    /// (Lewis and Shedler, *Naval Research Logistics Quarterly* 26, 1979, on thinning). Comes before [`Self::split`].
    pub fn thin(self, part: u64, parts: u64, seed: u64) -> Self {
        let thinning = Thinning {
            part,
            parts,
            rng: seed::stream(seed, "shares"),
        };
        Self {
            thinning: (parts > 1).then_some(thinning),
            ..self
        }
    }

    /// Every `threads`-th arrival from the `thread`-th on (counted from 0). The parts of all
    /// threads are together the whole stream, and the j-th arrival of a part is number `thread +
    /// j·threads` of it, the number that [`crate::Choices::at`] takes. A part can be split again.
    pub fn split(self, thread: usize, threads: usize) -> Self {
        Self {
            skip: self
                .skip
                .saturating_add((thread as u64).saturating_mul(self.stride)),
            stride: self.stride.saturating_mul(threads.max(1) as u64),
            ..self
        }
    }

    /// The next arrival with its number in the whole stream, of which this may be a part.
    pub fn next_numbered(&mut self) -> Option<(u64, u64)> {
        let mut skip = std::mem::replace(&mut self.skip, self.stride - 1);
        if let Some(thinning) = &mut self.thinning {
            skip = thinning.passes_over(skip);
        }
        let number = self.number.saturating_add(skip);
        self.number = number.saturating_add(1);
        Some((number, self.source.next(skip)?))
    }
}

impl Iterator for Schedule {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.next_numbered().map(|(_, at)| at)
    }
}
impl FusedIterator for Schedule {}

#[cfg(test)]
mod tests;
