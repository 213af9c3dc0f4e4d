//! Calls that block: helper threads make them, and the fiber parks meanwhile.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::handle::Fiber;
use crate::look::Look;
use crate::place::Place;

type Job = Box<dyn FnOnce() + Send>;

/// Gives calls to helpers. They end when the last of these is dropped.
#[derive(Debug, Clone)]
pub struct Offload {
    jobs: Sender<Job>,
}

/// A helper, to be run by a thread.
#[derive(Debug, Clone)]
pub struct Helper {
    jobs: Receiver<Job>,
    look: Look,
}

impl Helper {
    /// A helper's life: takes a call and makes it; where there is none it looks for one, and then sleeps until one comes.
    pub fn run(self) {
        loop {
            self.look.until(|| !self.jobs.is_empty());
            match self.jobs.recv() {
                Ok(job) => job(),
                Err(_) => return,
            }
        }
    }
}

impl Offload {
    /// A queue of calls, and a helper, of which there may be several; calls are taken in the order in which they come. A fiber has one
    /// at a time, which bounds it.
    pub fn new() -> (Self, Helper) {
        Self::looking(Look::NONE)
    }

    /// The same with a helper that looks for a call before it sleeps.
    pub fn looking(look: Look) -> (Self, Helper) {
        let (send, jobs) = unbounded();
        (Self { jobs: send }, Helper { jobs, look })
    }

    /// Has a helper make a call, and parks until it has.
    ///
    /// # Panics
    /// Where the call does.
    pub fn call<R>(
        &self,
        fiber: &Fiber<'_>,
        place: &'static Place,
        call: impl FnOnce() -> R + Send + 'static,
    ) -> R
    where
        R: Send + 'static,
    {
        type Outcome<R> = Result<R, Box<dyn Any + Send>>;
        let slot: Arc<Mutex<Option<Outcome<R>>>> = Arc::default();
        let job = {
            let (slot, unparker) = (Arc::clone(&slot), fiber.unparker());
            Box::new(move || {
                let outcome = catch_unwind(AssertUnwindSafe(call));
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                unparker.unpark();
            })
        };
        if let Err(unsent) = self.jobs.send(job) {
            // There is no helper any more.
            unsent.0();
        }
        loop {
            let outcome = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            match outcome {
                Some(Ok(value)) => return value,
                Some(Err(panic)) => resume_unwind(panic),
                None => fiber.park(place),
            }
        }
    }
}
