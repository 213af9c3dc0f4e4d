//! Fibers that are to be unparked at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::waiter::Waiter;

const NEVER: u64 = u64::MAX;

/// Times, the soonest first.
pub(crate) struct Timers {
    started: Instant,
    heap: Mutex<Heap>,
    /// The soonest, in nanoseconds since the start, so that nobody takes the lock to find that there is none.
    soonest_ns: AtomicU64,
}

#[derive(Default)]
struct Heap {
    timers: BinaryHeap<Reverse<Timer>>,
    set: u64,
}

struct Timer {
    at_ns: u64,
    /// Of two at the same time the one that was set first is first.
    order: u64,
    waiter: Arc<Waiter>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            heap: Mutex::default(),
            soonest_ns: AtomicU64::new(NEVER),
        }
    }

    fn ns(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started);
        u64::try_from(since.as_nanos()).unwrap_or(NEVER - 1)
    }

    /// Sets a timer; whether it is the soonest.
    pub(crate) fn set(&self, at: Instant, waiter: &Arc<Waiter>) -> bool {
        let at_ns = self.ns(at);
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        heap.set += 1;
        let timer = Timer {
            at_ns,
            order: heap.set,
            waiter: Arc::clone(waiter),
        };
        heap.timers.push(Reverse(timer));
        self.soonest_ns.fetch_min(at_ns, Relaxed) > at_ns
    }

    /// How long until the soonest.
    pub(crate) fn time_left(&self, now: Instant) -> Option<Duration> {
        match self.soonest_ns.load(Relaxed) {
            NEVER => None,
            at_ns => Some(Duration::from_nanos(at_ns.saturating_sub(self.ns(now)))),
        }
    }

    /// One that is due.
    pub(crate) fn due(&self, now: Instant) -> Option<Arc<Waiter>> {
        let now_ns = self.ns(now);
        if self.soonest_ns.load(Relaxed) > now_ns {
            return None;
        }
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |Reverse(timer): &Reverse<Timer>| timer.at_ns <= now_ns;
        let due = match heap.timers.peek() {
            Some(soonest) if is_due(soonest) => heap.timers.pop(),
            _ => None,
        };
        let soonest = heap.timers.peek();
        let soonest_ns = soonest.map_or(NEVER, |Reverse(timer)| timer.at_ns);
        self.soonest_ns.store(soonest_ns, Relaxed);
        due.map(|Reverse(timer)| timer.waiter)
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ns, self.order).cmp(&(other.at_ns, other.order))
    }
}
