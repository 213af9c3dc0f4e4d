//! How often a supervisor restarts its children before it takes their defects for its own (OTP, restart intensity and period).

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// The restarts of late: pure, on any clock.
#[derive(Debug)]
pub(crate) struct Restarts {
    intensity: usize,
    period: Duration,
    /// When there were any, within the period; no more than the intensity.
    at: VecDeque<Instant>,
}

impl Restarts {
    /// As many as `intensity` in any `period`.
    pub(crate) fn new(intensity: usize, period: Duration) -> Self {
        Self {
            intensity,
            period,
            at: VecDeque::new(),
        }
    }

    /// Whether there may be one more at `now`, which then has been.
    pub(crate) fn allow(&mut self, now: Instant) -> bool {
        while let Some(&first) = self.at.front()
            && now.saturating_duration_since(first) >= self.period
        {
            self.at.pop_front();
        }
        let is_allowed = self.at.len() < self.intensity;
        if is_allowed {
            self.at.push_back(now);
        }
        is_allowed
    }
}

impl fmt::Display for Restarts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = if self.intensity == 1 {
            "restart"
        } else {
            "restarts"
        };
        let period_s = self.period.as_secs_f64();
        write!(formatter, "{} {times} within {period_s} s", self.intensity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// At which of these seconds a restart is refused.
    fn refused(intensity: usize, seconds: &[u32]) -> Vec<u32> {
        let start = Instant::now();
        let mut restarts = Restarts::new(intensity, 5 * SECOND);
        let refused = seconds
            .iter()
            .filter(|&&second| !restarts.allow(start + second * SECOND));
        refused.copied().collect()
    }

    #[test]
    fn so_many_in_any_period_and_no_more() {
        assert_eq!(refused(3, &[0, 1, 2, 3]), [3]);
        // The first is forgotten when the period has passed, and not the others.
        assert_eq!(refused(3, &[0, 1, 2, 5, 6, 7, 8]), [8]);
        // However many there are in all.
        assert_eq!(refused(1, &[0, 5, 10, 15, 19]), [19]);
        assert_eq!(refused(0, &[0]), [0]);
    }
}
