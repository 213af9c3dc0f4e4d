//! Processor time: of a thread, of the process, and what the machine's owner took away.

use crate::clock::{Nanos, SECOND};
use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// What a thread has used, and what it was denied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadTimes {
    at: Instant,
    /// Real time.
    pub(crate) wall: Nanos,
    /// Processor time.
    pub(crate) cpu: Nanos,
    /// Time in which it could have run, and another thread did.
    pub(crate) runnable: Nanos,
}

impl ThreadTimes {
    /// Of the calling thread, so far.
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            wall: 0,
            cpu: clock(ClockId::ThreadCPUTime),
            runnable: run_queue_wait().unwrap_or(0),
        }
    }

    /// Since an earlier time.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            at: self.at,
            wall: crate::clock::nanos(self.at - before.at),
            cpu: self.cpu.saturating_sub(before.cpu),
            runnable: self.runnable.saturating_sub(before.runnable),
        }
    }
}

fn clock(id: ClockId) -> Nanos {
    let time = clock_gettime(id);
    (time.tv_sec as u64) * SECOND + time.tv_nsec as u64
}

/// The second figure of schedstat (sched-stats.rst): time spent waiting on a run queue.
fn run_queue_wait() -> Option<Nanos> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Time that the machine's processors have been given, and that was stolen from them (proc_stat(5)), in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MachineTimes {
    all: u64,
    stolen: u64,
}

impl MachineTimes {
    pub(crate) fn now() -> Self {
        Self::read().unwrap_or_default()
    }

    fn read() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line
            .split_ascii_whitespace()
            .filter_map(|ticks| ticks.parse().ok())
            .collect();
        Some(Self {
            // What guests use is contained in user time.
            all: ticks.iter().take(8).sum(),
            stolen: *ticks.get(7)?,
        })
    }

    /// The share of time since `before` that was stolen.
    pub(crate) fn stolen_since(&self, before: &Self) -> f64 {
        let all = self.all.saturating_sub(before.all);
        self.stolen.saturating_sub(before.stolen) as f64 / all.max(1) as f64
    }
}
