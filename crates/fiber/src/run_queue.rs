//! Which fiber is to run next, of those that one worker has.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::by_node::ByNode;
use crate::runtime::Shared;
use crate::schedule::{Plan, Schedule};
use crate::waiter::Suspended;

/// Fibers that can run, of one worker.
pub(crate) enum RunQueue {
    /// First in, first out.
    Fifo(VecDeque<Box<Suspended>>),
    /// By what they are about to use.
    Resource(Box<Planned>),
}

pub(crate) struct Planned {
    fibers: ByNode<Box<Suspended>>,
    plan: Plan,
}

impl RunQueue {
    pub(crate) fn new(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Fifo => Self::Fifo(VecDeque::new()),
            Schedule::Resource => Self::Resource(Box::new(Planned {
                fibers: ByNode::new(),
                plan: Plan::even(),
            })),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, fiber: Box<Suspended>) {
        match self {
            Self::Fifo(fibers) => fibers.push_back(fiber),
            Self::Resource(planned) => planned.fibers.push(fiber.node, fiber),
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self, shared: &Shared) -> Option<Box<Suspended>> {
        match self {
            Self::Fifo(fibers) => fibers.pop_front(),
            Self::Resource(planned) => {
                let held_back = planned.plan.held_back(&shared.shares_held());
                planned.fibers.pop(&planned.plan, held_back, Instant::now)
            }
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fifo(fibers) => fibers.len(),
            Self::Resource(planned) => planned.fibers.len(),
        }
    }

    /// Whether somebody can go on who is not held back.
    pub(crate) fn has_any(&self, shared: &Shared) -> bool {
        match self {
            Self::Fifo(fibers) => !fibers.is_empty(),
            Self::Resource(planned) => {
                let held_back = planned.plan.held_back(&shared.shares_held());
                planned.fibers.is_any_but(held_back)
            }
        }
    }

    /// How long until one goes on of those that are held back, if there are any.
    pub(crate) fn time_left(&self, now: Instant) -> Option<Duration> {
        match self {
            Self::Fifo(_) => None,
            Self::Resource(planned) => planned.fibers.time_left(now),
        }
    }

    /// Goes by another plan from now on.
    pub(crate) fn set_plan(&mut self, new: Plan) {
        if let Self::Resource(planned) = self {
            planned.plan = new;
        }
    }

    /// Half of them, those that would run first, for a worker that has none.
    pub(crate) fn split(&mut self, shared: &Shared) -> VecDeque<Box<Suspended>> {
        let half = self.len().div_ceil(2);
        match self {
            Self::Fifo(fibers) => fibers.drain(..half).collect(),
            Self::Resource(_) => (0..half).map_while(|_| self.pop(shared)).collect(),
        }
    }

    /// Takes all of these.
    pub(crate) fn append(&mut self, mut others: VecDeque<Box<Suspended>>) {
        match self {
            Self::Fifo(fibers) => fibers.append(&mut others),
            Self::Resource(_) => others.into_iter().for_each(|fiber| self.push(fiber)),
        }
    }
}
