//! The stream of arrivals.

use super::Plan;
use crate::clock::Nanos;

/// The arrivals of this thread with their numbers.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    times: Option<workload::Schedule>,
    /// The next one: (intended, number).
    pub(super) next: Option<(Nanos, u64)>,
    /// How many were read, the next one among them.
    pub(super) read: u64,
}

impl Arrivals {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut arrivals = Self {
            times: plan.arrivals.clone(),
            next: None,
            read: 0,
        };
        arrivals.advance(plan);
        arrivals
    }

    pub(super) fn advance(&mut self, plan: &Plan) {
        self.next = None;
        if let Some(times) = &mut self.times
            && let Some((number, time)) = times.next_numbered()
            && number < plan.limit
            && time < plan.end
        {
            self.next = Some((time, number));
            self.read += 1;
        }
    }
}
