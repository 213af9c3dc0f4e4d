//! Time, as everything here counts it.

use std::time::{Duration, Instant};

/// Nanoseconds since the start of the run, monotonic.
pub type Nanos = u64;

/// One second.
pub const SECOND: Nanos = 1_000_000_000;

/// The monotonic clock, counted from the start of the run. All threads of a run share the start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that stands at 0 at `start`.
    pub fn from(start: Instant) -> Self {
        Self { start }
    }

    /// What it shows.
    #[inline]
    pub fn now(&self) -> Nanos {
        nanos(self.start.elapsed())
    }
}

/// A duration as a number of nanoseconds; the longest there is, if it is longer than 584 years.
pub fn nanos(duration: Duration) -> Nanos {
    duration
        .as_secs()
        .saturating_mul(SECOND)
        .saturating_add(u64::from(duration.subsec_nanos()))
}

/// Nanoseconds as seconds.
pub fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / 1e9
}
