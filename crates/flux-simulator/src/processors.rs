//! Processors, which threads share: in turns of a time slice, or ideally.
//!
//! Linux runs a thread for a slice of some milliseconds if others want to run too, and until it waits for something if it does so
//! before. So nodes of microseconds are served first come, first served, and those of many milliseconds share the processors; the
//! slice says where one becomes the other. A slice of 0 is the limit: each of n threads has a processor's n-th part at any time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::calendar::{Calendar, Event};
use crate::flows::{Flows, Gauge, Queue};

/// Who of those that want to run does.
#[derive(Debug)]
pub(crate) enum Processors {
    /// Slices.
    RoundRobin(RoundRobin),
    /// Shares.
    Sharing(Sharing),
}

/// Slices, in turn.
#[derive(Debug)]
pub(crate) struct RoundRobin {
    slice: f64,
    processors: Vec<Processor>,
    idle: Vec<u32>,
    /// The one whose thread has just run a node to its end, and may go on with the next.
    kept: Option<u32>,
    waiting: Queue,
    busy: Gauge,
}

#[derive(Debug, Clone, Default)]
struct Processor {
    flow: u32,
    /// How long it runs the flow until it is looked at again.
    turn: f64,
    /// What is left of the slice.
    slice: f64,
}

/// Shares, by virtual time: what each thread that was there all the time has had of a processor.
#[derive(Debug)]
pub(crate) struct Sharing {
    count: u32,
    virtual_time: f64,
    since: f64,
    /// By the virtual time at which each is served.
    served: BinaryHeap<Reverse<(u64, u32)>>,
    busy: Gauge,
}

impl Processors {
    /// So many, with a slice in nanoseconds.
    pub(crate) fn new(count: u32, slice: f64) -> Self {
        if slice > 0.0 {
            return Self::RoundRobin(RoundRobin {
                slice,
                processors: vec![Processor::default(); count as usize],
                idle: (0..count).rev().collect(),
                kept: None,
                waiting: Queue::EMPTY,
                busy: Gauge::default(),
            });
        }
        Self::Sharing(Sharing {
            count,
            virtual_time: 0.0,
            since: 0.0,
            served: BinaryHeap::new(),
            busy: Gauge::default(),
        })
    }

    /// A thread wants to run what is left of a flow's node.
    pub(crate) fn start(
        &mut self,
        flow: u32,
        now: f64,
        flows: &mut Flows,
        calendar: &mut Calendar,
    ) {
        match self {
            Self::RoundRobin(turns) => turns.start(flow, now, flows, calendar),
            Self::Sharing(shares) => shares.start(flow, now, flows),
        }
    }

    /// When the next one is served who is in no calendar.
    pub(crate) fn next_time(&self) -> Option<f64> {
        match self {
            Self::RoundRobin(_) => None,
            Self::Sharing(shares) => shares.next_time(),
        }
    }

    /// That one.
    pub(crate) fn next(&mut self, now: f64) -> Option<u32> {
        match self {
            Self::RoundRobin(_) => None,
            Self::Sharing(shares) => shares.next(now),
        }
    }

    /// A processor has run a flow for as long as it was to: the flow, if its node is over.
    pub(crate) fn turn_over(
        &mut self,
        processor: u32,
        now: f64,
        flows: &mut Flows,
        calendar: &mut Calendar,
    ) -> Option<u32> {
        match self {
            Self::RoundRobin(turns) => turns.turn_over(processor, now, flows, calendar),
            Self::Sharing(_) => None,
        }
    }

    /// The thread that had run a node to its end does not go on: its processor is another's.
    pub(crate) fn give_up(&mut self, now: f64, flows: &mut Flows, calendar: &mut Calendar) {
        if let Self::RoundRobin(turns) = self
            && let Some(kept) = turns.kept.take()
        {
            turns.next_turn(kept, now, flows, calendar);
        }
    }

