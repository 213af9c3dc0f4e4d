//! Threads that do the same: a source's own, those of flows, a pool, a loop, helpers.

use crate::flows::{Flows, Gauge, NONE, Queue};

/// Threads that do the same, and the flows that wait for one of them.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) name: String,
    /// How many there are; none: as many as are needed.
    pub(crate) threads: Option<u32>,
    pub(crate) busy: Gauge,
    waiting: Queue,
}

impl Crew {
    pub(crate) fn new(name: String, threads: Option<u32>) -> Self {
        Self {
            name,
            threads,
            busy: Gauge::default(),
            waiting: Queue::EMPTY,
        }
    }

    /// A flow wants a thread of this crew, which is called `number`. Whether there is one for it at once.
    pub(crate) fn enter(&mut self, number: u32, flow: u32, now: f64, flows: &mut Flows) -> bool {
        let is_free = self
            .threads
            .is_none_or(|threads| self.busy.count() < threads);
        if is_free {
            self.busy.set(self.busy.count() + 1, now);
            take(number, flow, flows);
        } else {
            flows.at(flow).crew = NONE;
            self.waiting.push(flows, flow);
        }
        is_free
    }

    /// A flow gives its thread up, which turns to another, if one waits.
    pub(crate) fn leave(
        &mut self,
        number: u32,
        flow: u32,
        now: f64,
        flows: &mut Flows,
    ) -> Option<u32> {
        flows.at(flow).crew = NONE;
        let next = self.waiting.pop(flows);
        match next {
            Some(next) => take(number, next, flows),
            None => self.busy.set(self.busy.count() - 1, now),
        }
        next
    }
}

fn take(number: u32, flow: u32, flows: &mut Flows) {
    let flow = flows.at(flow);
    flow.crew = number;
    flow.has_run = false;
}
