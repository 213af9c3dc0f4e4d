//! The loop that runs fibers.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sys::coroutine::Stopped;
use sys::overflow::HandlerStack;

use crate::graph::{Counts, END};
use crate::idle::Waits;
use crate::place::Node;
use crate::run_queue::RunQueue;
use crate::runtime::Shared;
use crate::schedule::Schedule;
use crate::waiter::{Ended, Suspended, Waiter};
use crate::watchdog::Turn;

/// Turns between two looks for news, if there are fibers to run.
const LEAST_TURNS: usize = 64;

/// How long the poller is left alone at least while there are fibers to run. Asking costs as much as dozens of the shortest
/// turns, and reading the clock as a few.
const ASKED_AGAIN_AFTER: Duration = Duration::from_micros(20);

/// Runs fibers in the thread that calls [`run`](Self::run).
pub struct Worker {
    shared: Arc<Shared>,
    number: usize,
}

thread_local! {
    static HERE: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
}

/// The worker that a thread is.
struct Local {
    shared: Arc<Shared>,
    number: usize,
    /// The run queue of a worker that is alone, which nobody else looks at.
    own: Option<RefCell<RunQueue>>,
}

/// Has a fiber run in the worker that the calling thread is; gives it back if it is none of this runtime's.
///
/// Never inlined: a fiber that calls it may be in another thread than when it called it before.
#[inline(never)]
pub(crate) fn run_here(shared: &Shared, fiber: Box<Suspended>) -> Option<Box<Suspended>> {
    HERE.with_borrow(|here| match here {
        Some(local) if std::ptr::eq(&*local.shared, shared) => {
            local.queue(|queue| queue.push(fiber));
            // Who has unparked it goes on, for who knows how long.
            if local.own.is_none() {
                shared.wake_one();
            }
            None
        }
        _ => Some(fiber),
    })
}

impl Local {
    /// Works on its run queue.
    #[inline]
    fn queue<R>(&self, work: impl FnOnce(&mut RunQueue) -> R) -> R {
        match &self.own {
            Some(own) => work(&mut own.borrow_mut()),
            None => work(&mut lock(&self.shared, self.number)),
        }
    }
}

fn lock(shared: &Shared, number: usize) -> MutexGuard<'_, RunQueue> {
    let queue = shared.queues[number].lock();
    queue.unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, number: usize) -> Self {
        Self { shared, number }
    }

    /// Runs fibers until the last has ended and the runtime is closed.
    ///
    /// # Errors
    /// What the poller reports.
    pub fn run(self) -> io::Result<()> {
        let _handler_stack = HandlerStack::of_this_thread()?;
        let is_alone = self.shared.queues.len() == 1;
        let local = Rc::new(Local {
            shared: Arc::clone(&self.shared),
            number: self.number,
            own: is_alone.then(|| RefCell::new(RunQueue::new(self.shared.schedule))),
        });
        HERE.set(Some(Rc::clone(&local)));
        let running = Loop {
            local: &local,
            shared: &local.shared,
            turn: &local.shared.turns[self.number],
            graph: &local.shared.graph[self.number],
            asked: Cell::new(Instant::now()),
        };
        let outcome = running.run();
        HERE.set(None);
        outcome
    }
}

struct Loop<'a> {
    local: &'a Local,
    shared: &'a Shared,
    turn: &'a Turn,
    graph: &'a Counts,
    /// When it asked the poller last.
    asked: Cell<Instant>,
}

