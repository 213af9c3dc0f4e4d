//! How the asked rate changes over time: steps and ramps.
//!
//! Written as stages joined by commas, each a duration, an at sign and a rate, or two rates for a
//! straight ramp between them:
//!
//! ```text
//! 30s@500,1m@2000           half a minute at 500 a second, then a minute at 2000
//! 30s@500..2000,10s@2000    a ramp, then its end held
//! 10s@1k,5s@0,10s@1k        a pause
//! ```
//!
//! What the rest of the crate needs of it is the cumulative rate Λ(t), the number of arrivals due
//! by time t, and its inverse: a process of rate 1 pushed through the inverse has the asked rate
//! (time rescaling; Çinlar, *Introduction to Stochastic Processes*, 1975).

mod text;

pub use text::RateStagesError;

use std::time::Duration;

const NANOS: f64 = 1e9;

/// One stretch of time and the rate at its start and end, in arrivals per second; in between it is
/// on the straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateStage {
    /// How long it lasts.
    pub length: Duration,
    /// The rate at its start.
    pub from: f64,
    /// The rate at its end; equal to `from` for a step.
    pub to: f64,
}

/// A sequence of stages that can be asked how many arrivals are due by when.
#[derive(Debug, Clone, PartialEq)]
pub struct RateStages {
    placed: Vec<Placed>,
    endless: bool,
}

/// A stage, where it begins, and how many arrivals were due before it and are due in it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Placed {
    stage: RateStage,
    start_ns: f64,
    before: f64,
    within: f64,
}

impl RateStages {
    /// One rate for `length`, or with `None` for ever.
    pub fn steady(rate: f64, length: Option<Duration>) -> Result<Self, RateStagesError> {
        let stage = RateStage {
            length: length.unwrap_or(Duration::MAX),
            from: rate,
            to: rate,
        };
        Self::build([stage], length.is_none())
    }

    /// These stages, one after the other.
    pub fn new(stages: impl IntoIterator<Item = RateStage>) -> Result<Self, RateStagesError> {
        Self::build(stages, false)
    }

    fn build(
        stages: impl IntoIterator<Item = RateStage>,
        endless: bool,
    ) -> Result<Self, RateStagesError> {
        let mut placed = Vec::new();
        let mut start_ns = 0.0;
        let mut before = 0.0;
        for stage in stages {
            if let Some(bad) = [stage.from, stage.to]
                .into_iter()
                .find(|r| !r.is_finite() || *r < 0.0)
            {
                return Err(RateStagesError::Rate(bad));
            }
            let seconds = if endless {
                f64::INFINITY
            } else {
                stage.length.as_secs_f64()
            };
            let mean = stage.from.midpoint(stage.to);
            let within = if mean == 0.0 { 0.0 } else { mean * seconds };
            placed.push(Placed {
                stage,
                start_ns,
                before,
                within,
            });
            before += within;
            start_ns += stage.length.as_nanos() as f64;
        }
        if before == 0.0 {
            return Err(RateStagesError::Nothing);
        }
        if !endless && start_ns >= u64::MAX as f64 {
            return Err(RateStagesError::TooLong);
        }
        Ok(Self { placed, endless })
    }

    /// The stages in order. An endless one has the length [`Duration::MAX`].
    pub fn iter(&self) -> impl Iterator<Item = RateStage> {
        self.placed.iter().map(|p| p.stage)
    }

    /// How long all stages last, or `None` if for ever.
    pub fn duration(&self) -> Option<Duration> {
        (!self.endless).then(|| self.iter().map(|stage| stage.length).sum())
    }

    /// How many arrivals are due in all (the mean of a Poisson process); infinite if endless.
    pub fn total(&self) -> f64 {
        self.placed.last().map_or(0.0, |p| p.before + p.within)
    }

    /// The highest rate, in arrivals per second.
    pub fn peak(&self) -> f64 {
        self.iter()
            .fold(0.0, |peak, stage| peak.max(stage.from).max(stage.to))
    }

    /// Λ: how many arrivals are due before `nanos` since the start. Differences of it turn the gaps
    /// of a real stream of any rate into gaps of rate 1, which is how the stream is tested.
    pub fn cumulative(&self, nanos: u64) -> f64 {
        match self.locate(nanos) {
            Some((placed, seconds)) => {
                placed.before + (placed.stage.from + placed.slope() * seconds / 2.0) * seconds
            }
            None => self.total(),
        }
    }