    pub(crate) fn busy(&mut self) -> &mut Gauge {
        match self {
            Self::RoundRobin(turns) => &mut turns.busy,
            Self::Sharing(shares) => &mut shares.busy,
        }
    }
}

impl RoundRobin {
    fn start(&mut self, flow: u32, now: f64, flows: &mut Flows, calendar: &mut Calendar) {
        let goes_on =
            |kept: &u32| self.processors[*kept as usize].slice > 0.0 || self.waiting.is_empty();
        if let Some(kept) = self.kept.take_if(|kept| goes_on(kept)) {
            if self.processors[kept as usize].slice <= 0.0 {
                self.processors[kept as usize].slice = self.slice;
            }
            self.give(kept, flow, now, flows, calendar);
        } else if let Some(idle) = self.idle.pop() {
            self.busy.set(self.busy.count() + 1, now);
            self.processors[idle as usize].slice = self.slice;
            self.give(idle, flow, now, flows, calendar);
        } else {
            self.waiting.push(flows, flow);
        }
    }

    /// A processor runs a flow for what is left of its slice, or of the node.
    fn give(&mut self, place: u32, flow: u32, now: f64, flows: &Flows, calendar: &mut Calendar) {
        let processor = &mut self.processors[place as usize];
        processor.flow = flow;
        processor.turn = flows.get(flow).left.min(processor.slice);
        calendar.enter(now + processor.turn, Event::Processor(place));
    }

    fn turn_over(
        &mut self,
        place: u32,
        now: f64,
        flows: &mut Flows,
        calendar: &mut Calendar,
    ) -> Option<u32> {
        let processor = &mut self.processors[place as usize];
        let flow = processor.flow;
        processor.slice -= processor.turn;
        let left = &mut flows.at(flow).left;
        // What was left is the turn itself, if it was shorter than the slice.
        *left -= processor.turn;
        if *left <= 0.0 {
            self.kept = Some(place);
            return Some(flow);
        }
        self.waiting.push(flows, flow);
        self.next_turn(place, now, flows, calendar);
        None
    }

    /// A processor turns to whoever waits longest.
    fn next_turn(&mut self, place: u32, now: f64, flows: &mut Flows, calendar: &mut Calendar) {
        match self.waiting.pop(flows) {
            Some(flow) => {
                self.processors[place as usize].slice = self.slice;
                self.give(place, flow, now, flows, calendar);
            }
            None => {
                self.busy.set(self.busy.count() - 1, now);
                self.idle.push(place);
            }
        }
    }
}

impl Sharing {
    /// How much virtual time passes in a unit of time: the share of each.
    fn share(&self) -> f64 {
        let threads = self.served.len() as f64;
        (f64::from(self.count) / threads).min(1.0)
    }

    /// Lets virtual time pass until now.
    fn pass(&mut self, now: f64) {
        if self.served.is_empty() {
            self.virtual_time = 0.0;
        } else {
            self.virtual_time += (now - self.since) * self.share();
        }
        self.since = now;
    }

    fn start(&mut self, flow: u32, now: f64, flows: &Flows) {
        self.pass(now);
        let served = self.virtual_time + flows.get(flow).left;
        self.served.push(Reverse((served.to_bits(), flow)));
        self.count_busy(now);
    }

    fn next_time(&self) -> Option<f64> {
        let Reverse((served, _)) = self.served.peek()?;
        let left = f64::from_bits(*served) - self.virtual_time;
        Some(self.since + left.max(0.0) / self.share())
    }

    fn next(&mut self, now: f64) -> Option<u32> {
        self.pass(now);
        let Reverse((_, flow)) = self.served.pop()?;
        self.count_busy(now);
        Some(flow)
    }

    fn count_busy(&mut self, now: f64) {
        let busy = u32::try_from(self.served.len()).unwrap_or(u32::MAX);
        self.busy.set(busy.min(self.count), now);
    }
}
