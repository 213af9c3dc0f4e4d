//! Where a fiber is while it is parked, so that whoever has news for it finds it there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sys::coroutine::Coroutine;

use crate::graph::Taken;
use crate::place::PlaceNumber;
use crate::runtime::Shared;

/// A fiber that does not run: to be resumed by whichever worker comes to it first.
pub(crate) struct Suspended {
    pub(crate) coroutine: Coroutine<Why, Ended>,
    pub(crate) waiter: Arc<Waiter>,
    /// Where it parked last.
    pub(crate) place: PlaceNumber,
}

/// Why a fiber has stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why {
    /// Others are to have their turn.
    Yields,
    /// It waits to be unparked, and has taken so much since it last did.
    Parks(PlaceNumber, Taken),
}

/// How a fiber has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) has_panicked: bool,
    pub(crate) taken: Taken,
}

/// One fiber's place to park.
pub(crate) struct Waiter {
    pub(crate) shared: Arc<Shared>,
    state: Mutex<State>,
}

enum State {
    /// It runs, or is in a run queue.
    Running,
    /// The same, and it has been unparked: it is not to park the next time.
    Notified,
    Parked(Suspended),
}

impl Waiter {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            state: Mutex::new(State::Running),
        }
    }

    /// Parks a fiber that has stopped for it; gives it back if it was unparked meanwhile.
    pub(crate) fn park(&self, fiber: Suspended) -> Option<Suspended> {
        let mut state = self.state();
        if matches!(*state, State::Notified) {
            *state = State::Running;
            return Some(fiber);
        }
        *state = State::Parked(fiber);
        None
    }

    /// The fiber, if it is parked; otherwise it will not park the next time.
    pub(crate) fn take(&self) -> Option<Suspended> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Running) {
            State::Parked(fiber) => Some(fiber),
            State::Running | State::Notified => {
                *state = State::Notified;
                None
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
