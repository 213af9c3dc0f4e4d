//! Flows under way, and queues of them: a flow stands in one at a time, so that they are linked through it, and nothing is allocated
//! for a queue.

use flux_runtime::Mode;

/// No flow, no crew.
pub(crate) const NONE: u32 = u32::MAX;

/// A flow.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    /// Its step.
    pub(crate) at: u32,
    /// How many constraints of that step it has taken.
    pub(crate) taken: u32,
    /// How it wants the next.
    pub(crate) mode: Mode,
    /// The session that it belongs to.
    pub(crate) session: u32,
    /// Who waits for it to end, in a closed loop.
    pub(crate) client: u32,
    /// The crew of which it has a thread.
    pub(crate) crew: u32,
    /// Whether that thread has run a node for it.
    pub(crate) has_run: bool,
    /// Whether it has run the node that makes it a request.
    pub(crate) is_request: bool,
    /// When it began, in nanoseconds.
    pub(crate) begun: f64,
    /// What is left of its node, in nanoseconds.
    pub(crate) left: f64,
    /// Who stands behind it.
    behind: u32,
}

/// All that are under way.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    flows: Vec<Flow>,
    /// Places of those that are over.
    free: Vec<u32>,
}

/// Flows that wait for the same thing, first in, first out.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    first: u32,
    last: u32,
}

impl Flows {
    /// One that begins at a step.
    pub(crate) fn begin(&mut self, at: u32, session: u32, client: u32, begun: f64) -> u32 {
        let flow = Flow {
            at,
            taken: 0,
            mode: Mode::Reader,
            session,
            client,
            crew: NONE,
            has_run: false,
            is_request: false,
            begun,
            left: 0.0,
            behind: NONE,
        };
        if let Some(place) = self.free.pop() {
            self.flows[place as usize] = flow;
            return place;
        }
        self.flows.push(flow);
        (self.flows.len() - 1) as u32
    }

    /// One is over.
    pub(crate) fn end(&mut self, flow: u32) {
        self.free.push(flow);
    }

    /// How many are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.flows.len() - self.free.len()
    }

    pub(crate) fn get(&self, flow: u32) -> &Flow {
        &self.flows[flow as usize]
    }

    pub(crate) fn at(&mut self, flow: u32) -> &mut Flow {
        &mut self.flows[flow as usize]
    }
}

impl Queue {
    pub(crate) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
    };

    pub(crate) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Who stands in front.
    pub(crate) fn front(&self) -> Option<u32> {
        (!self.is_empty()).then_some(self.first)
    }

    pub(crate) fn push(&mut self, flows: &mut Flows, flow: u32) {
        flows.at(flow).behind = NONE;
        match self.is_empty() {
            true => self.first = flow,
            false => flows.at(self.last).behind = flow,
        }
        self.last = flow;
    }

    pub(crate) fn pop(&mut self, flows: &Flows) -> Option<u32> {
        let flow = self.front()?;
        self.first = flows.get(flow).behind;
        Some(flow)
    }
}

/// How many of something are in use, over time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge {
    count: u32,
    since: f64,
    area: f64,
}

impl Gauge {
    /// How many are.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// From now on so many are.
    pub(crate) fn set(&mut self, count: u32, now: f64) {
        self.area += f64::from(self.count) * (now - self.since);
        (self.count, self.since) = (count, now);
    }

    /// Forgets what was before.
    pub(crate) fn restart(&mut self, now: f64) {
        (self.area, self.since) = (0.0, now);
    }

    /// How many were on the average since then, in a time of this length.
    pub(crate) fn mean(&self, now: f64, lasted: f64) -> f64 {
        let area = self.area + f64::from(self.count) * (now - self.since);
        if lasted > 0.0 { area / lasted } else { 0.0 }
    }
}
