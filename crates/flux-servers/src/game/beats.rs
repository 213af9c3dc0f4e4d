//! When heartbeats are due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Heartbeats at equal distances: one that comes late makes none of those behind it late.
#[derive(Debug)]
pub(crate) struct Beats {
    start: Instant,
    period: Duration,
    /// The number of the next.
    next: u32,
}

impl Beats {
    /// The first one a period after `start`.
    pub(crate) fn new(start: Instant, period: Duration) -> Self {
        Self {
            start,
            period,
            next: 1,
        }
    }

    /// When the next one is due.
    pub(crate) fn due(&self) -> Instant {
        self.start + self.period * self.next
    }

    /// The number of the last that is due, and how many were due before it that nobody took.
    pub(crate) fn take(&mut self, now: Instant) -> (u32, u32) {
        let elapsed = now.saturating_duration_since(self.start);
        let last = elapsed.as_nanos() / self.period.as_nanos().max(1);
        let last = u32::try_from(last).unwrap_or(u32::MAX - 1).max(self.next);
        let missed = last - self.next;
        self.next = last + 1;
        (last, missed)
    }
}

/// A heartbeat that is under way, until it is dropped.
pub(crate) struct Beat {
    number: u32,
    is_beating: Arc<AtomicBool>,
}

impl Beat {
    /// One that begins, unless another is under way.
    pub(crate) fn begin(number: u32, is_beating: &Arc<AtomicBool>) -> Option<Self> {
        let is_beating = Arc::clone(is_beating);
        (!is_beating.swap(true, SeqCst)).then_some(Self { number, is_beating })
    }

    /// Its number.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.is_beating.store(false, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_keep_their_distance_however_late_one_is() {
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let mut beats = Beats::new(start, Duration::from_millis(100));
        assert_eq!((beats.due(), beats.take(ms(100))), (ms(100), (1, 0)));
        assert_eq!((beats.due(), beats.take(ms(270))), (ms(200), (2, 0)));
        assert_eq!((beats.due(), beats.take(ms(301))), (ms(300), (3, 0)));
        assert_eq!((beats.due(), beats.take(ms(799))), (ms(400), (7, 3)));
        assert_eq!(beats.due(), ms(800));
    }

    #[test]
    fn there_is_one_heartbeat_at_a_time() {
        let is_beating = Arc::default();
        let first = Beat::begin(1, &is_beating).unwrap();
        assert!(Beat::begin(2, &is_beating).is_none());
        drop(first);
        assert_eq!(Beat::begin(3, &is_beating).unwrap().number(), 3);
    }
}
