//! What happens next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A flow begins, by the arrival process.
    Arrival,
    /// A client of a closed loop has thought.
    Client(u32),
    /// A processor has run a flow for as long as it was to.
    Processor(u32),
    /// The disk has served a flow.
    Disk(u32),
}

/// Events to come, the first of them first; of those at one time, the one that was entered first.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    entered: u64,
}

impl Calendar {
    /// Enters an event at a time in nanoseconds, which is not negative.
    pub(crate) fn enter(&mut self, time: f64, event: Event) {
        self.entered += 1;
        // Numbers that are not negative are ordered as their bits are.
        self.events
            .push(Reverse((time.to_bits(), self.entered, event)));
    }

    /// When the next one is.
    pub(crate) fn next_time(&self) -> Option<f64> {
        let Reverse((time, ..)) = self.events.peek()?;
        Some(f64::from_bits(*time))
    }

    /// The next one, and when it is.
    pub(crate) fn pop(&mut self) -> Option<(f64, Event)> {
        let Reverse((time, _, event)) = self.events.pop()?;
        Some((f64::from_bits(time), event))
    }
}
