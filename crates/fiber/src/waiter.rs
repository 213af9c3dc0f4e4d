//! Where a fiber is while it is parked, so that whoever has news for it finds it there.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sys::coroutine::Coroutine;

use crate::graph::Taken;
use crate::place::Node;
use crate::runtime::Shared;

/// A fiber that does not run: to be resumed by whichever worker comes to it first. Queues hold it in a box, for it changes places
/// twice in each turn.
pub(crate) struct Suspended {
    pub(crate) coroutine: Coroutine<Why, Ended>,
    pub(crate) waiter: Arc<Waiter>,
    /// Where it stopped last.
    pub(crate) node: Node,
}

/// Why a fiber has stopped: one word, so that it goes from stack to stack in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Why(usize);

impl Why {
    const PARKS: usize = 1 << 16;
    const HAS_TAKEN: usize = 1 << 17;

    /// It stops at a node; it waits to be unparked, or lets others have their turn; and it may have
    /// [told](Waiter::tell_taken) what it has taken.
    #[inline]
    pub(crate) fn new(node: Node, parks: bool, has_taken: bool) -> Self {
        let parks = if parks { Self::PARKS } else { 0 };
        let has_taken = if has_taken { Self::HAS_TAKEN } else { 0 };
        Self(node.index() | parks | has_taken)
    }

    #[inline]
    pub(crate) fn node(self) -> Node {
        Node::from_index(self.0 & (Self::PARKS - 1))
    }

    #[inline]
    pub(crate) fn parks(self) -> bool {
        self.0 & Self::PARKS != 0
    }

    #[inline]
    pub(crate) fn has_taken(self) -> bool {
        self.0 & Self::HAS_TAKEN != 0
    }
}

/// How a fiber has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) has_panicked: bool,
}

/// What others know a fiber by: its place to park, and what it says of itself.
pub(crate) struct Waiter {
    pub(crate) shared: Arc<Shared>,
    parking: Mutex<Parking<Box<Suspended>>>,
    /// What it has taken since its worker asked last. The fiber writes it before it stops, its worker reads it after that.
    memory_bytes: AtomicI64,
    descriptors: AtomicI64,
}

/// Whether a fiber is parked; pure, so that every order of events can be tried.
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
#[derive(Debug)]
pub(crate) enum Parking<T> {
    /// It runs, or is in a run queue.
    Running,
    /// The same, and it has been unparked: it is not to park the next time.
    Notified,
    Parked(T),
}

impl<T> Parking<T> {
    /// Parks a fiber that has stopped for it; gives it back if it was unparked meanwhile.
    fn park(&mut self, fiber: T) -> Option<T> {
        if matches!(self, Self::Notified) {
            *self = Self::Running;
            return Some(fiber);
        }
        *self = Self::Parked(fiber);
        None
    }

    /// The fiber, if it is parked; otherwise it will not park the next time.
    fn take(&mut self) -> Option<T> {
        match std::mem::replace(self, Self::Running) {
            Self::Parked(fiber) => Some(fiber),
            Self::Running | Self::Notified => {
                *self = Self::Notified;
                None
            }
        }
    }
}

impl Waiter {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            parking: Mutex::new(Parking::Running),
            memory_bytes: AtomicI64::new(0),
            descriptors: AtomicI64::new(0),
        }
    }

    /// Tells the worker what the fiber has taken, before it stops.
    #[cold]
    pub(crate) fn tell_taken(&self, taken: Taken) {
        self.memory_bytes.store(taken.memory_bytes, Relaxed);
        self.descriptors.store(taken.descriptors, Relaxed);
    }

    /// What the fiber has told, once.
    #[cold]
    pub(crate) fn told_taken(&self) -> Taken {
        Taken {
            memory_bytes: self.memory_bytes.swap(0, Relaxed),
            descriptors: self.descriptors.swap(0, Relaxed),
        }
    }

    /// See [`Parking::park`].
    pub(crate) fn park(&self, fiber: Box<Suspended>) -> Option<Box<Suspended>> {
        self.parking().park(fiber)
    }

    /// See [`Parking::take`].
    pub(crate) fn take(&self) -> Option<Box<Suspended>> {
        self.parking().take()
    }

    fn parking(&self) -> MutexGuard<'_, Parking<Box<Suspended>>> {
        self.parking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unparks a fiber, from any thread.