    /// The stage that runs at `nanos`, and the seconds since its start.
    fn locate(&self, nanos: u64) -> Option<(&Placed, f64)> {
        let nanos = nanos as f64;
        let placed = &self.placed[self
            .placed
            .partition_point(|p| p.start_ns <= nanos)
            .checked_sub(1)?];
        let seconds = (nanos - placed.start_ns) / NANOS;
        (self.endless || seconds < placed.stage.length.as_secs_f64()).then_some((placed, seconds))
    }

    /// Λ⁻¹: when, in nanoseconds since the start, the cumulative rate reaches `count`; `None` if it
    /// never does. `stage` is where the search begins and ends, so that counts that only grow cost
    /// O(1).
    pub(crate) fn due(&self, count: f64, stage: &mut usize) -> Option<u64> {
        loop {
            let placed = self.placed.get(*stage)?;
            let missing = count - placed.before;
            if missing < placed.within {
                return Some((placed.start_ns + placed.nanos_until(missing)).round() as u64);
            }
            *stage += 1;
        }
    }
}

impl Placed {
    /// By how much the rate grows in a second.
    fn slope(&self) -> f64 {
        let RateStage { length, from, to } = self.stage;
        if from == to {
            0.0
        } else {
            (to - from) / length.as_secs_f64()
        }
    }

    /// How long after the start of the stage `count` arrivals are due, `count` being less than it
    /// holds.
    fn nanos_until(&self, count: f64) -> f64 {
        let from = self.stage.from;
        if self.stage.from == self.stage.to {
            // In one division and from the count itself: the k-th arrival carries no error of those
            // before it.
            return count * NANOS / from;
        }
        // from·t + slope·t²/2 = count, in the form that does not cancel.
        let root = (from * from + 2.0 * self.slope() * count).max(0.0).sqrt();
        if count <= 0.0 {
            0.0
        } else {
            2.0 * count / (from + root) * NANOS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stages(text: &str) -> RateStages {
        text.parse().unwrap()
    }

    #[test]
    fn steps_and_ramps_add_up() {
        let all = stages("30s@500..2000,1m@2k,10s@0,10s@6000/m");
        assert_eq!(all.duration(), Some(Duration::from_secs(110)));
        assert_eq!(all.total(), 37_500.0 + 120_000.0 + 1000.0);
        assert_eq!(all.peak(), 2000.0);
        assert_eq!(all.cumulative(30_000_000_000), 37_500.0);
        assert_eq!(all.cumulative(95_000_000_000), 157_500.0);
        assert_eq!(all.cumulative(u64::MAX), 158_500.0);
        assert_eq!(all.to_string(), "30s@500..2000,1m@2000,10s@0,10s@100");
        assert_eq!(stages(&all.to_string()), all);
    }

    #[test]
    fn a_pause_is_jumped() {
        let all = stages("1s@10,5s@0,1s@10");
        assert_eq!(all.due(9.0, &mut 0), Some(900_000_000));
        assert_eq!(all.due(10.0, &mut 0), Some(6_000_000_000));
        assert_eq!(all.due(20.0, &mut 0), None);
    }

    #[test]
    fn ramps_from_and_to_zero() {
        let all = stages("10s@0..100,10s@100..0");
        assert_eq!(all.total(), 1000.0);
        assert_eq!(all.due(0.0, &mut 0), Some(0));
        assert_eq!(all.due(125.0, &mut 0), Some(5_000_000_000));
        assert_eq!(all.due(875.0, &mut 0), Some(15_000_000_000));
    }

    #[test]
    fn endless() {
        let all = RateStages::steady(1000.0, None).unwrap();
        assert_eq!((all.duration(), all.total()), (None, f64::INFINITY));
        assert_eq!(all.due(1e6, &mut 0), Some(1_000_000_000_000));
        assert_eq!(all.cumulative(2_000_000_000), 2000.0);
    }

    proptest! {
        #![proptest_config(crate::cases(300))]

        #[test]
        fn the_inverse_is_one(parts in prop::collection::vec((1..100_u64, 0..5000_u32, 0..5000_u32), 1..6), share in 0.0..1.0) {
            let parts = parts.into_iter().map(|(s, from, to)| RateStage { length: Duration::from_secs(s), from: from.into(), to: to.into() });
            if let Ok(stages) = RateStages::new(parts) {
                let count = share * stages.total();
                let at = stages.due(count, &mut 0).unwrap();
                // A nanosecond either way, and the rounding of doubles.
                let slack = 2e-9 * stages.peak() + 1e-9 * stages.total();
                prop_assert!((stages.cumulative(at) - count).abs() <= slack);
            }
        }
    }
}
