//! When each request is due: arrival processes.
//!
//! [`Arrival`] is the choice as people write it, [`Schedule`] the stream. The stream depends on the
//! stages and the seed and nothing else: not on the clock, not on how many threads or processes share
//! it. For partly open load it gives the starts of the sessions.

use crate::seed;
use crate::stages::RateStages;
use crate::trace::Times;
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;
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
    /// Which arrivals of the source are there at all; none: all.
    thinning: Option<Thinning>,
    /// The number of the source's next arrival.
    number: u64,
    /// Arrivals to pass over before the next one.
    skip: u64,
    /// One in so many arrivals is ours.
    stride: u64,
}

/// Gives each arrival to one of several parts, by chance.
#[derive(Debug, Clone)]
struct Thinning {
    part: u64,
    parts: u64,
    rng: Xoshiro256PlusPlus,
}

impl Thinning {
    /// Whether the next arrival of the source is this part's.
    fn takes(&mut self) -> bool {
        // The high word of the product: each part has the same share of all 2⁶⁴ numbers, within one.
        let drawn = (u128::from(self.rng.next_u64()) * u128::from(self.parts)) >> 64;
        drawn as u64 == self.part
    }

    /// How many arrivals of the source come before this part's next one, if `skip` of its own are passed over.
    fn passes_over(&mut self, mut skip: u64) -> u64 {
        let mut others = 0;
        loop {
            if self.takes() {
                match skip {
                    0 => return others,
                    _ => skip -= 1,
                }
            }
            others += 1;
        }
    }
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

    /// Of a constant rate too, each has his part of the arrivals, and of a Poisson process a Poisson process of his part of the rate.
    #[test]
    fn shares_are_equal_but_for_chance_and_poisson_again() {
        let rate = 20_000.0;
        let all = RateStages::steady(rate, Some(Duration::from_secs(10))).unwrap();
        for (share, shares) in [(0, 4_u32), (3, 4), (1, 3)] {
            let part: Vec<u64> = Schedule::poisson(all.clone(), 7)
                .thin(share, shares.into(), 7)
                .collect();
            let mean = 10.0 * rate / f64::from(shares);
            assert!((part.len() as f64 - mean).abs() < 5.0 * mean.sqrt());
            // The variance of counts in equal intervals is their mean, and neighbours are not alike.
            let mut counts = vec![0.0; 1000];
            for at in &part {
                counts[(at / 10_000_000) as usize] += 1.0;
            }
            let mean = part.len() as f64 / 1000.0;
            let variance = counts.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / 999.0;
            assert!(
                (variance / mean - 1.0_f64).abs() < 0.2,
                "{}",
                variance / mean
            );
        }
        let constant = Schedule::constant(all).thin(2, 4, 7).count() as f64;
        assert!((constant - 50_000.0).abs() < 1_000.0, "{constant}");
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

        #[test]
        fn shares_are_together_the_whole_whoever_splits_his_own(seed: u64, shares in 1..9_u64, threads in 1..4_usize) {
            let times = Times::from_nanos((0..500).map(|k| k * k)).unwrap();
            for whole in [
                Schedule::constant(stages("1s@100..500,1s@0,200ms@999")),
                Schedule::poisson(stages("1s@100..500,1s@0,200ms@999"), seed),
                Schedule::trace(times),
            ] {
                let expected: Vec<u64> = whole.clone().collect();
                let mut parts = Vec::new();
                for share in 0..shares {
                    let part = whole.clone().thin(share, shares, seed);
                    for thread in 0..threads {
                        let mut own = part.clone().split(thread, threads);
                        parts.extend(std::iter::from_fn(|| own.next_numbered()));
                    }
                }
                parts.sort_unstable();
                prop_assert!(parts.iter().map(|(number, _)| *number).eq(0..expected.len() as u64));
                prop_assert!(parts.into_iter().map(|(_, at)| at).eq(expected));
            }
        }
    }
}
