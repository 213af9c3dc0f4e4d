//! The moment at which all threads begin, and the processes that make a run together.

use crate::run::{Control, Fault, Run};
use contracts::Unknown;
use contracts::load::{HostClock, PartStart};
use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long somebody who wants the run ended may have to wait for that before it has begun.
const LOOKS_UP: Duration = Duration::from_millis(50);

/// The moment at which all threads begin, or do not.
pub(crate) struct Start {
    barrier: Barrier,
    began: OnceLock<Began>,
}

/// How a run began.
#[derive(Clone, Copy, Debug)]
pub struct Began {
    /// The start of its clock.
    pub(crate) at: Instant,
    /// Whether the run was ended before it began.
    pub(crate) stopped: bool,
    /// The same by the host's clock.
    pub time: SystemTime,
    /// When it was to begin, if it was to wait for that.
    pub agreed: Option<SystemTime>,
    /// How far the host's clock may be believed.
    clock: Option<sys::host_clock::HostClock>,
    fault: Fault,
}

impl Start {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            barrier: Barrier::new(threads),
            began: OnceLock::new(),
        }
    }

    /// Waits for all threads and for the time that the run names, and says the same to each.
    pub(crate) fn wait(&self, run: &Run, control: &Control) -> Began {
        self.barrier.wait();
        *self.began.get_or_init(|| begin(run, control))
    }

    /// How it began, if it has.
    pub(crate) fn began(&self) -> Option<&Began> {
        self.began.get().filter(|began| !began.stopped)
    }
}

fn begin(run: &Run, control: &Control) -> Began {
    let agreed = run.start_at.map(|start| start.time(now(run.fault)));
    let is_stopped = || control.stop_requests() > 0;
    while let Some(agreed) = agreed
        && let Ok(left) = agreed.duration_since(now(run.fault))
        && !left.is_zero()
        && !is_stopped()
    {
        std::thread::sleep(left.min(LOOKS_UP));
    }
    Began {
        at: Instant::now(),
        stopped: is_stopped(),
        time: now(run.fault),
        agreed,
        clock: sys::host_clock::host_clock().ok(),
        fault: run.fault,
    }
}

/// What the host's clock shows.
fn now(fault: Fault) -> SystemTime {
    SystemTime::now() + ahead(fault)
}

fn ahead(fault: Fault) -> Duration {
    match fault {
        Fault::ClockAhead { by } => by,
        _ => Duration::ZERO,
    }
}

impl Began {
    /// As it is written down.
    pub fn document(&self) -> PartStart {
        let unix_s = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH);
            since.unwrap_or_default().as_secs_f64()
        };
        let ahead_s = |clock: sys::host_clock::HostClock| {
            ahead(self.fault).as_secs_f64() - clock.behind_ns as f64 / 1e9
        };
        PartStart {
            agreed_unix_s: self.agreed.map(unix_s),
            began_unix_s: unix_s(self.time),
            clock: HostClock {
                synchronised: self.clock.map(|clock| clock.is_synchronised),
                ahead_s: self.clock.map(ahead_s),
                maximum_error_s: self.clock.map(|clock| clock.maximum_error.as_secs_f64()),
                boot_id: std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
                    .ok()
                    .map(|id| id.trim().to_owned()),
                unknown: Unknown::new(),
            },
            unknown: Unknown::new(),
        }
    }
}