impl Loop<'_> {
    fn run(&self) -> io::Result<()> {
        let mut turns = LEAST_TURNS;
        let mut yielded = None;
        loop {
            if turns == 0 {
                if let Some(fiber) = yielded.take() {
                    self.local.queue(|queue| queue.push(fiber));
                }
                self.look()?;
                turns = self.local.queue(|queue| queue.len()).max(LEAST_TURNS);
            }
            match self.next(yielded.take()) {
                Some(fiber) => {
                    turns -= 1;
                    yielded = self.resume(fiber);
                }
                None if self.shared.is_over() => return Ok(()),
                None => {
                    self.wait()?;
                    turns = self.local.queue(|queue| queue.len()).max(LEAST_TURNS);
                }
            }
        }
    }

    /// Who is to run next; whoever has just yielded comes behind all others.
    #[inline]
    fn next(&self, yielded: Option<Box<Suspended>>) -> Option<Box<Suspended>> {
        let own = self.local.queue(|queue| {
            if let Some(fiber) = yielded {
                queue.push(fiber);
            }
            queue.pop(self.shared)
        });
        own.or_else(|| self.next_of_others())
    }

    #[cold]
    fn next_of_others(&self) -> Option<Box<Suspended>> {
        self.shared.take_injected().or_else(|| self.steal())
    }

    /// Half of what another has to run.
    fn steal(&self) -> Option<Box<Suspended>> {
        let shared = self.shared;
        let all = shared.queues.len();
        for victim in 1..all {
            let mut stolen = {
                let mut queue = lock(shared, (self.local.number + victim) % all);
                if !queue.has_any(shared) {
                    continue;
                }
                queue.split(shared)
            };
            let first = stolen.pop_front();
            if !stolen.is_empty() {
                self.local.queue(|queue| queue.append(stolen));
                // There is enough for another.
                shared.wake_one();
            }
            return first;
        }
        None
    }

    /// Runs a fiber until it stops; it is given back if it is to run again.
    #[inline]
    fn resume(&self, mut fiber: Box<Suspended>) -> Option<Box<Suspended>> {
        let from = fiber.node;
        self.turn.begin(from);
        let set_out = self.graph.set_out();
        let runs = match fiber.coroutine.resume() {
            Stopped::Suspended(why) => {
                let node = why.node();
                fiber.node = node;
                self.graph.arrive(from, node, set_out);
                if why.has_taken() {
                    let taken = fiber.waiter.told_taken();
                    self.graph.add_taken(from, node, taken);
                }
                match why.parks() {
                    true => Arc::clone(&fiber.waiter).park(fiber),
                    false => Some(fiber),
                }
            }
            Stopped::Ended(ended) => {
                self.end(fiber, set_out, ended);
                None
            }
        };
        self.turn.end();
        runs
    }

    #[cold]
    fn end(&self, fiber: Box<Suspended>, set_out: Option<Instant>, ended: Ended) {
        let (from, end) = (fiber.node, Node::START.with(&END));
        self.graph.arrive(from, end, set_out);
        self.graph.add_taken(from, end, fiber.waiter.told_taken());
        // Its stack first: whoever is told of the end may want to start another.
        drop(fiber);
        if ended.has_panicked {
            self.shared.panics.fetch_add(1, Relaxed);
        }
        self.shared.end();
    }

    /// Looks for news, and waits for none.
    #[cold]
    fn look(&self) -> io::Result<()> {
        while let Some(fiber) = self.shared.take_injected() {
            self.local.queue(|queue| queue.push(fiber));
        }
        let now = Instant::now();
        self.plan(now);
        if now - self.asked.get() < ASKED_AGAIN_AFTER {
            return Ok(());
        }
        match self.shared.poller.try_lock() {
            Some(mut asked) => self.ask(&mut asked, Some(Duration::ZERO)),
            // Another is at it.
            None => Ok(()),
        }
    }

    /// Goes by the newest plan.
    fn plan(&self, now: Instant) {
        let shared = self.shared;
        if shared.schedule == Schedule::Resource {
            let plan = shared.planner.plan(&shared.graph, now);
            self.local.queue(|queue| queue.set_plan(plan));
        }
    }

    /// How long until a fiber of this worker's goes on that is held back.
    fn held_back_for(&self) -> Option<Duration> {
        let is_planned = self.shared.schedule == Schedule::Resource;
        is_planned
            .then(|| self.local.queue(|queue| queue.time_left(Instant::now())))
            .flatten()
    }

    /// Waits until there may be something to run.
    fn wait(&self) -> io::Result<()> {
        let shared = self.shared;
        let is_planned = shared.schedule == Schedule::Resource;
        let since = is_planned.then(Instant::now);
        let outcome = match self.look_about() {
            Ok(false) => self.sleep(),
            found => found.map(drop),
        };
        if let Some(since) = since {
            shared.planner.was_idle(since.elapsed());
            self.plan(Instant::now());
        }
        outcome
    }

    /// Looks for something to run, if it is to: at what others have put somewhere, and at the poller where nobody else is. It does not
    /// count as idle meanwhile: nobody wakes it. Whether there is something.
    fn look_about(&self) -> io::Result<bool> {
        let shared = self.shared;
        if shared.look.is_none() {
            return Ok(false);
        }
        // Whoever puts something somewhere says so afterwards.
        shared.has_news.store(false, SeqCst);
        if self.is_something_there() {
            // There may be enough for another that looks.
            shared.has_news.store(true, SeqCst);
            return Ok(true);
        }
        let mut asked = shared.poller.try_lock();
        let mut found = Ok(false);
        shared.look.until(|| {
            let came = match &mut asked {
                Some(asked) => self.ask(asked, Some(Duration::ZERO)),
                None => Ok(()),
            };
            found = came.map(|()| {
                shared.has_news.load(SeqCst)
                    || shared.is_over()
                    || self.local.queue(|queue| queue.has_any(shared))
            });
            !matches!(found, Ok(false))
        });
        found
    }

    /// Whether a worker that has nothing to run could have something.
    fn is_something_there(&self) -> bool {
        let shared = self.shared;
        let has_any = |queue| lock(shared, queue).has_any(shared);
        shared.has_injected() || shared.is_over() || (0..shared.queues.len()).any(has_any)
    }

    /// Sleeps until there may be something to run: at the poller, unless another does.
    fn sleep(&self) -> io::Result<()> {
        let shared = self.shared;
        let number = self.local.number;
        let mut asked = shared.poller.try_lock();
        let waits = match asked {
            Some(_) => Waits::AtPoller,
            None => Waits::Parked(std::thread::current()),
        };
        shared.idle.add(number, waits);
        let outcome = if self.is_something_there() {
            Ok(())
        } else {
            match &mut asked {
                Some(asked) => self.ask(asked, None),
                None => {
                    match self.held_back_for() {
                        None => std::thread::park(),
                        Some(time) => std::thread::park_timeout(time),
                    }
                    Ok(())
                }
            }
        };
        shared.idle.remove(number);
        outcome
    }

    /// Asks the poller, and has those run for whom there is news.
    fn ask(&self, asked: &mut crate::poller::Asked, at_most: Option<Duration>) -> io::Result<()> {
        let shared = self.shared;
        let run = |waiter: &Waiter| {
            if let Some(fiber) = waiter.take() {
                self.local.queue(|queue| queue.push(fiber));
            }
        };
        let at_most = match at_most {
            None => sooner(
                shared.timers.time_left(Instant::now()),
                self.held_back_for(),
            ),
            at_most => at_most,
        };
        let now = shared.poller.ask(asked, at_most, run)?;
        self.asked.set(now);
        while let Some(waiter) = shared.timers.due(now) {
            run(&waiter);
        }
        // One of them is run next, here.
        if self.local.own.is_none() && self.local.queue(|queue| queue.len()) > 1 {
            shared.wake_one();
        }
        Ok(())
    }
}

/// The shorter of two times, either of which may be for ever.
fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
