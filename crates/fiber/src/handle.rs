//! What a fiber can do.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sys::coroutine::{Coroutine, Suspension};

use crate::graph::Taken;
use crate::place::{Place, PlaceNumber};
use crate::runtime::Shared;
use crate::waiter::{Ended, Suspended, Unparker, Waiter, Why};

/// A fiber, as its own code has it: whoever has this may park.
pub struct Fiber<'a> {
    suspension: &'a Suspension<'a, Why>,
    waiter: Arc<Waiter>,
    /// What it has taken since it parked last.
    taken: Cell<Taken>,
}

static SLEEP: Place = Place::new("sleep");

impl Fiber<'_> {
    /// Lets every other fiber that can run have its turn.
    pub fn yield_now(&self) {
        self.suspension.suspend(Why::Yields);
    }

    /// Waits until it is [unparked](Unparker::unpark), or was since it parked last. It may also go on for no reason.
    pub fn park(&self, place: &'static Place) {
        let taken = self.taken.take();
        self.suspension.suspend(Why::Parks(place.number(), taken));
    }

    /// Says what it has taken, or given back, for the [blocking graph](crate::graph).
    pub fn take(&self, more: Taken) {
        let mut taken = self.taken.get();
        taken += more;
        self.taken.set(taken);
    }

    /// The same, at most until then.
    pub fn park_until(&self, place: &'static Place, deadline: Instant) {
        self.shared().wake_at(deadline, &self.waiter);
        self.park(place);
    }

    /// Waits so long. The poller counts in milliseconds, and rounds up.
    pub fn sleep(&self, time: Duration) {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            self.park_until(&SLEEP, deadline);
        }
    }

    /// What others unpark it with.
    pub fn unparker(&self) -> Unparker {
        Unparker(Arc::clone(&self.waiter))
    }

    /// Starts another fiber, which is put behind all that can run.
    ///
    /// # Errors
    /// Where no stack is to be had.
    pub fn spawn<F>(&self, body: F) -> io::Result<()>
    where
        F: FnOnce(&Fiber<'_>) + Send + 'static,
    {
        spawn(self.shared(), body)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.waiter.shared
    }
}

/// Starts a fiber; see [`Fiber::spawn`].
pub(crate) fn spawn<F>(shared: &Arc<Shared>, body: F) -> io::Result<()>
where
    F: FnOnce(&Fiber<'_>) + Send + 'static,
{
    let stack = shared.arena.take()?;
    let waiter = Arc::new(Waiter::new(Arc::clone(shared)));
    let own = Arc::clone(&waiter);
    let coroutine = Coroutine::new(stack, move |suspension: &Suspension<'_, Why>| {
        let fiber = Fiber {
            suspension,
            waiter: own,
            taken: Cell::default(),
        };
        // A panic costs this fiber. Whoever wants to know more of it catches it first.
        let has_panicked = catch_unwind(AssertUnwindSafe(|| body(&fiber))).is_err();
        Ended {
            has_panicked,
            taken: fiber.taken.get(),
        }
    });
    shared.begin();
    shared.run(Suspended {
        coroutine,
        waiter,
        place: PlaceNumber::START,
    });
    Ok(())
}
