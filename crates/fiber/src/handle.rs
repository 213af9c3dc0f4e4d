//! What a fiber can do.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sys::coroutine::{Coroutine, Suspension};

use crate::graph::{Taken, YIELD};
use crate::place::{Node, Place};
use crate::runtime::Shared;
use crate::waiter::{Ended, Suspended, Unparker, Waiter, Why};

/// A fiber, as its own code has it: whoever has this may park.
pub struct Fiber<'a> {
    suspension: &'a Suspension<'a, Why>,
    waiter: Arc<Waiter>,
    /// What it has taken since it stopped last.
    taken: Cell<Taken>,
    /// The scope that it is in.
    scope: Cell<Node>,
}

/// Keeps a fiber within a scope until it is dropped.
#[must_use = "the scope ends where this is dropped"]
#[derive(Debug)]
pub struct Within<'a> {
    scope: &'a Cell<Node>,
    around: Node,
}

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.scope.set(self.around);
    }
}

static SLEEP: Place = Place::new("sleep");

impl Fiber<'_> {
    /// Lets every other fiber that can run have its turn.
    #[inline(always)]
    pub fn yield_now(&self) {
        self.yield_at(&YIELD);
    }

    /// The same, at a place of one's own in the [blocking graph](crate::graph).
    #[inline(always)]
    pub fn yield_at(&self, place: &'static Place) {
        self.stop(place, false);
    }

    /// Waits until it is [unparked](Unparker::unpark), or was since it parked last. It may also go on for no reason.
    #[inline]
    pub fn park(&self, place: &'static Place) {
        self.stop(place, true);
    }

    /// Stops, as part of whoever calls this: a processor expects each return to go to whoever called last. With a call between, that is
    /// somebody on the other stack, twice in each switch.
    #[inline(always)]
    fn stop(&self, place: &'static Place, parks: bool) {
        let has_taken = self.taken.get() != Taken::default();
        if has_taken {
            self.waiter.tell_taken(self.taken.take());
        }
        let node = self.scope.get().with(place);
        self.suspension.suspend(Why::new(node, parks, has_taken));
    }

    /// Puts the places where it parks within a scope, for the [blocking graph](crate::graph), as long as the result lives: so what is
    /// waited for in a function that several call is told apart by who calls it. Scopes end in the reverse order of their beginnings.
    pub fn within(&self, scope: &'static Place) -> Within<'_> {
        let around = self.scope.get();
        self.scope.set(around.with(scope));
        Within {
            scope: &self.scope,
            around,
        }
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
            scope: Cell::new(Node::START),
        };
        // A panic costs this fiber. Whoever wants to know more of it catches it first.
        let has_panicked = catch_unwind(AssertUnwindSafe(|| body(&fiber))).is_err();
        fiber.waiter.tell_taken(fiber.taken.get());
        Ended { has_panicked }
    });
    shared.begin();
    shared.run(Box::new(Suspended {
        coroutine,
        waiter,
        node: Node::START,
    }));
    Ok(())
}