#[derive(Clone)]
pub struct Unparker(pub(crate) Arc<Waiter>);

impl Unparker {
    /// Has the fiber go on if it is parked, and otherwise not park the next time.
    pub fn unpark(&self) {
        if let Some(fiber) = self.0.take() {
            self.0.shared.run(fiber);
        }
    }
}

impl std::fmt::Debug for Unparker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Unparker")
    }
}

#[cfg(test)]
mod tests {
    use super::Why;
    use crate::place::{NODES, Node};

    #[test]
    fn a_word_says_why_a_fiber_has_stopped() {
        for index in 0..NODES {
            for (parks, has_taken) in [(false, false), (true, false), (false, true), (true, true)] {
                let why = Why::new(Node::from_index(index), parks, has_taken);
                assert_eq!(why.node().index(), index);
                assert_eq!((why.parks(), why.has_taken()), (parks, has_taken));
            }
        }
    }
}

#[cfg(test)]
mod interleavings {
    use std::collections::HashSet;

    use super::Parking;

    /// Where a fiber is that sleeps, as [`Fiber::sleep`](crate::Fiber::sleep) has it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    enum Step {
        LooksAtTheClock,
        SetsTheTimer,
        /// Has stopped, and its worker parks it.
        Stops,
        Parked,
        Over,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct Sleeping {
        step: Step,
        parking: Parking<()>,
        is_late: bool,
        /// Timers that are set, and those that are due and about to unpark it.
        set: u8,
        due: u8,
        /// Others may unpark it for reasons of their own, so often.
        strangers: u8,
    }

    impl Sleeping {
        fn unpark(&mut self) {
            if self.parking.take().is_some() {
                self.step = Step::LooksAtTheClock;
            }
        }

        /// All that can happen next.
        fn next(&self) -> Vec<Self> {
            let mut all = Vec::new();
            let mut add = |change: &dyn Fn(&mut Self)| {
                let mut next = self.clone();
                change(&mut next);
                all.push(next);
            };
            match self.step {
                Step::LooksAtTheClock => add(&|next| {
                    next.step = match next.is_late {
                        true => Step::Over,
                        false => Step::SetsTheTimer,
                    };
                }),
                Step::SetsTheTimer => add(&|next| {
                    next.set += 1;
                    next.step = Step::Stops;
                }),
                Step::Stops => add(&|next| {
                    next.step = match next.parking.park(()) {
                        Some(()) => Step::LooksAtTheClock,
                        None => Step::Parked,
                    };
                }),
                Step::Parked | Step::Over => {}
            }
            if !self.is_late {
                add(&|next| next.is_late = true);
            }
            if self.is_late && self.set > 0 {
                add(&|next| {
                    next.set -= 1;
                    next.due += 1;
                });
            }
            if self.due > 0 {
                add(&|next| {
                    next.due -= 1;
                    next.unpark();
                });
            }
            if self.strangers > 0 {
                add(&|next| {
                    next.strangers -= 1;
                    next.unpark();
                });
            }
            all
        }
    }

    #[test]
    fn a_sleep_comes_to_its_end_in_any_order_of_events() {
        let first = Sleeping {
            step: Step::LooksAtTheClock,
            parking: Parking::Running,
            is_late: false,
            set: 0,
            due: 0,
            strangers: 4,
        };
        let mut known = HashSet::from([first.clone()]);
        let mut open = vec![first];
        let mut ends = 0;
        while let Some(state) = open.pop() {
            let next = state.next();
            if next.is_empty() {
                ends += 1;
                assert_eq!(state.step, Step::Over, "it sleeps for ever: {state:?}");
            }
            open.extend(next.into_iter().filter(|next| known.insert(next.clone())));
        }
        assert!(ends > 0 && known.len() > 100, "{ends} of {}", known.len());
    }
}
