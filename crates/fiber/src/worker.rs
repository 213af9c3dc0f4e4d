//! The loop that runs fibers.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sys::coroutine::Stopped;
use sys::overflow::HandlerStack;

use crate::graph::END;
use crate::idle::Waits;
use crate::place::Node;
use crate::run_queue::RunQueue;
use crate::runtime::Shared;
use crate::schedule::Schedule;
use crate::waiter::{Suspended, Waiter};

/// Turns between two looks at the poller, if there are fibers to run: asking costs as much as a few of them.
const LEAST_TURNS: usize = 64;

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
pub(crate) fn run_here(shared: &Shared, fiber: Suspended) -> Option<Suspended> {
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
        let outcome = Loop { local: &local }.run();
        HERE.set(None);
        outcome
    }
}

struct Loop<'a> {
    local: &'a Local,
}

impl Loop<'_> {
    fn run(&self) -> io::Result<()> {
        let shared = &*self.local.shared;
        let mut turns = LEAST_TURNS;
        loop {
            if turns == 0 {
                self.look()?;
                turns = self.local.queue(|queue| queue.len()).max(LEAST_TURNS);
            }
            match self.next() {
                Some(fiber) => {
                    turns -= 1;
                    self.resume(fiber);
                }
                None if shared.is_over() => return Ok(()),
                None => {
                    self.wait()?;
                    turns = self.local.queue(|queue| queue.len()).max(LEAST_TURNS);
                }
            }
        }
    }

    #[inline]
    fn next(&self) -> Option<Suspended> {
        let shared = &*self.local.shared;
        let own = self.local.queue(|queue| queue.pop(shared));
        own.or_else(|| shared.take_injected())
            .or_else(|| self.steal())
    }

    /// Half of what another has to run.
    fn steal(&self) -> Option<Suspended> {
        let shared = &*self.local.shared;
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

    /// Runs a fiber until it stops, and places it.
    fn resume(&self, mut fiber: Suspended) {
        let shared = &*self.local.shared;
        let turn = &shared.turns[self.local.number];
        let graph = &shared.graph[self.local.number];
        let from = fiber.node;
        turn.begin(from);
        let set_out = graph.set_out();
        let stopped = fiber.coroutine.resume();
        match stopped {
            Stopped::Suspended(why) => {
                fiber.node = why.node;
                graph.arrive(from, why.node, set_out, why.taken);
                let waiter = why.parks.then(|| Arc::clone(&fiber.waiter));
                let runs = match waiter {
                    Some(waiter) => waiter.park(fiber),
                    None => Some(fiber),
                };
                if let Some(fiber) = runs {
                    self.local.queue(|queue| queue.push(fiber));
                }
            }
            Stopped::Ended(ended) => {
                graph.arrive(from, Node::START.with(&END), set_out, ended.taken);
                // Its stack first: whoever is told of the end may want to start another.
                drop(fiber);
                if ended.has_panicked {
                    shared.panics.fetch_add(1, Relaxed);
                }
                shared.end();
            }
        }
        turn.end();
    }

    /// Looks for news, and waits for none.
    fn look(&self) -> io::Result<()> {
        while let Some(fiber) = self.local.shared.take_injected() {
            self.local.queue(|queue| queue.push(fiber));
        }
        self.plan();
        match self.local.shared.poller.try_lock() {
            Some(mut asked) => self.ask(&mut asked, Some(Duration::ZERO)),
            // Another is at it.
            None => Ok(()),
        }
    }

    /// Goes by the newest plan.
    fn plan(&self) {
        let shared = &*self.local.shared;
        if shared.schedule == Schedule::Resource {
            let plan = shared.planner.plan(&shared.graph, Instant::now());
            self.local.queue(|queue| queue.set_plan(plan));
        }
    }

    /// How long until a fiber of this worker's goes on that is held back.
    fn held_back_for(&self) -> Option<Duration> {
        let is_planned = self.local.shared.schedule == Schedule::Resource;
        is_planned
            .then(|| self.local.queue(|queue| queue.time_left(Instant::now())))
            .flatten()
    }

    /// Waits until there may be something to run.
    fn wait(&self) -> io::Result<()> {
        let shared = &*self.local.shared;
        let number = self.local.number;
        let mut asked = shared.poller.try_lock();
        let waits = match asked {
            Some(_) => Waits::AtPoller,
            None => Waits::Parked(std::thread::current()),
        };
        let is_planned = shared.schedule == Schedule::Resource;
        let since = is_planned.then(Instant::now);
        shared.idle.add(number, waits);
        let others_have = || {
            let all = 0..shared.queues.len();
            all.into_iter()
                .any(|queue| lock(shared, queue).has_any(shared))
        };
        let outcome = if shared.has_injected() || shared.is_over() || others_have() {
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
        if let Some(since) = since {
            shared.planner.was_idle(since.elapsed());
            self.plan();
        }
        outcome
    }

    /// Asks the poller, and has those run for whom there is news.
    fn ask(&self, asked: &mut crate::poller::Asked, at_most: Option<Duration>) -> io::Result<()> {
        let shared = &*self.local.shared;
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
