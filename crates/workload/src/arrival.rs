//! When each request is due: arrival processes.
//!
//! [`Arrival`] is the choice as people write it, [`Schedule`] the stream. The stream depends on the
//! stages and the seed and nothing else: not on the clock, not on how many threads share it. For
//! partly open load it gives the starts of the sessions.

use crate::seed;
use crate::stages::RateStages;
use crate::trace::Times;
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fmt;
use std::iter::FusedIterator;
use std::path::PathBuf;
use std::str::FromStr;

/// An arrival process by name: `constant`, `poisson` or `trace:FILE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Arrival {
    /// The k-th arrival when the cumulative rate reaches k: even spacing at a constant rate.
    #[default]
    Constant,
    /// Independent exponential gaps: many clients that know nothing of each other.
    Poisson,
    /// The times in a file, read by [`Times::read`]; the rate is that of the file.
    Trace(PathBuf),
}

/// A text that names no arrival process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("arrival process '{0}' is unknown; expected constant, poisson or trace:FILE")]
pub struct ArrivalError(String);

impl FromStr for Arrival {
    type Err = ArrivalError;

    fn from_str(text: &str) -> Result<Self, ArrivalError> {
        match (text, text.strip_prefix("trace:")) {
            ("constant", _) => Ok(Self::Constant),
            ("poisson", _) => Ok(Self::Poisson),
            (_, Some(file)) if !file.is_empty() => Ok(Self::Trace(file.into())),
            _ => Err(ArrivalError(text.into())),
        }
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Poisson => f.write_str("poisson"),
            Self::Trace(file) => write!(f, "trace:{}", file.display()),
        }
    }
}

/// A stream of arrival times: nanoseconds since the start, never decreasing. Allocates nothing per
/// arrival.
#[derive(Debug, Clone)]
pub struct Schedule {
    source: Source,
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
            skip: 0,
            stride: 1,
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
            source: self.source,
        }
    }
}

impl Iterator for Schedule {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let skip = std::mem::replace(&mut self.skip, self.stride - 1);
        match &mut self.source {
            Source::Constant {
                stages,
                stage,
                next,
            } => {
                let number = next.saturating_add(skip);
                *next = number.saturating_add(1);
                stages.due(number as f64, stage)
            }
            Source::Poisson {
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
            Source::Trace { times, next } => {
                let number = next.saturating_add(usize::try_from(skip).unwrap_or(usize::MAX));
                *next = number.saturating_add(1);
                times.as_nanos().get(number).copied()
            }
        }
    }
}

impl FusedIterator for Schedule {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn stages(text: &str) -> RateStages {
        text.parse().unwrap()
    }

    #[test]
    fn names() {
        for text in ["constant", "poisson", "trace:a/b.txt"] {
            assert_eq!(text.parse::<Arrival>().unwrap().to_string(), text);
        }
        assert_eq!(
            "trace:".parse::<Arrival>().unwrap_err().to_string(),
            "arrival process 'trace:' is unknown; expected constant, poisson or trace:FILE"
        );
    }

    #[test]
    fn a_constant_rate_does_not_drift() {
        let all: Vec<u64> = Schedule::constant(stages("30s@500")).collect();
        assert_eq!(all.len(), 15_000);
        assert!(
            all.iter()
                .enumerate()
                .all(|(k, at)| *at == k as u64 * 2_000_000)
        );
        // A rate that divides nothing, after an hour: still the nearest nanosecond.
        let far = Schedule::constant(RateStages::steady(7.0, None).unwrap())
            .nth(25_200)
            .unwrap();
        assert_eq!(far, 3_600_000_000_000);
        let rate = 2_999.0;
        for (k, at) in Schedule::constant(RateStages::steady(rate, None).unwrap())
            .enumerate()
            .take(1_000_000)
            .step_by(997)
        {
            let exact = (k as u128 * 1_000_000_000 + 1499) / 2999;
            assert_eq!(u128::from(at), exact, "arrival {k}");
        }
    }

    #[test]
    fn a_ramp_has_the_arrivals_it_should() {
        let all: Vec<u64> = Schedule::constant(stages("10s@0..100")).collect();
        assert_eq!(all.len(), 500);
        let first_half = all.iter().filter(|at| **at < 5_000_000_000).count();
        assert_eq!(first_half, 125);
    }

    #[test]
    fn the_same_seed_is_the_same_stream() {
        let first = |seed| {
            Schedule::poisson(stages("1s@1000"), seed)
                .take(3)
                .collect::<Vec<_>>()
        };
        assert_eq!(first(1), [919_569, 1_084_467, 4_368_859]);
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn an_end_is_an_end() {
        let mut short = Schedule::poisson(stages("10ms@1000"), 3);
        assert!(short.by_ref().count() < 40);
        assert_eq!((short.next(), short.next()), (None, None));
        let mut trace = Schedule::trace(Times::from_nanos([5, 7]).unwrap());
        assert_eq!(
            [trace.next(), trace.next(), trace.next()],
            [Some(5), Some(7), None]
        );
        assert_eq!(
            Schedule::poisson(
                RateStages::steady(1.0, Some(Duration::from_nanos(1))).unwrap(),
                1
            )
            .split(9, 0)
            .count(),
            0
        );
    }

    proptest! {
        #![proptest_config(crate::cases(60))]

        #[test]
        fn parts_are_together_the_whole(seed: u64, threads in 1..9_usize, again in 1..4_usize) {
            let times = Times::from_nanos((0..500).map(|k| k * k)).unwrap();
            for whole in [
                Schedule::constant(stages("1s@100..500,1s@0,200ms@999")),
                Schedule::poisson(stages("1s@100..500,1s@0,200ms@999"), seed),
                Schedule::trace(times),
            ] {
                let expected: Vec<u64> = whole.clone().collect();
                let mut parts = Vec::new();
                for thread in 0..threads {
                    for sub in 0..again {
                        let part = whole.clone().split(thread, threads).split(sub, again);
                        let first = thread + sub * threads;
                        parts.extend(part.enumerate().map(|(j, at)| (first + j * threads * again, at)));
                    }
                }
                parts.sort_unstable();
                let numbers: Vec<usize> = parts.iter().map(|(number, _)| *number).collect();
                prop_assert!(numbers.iter().copied().eq(0..expected.len()));
                prop_assert!(parts.into_iter().map(|(_, at)| at).eq(expected));
            }
        }
    }
}
