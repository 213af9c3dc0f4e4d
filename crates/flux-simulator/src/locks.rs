//! Constraints as locks, as the runtimes have them: reader or writer, first come, first served, one for all flows or one for each session.

use flux::syntax::Scope;
use flux_runtime::Mode;
use flux_runtime::locks::Holders;

use crate::flows::{Flows, Gauge, Queue};

/// All locks of a program.
#[derive(Debug)]
pub(crate) struct Locks {
    constraints: Vec<Constraint>,
    locks: Vec<Lock>,
}

/// A constraint, and where its locks are.
#[derive(Debug)]
struct Constraint {
    first: usize,
    scope: Scope,
    sessions: u32,
    held: Gauge,
}

#[derive(Debug, Clone)]
struct Lock {
    holders: Holders,
    waiting: Queue,
}

impl Locks {
    /// With so many sessions.
    pub(crate) fn new(scopes: impl Iterator<Item = Scope>, sessions: u32) -> Self {
        let mut locks = Vec::new();
        let constraints = scopes.map(|scope| {
            let count = match scope {
                Scope::Program => 1,
                Scope::Session => sessions,
            };
            let first = locks.len();
            let free = Lock {
                holders: Holders::default(),
                waiting: Queue::EMPTY,
            };
            locks.resize(first + count as usize, free);
            Constraint {
                first,
                scope,
                sessions: count,
                held: Gauge::default(),
            }
        });
        let constraints = constraints.collect();
        Self { constraints, locks }
    }

    fn of(&self, constraint: usize, session: u32) -> usize {
        let constraint = &self.constraints[constraint];
        match constraint.scope {
            Scope::Program => constraint.first,
            Scope::Session => constraint.first + session as usize,
        }
    }

    /// Takes a lock for a flow. Whether it has it; if not, it waits for it.
    pub(crate) fn acquire(
        &mut self,
        (constraint, mode): (usize, Mode),
        flow: u32,
        now: f64,
        flows: &mut Flows,
    ) -> bool {
        let place = self.of(constraint, flows.get(flow).session);
        let lock = &mut self.locks[place];
        let was_free = lock.holders.is_free();
        // Nobody goes in front of those that wait.
        if lock.waiting.is_empty() && lock.holders.take(mode) {
            if was_free {
                let held = &mut self.constraints[constraint].held;
                held.set(held.count() + 1, now);
            }
            return true;
        }
        flows.at(flow).mode = mode;
        lock.waiting.push(flows, flow);
        false
    }

    /// Releases a flow's lock, which those have from now on that are put into `granted`.
    pub(crate) fn release(
        &mut self,
        (constraint, mode): (usize, Mode),
        session: u32,
        now: f64,
        flows: &Flows,
        granted: &mut Vec<u32>,
    ) {
        let place = self.of(constraint, session);
        let lock = &mut self.locks[place];
        lock.holders.give_back(mode);
        while let Some(next) = lock.waiting.front() {
            if !lock.holders.take(flows.get(next).mode) {
                break;
            }
            lock.waiting.pop(flows);
            granted.push(next);
        }
        if lock.holders.is_free() {
            let held = &mut self.constraints[constraint].held;
            held.set(held.count() - 1, now);
        }
    }

    /// How much of the time each constraint was held, on the average of its sessions.
    pub(crate) fn held(&self, now: f64, lasted: f64) -> impl Iterator<Item = f64> {
        self.constraints.iter().map(move |constraint| {
            constraint.held.mean(now, lasted) / f64::from(constraint.sessions)
        })
    }

    pub(crate) fn restart(&mut self, now: f64) {
        for constraint in &mut self.constraints {
            constraint.held.restart(now);
        }
    }
}
