//! The plan that workers go by, made anew from what they have counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::graph::{Counts, Observed, Taken};
use crate::schedule::{Limits, Plan, Predictor, Shares};

/// How often there is another.
const EVERY: Duration = Duration::from_millis(10);

/// What all workers plan with.
pub(crate) struct Planner {
    limits: Limits,
    /// How long workers had nothing to run, all together.
    idle_ns: AtomicU64,
    state: Mutex<State>,
}

struct State {
    predictor: Predictor,
    plan: Plan,
    since: Instant,
    idle_ns: u64,
}

impl Planner {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            idle_ns: AtomicU64::new(0),
            state: Mutex::new(State {
                predictor: Predictor::new(),
                plan: Plan::even(),
                since: Instant::now(),
                idle_ns: 0,
            }),
        }
    }

    /// A worker had nothing to run for so long.
    pub(crate) fn was_idle(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.idle_ns.fetch_add(ns, Relaxed);
    }

    /// What fibers have taken of what there is.
    pub(crate) fn shares_held(&self, workers: &[Counts]) -> Shares {
        Shares::of(&self.limits, held(workers), 0.0)
    }

    /// The plan at this time.
    pub(crate) fn plan(&self, workers: &[Counts], now: Instant) -> Plan {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let time = now.saturating_duration_since(state.since);
        if time >= EVERY {
            let idle_ns = self.idle_ns.load(Relaxed);
            let idle = (idle_ns - state.idle_ns) as f64 / workers.len() as f64;
            let busy = 1.0 - idle / time.as_nanos() as f64;
            (state.since, state.idle_ns) = (now, idle_ns);
            let shares = Shares::of(&self.limits, held(workers), busy);
            let ways = |node| {
                let mut all = Observed::default();
                workers.iter().for_each(|worker| all += worker.from(node));
                all
            };
            state.plan = Plan::new(state.predictor.look(ways), &shares);
        }
        state.plan.clone()
    }
}

fn held(workers: &[Counts]) -> Taken {
    let mut all = Taken::default();
    workers.iter().for_each(|worker| all += worker.held());
    all
}
