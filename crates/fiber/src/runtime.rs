//! What fibers and workers share, and how it begins and ends.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sys::stack::{Arena, Guards};

use crate::graph::{Counts, Graph};
use crate::handle::{self, Fiber};
use crate::idle::{Idle, Waits};
use crate::look::Look;
use crate::place::Node;
use crate::planner::Planner;
use crate::poller::Poller;
use crate::run_queue::RunQueue;
use crate::schedule::{Limits, Schedule, Shares};
use crate::timers::Timers;
use crate::waiter::{Suspended, Waiter};
use crate::watchdog::{Turn, Watchdog};
use crate::worker::{self, Worker};

/// What a runtime is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Threads that run fibers, one at least.
    pub workers: usize,
    /// Fibers at a time.
    pub stacks: usize,
    /// What each may use of its stack; none of it costs memory before it is touched.
    pub stack_bytes: usize,
    /// How guards below stacks are made; none: as the kernel can.
    pub guards: Option<Guards>,
    /// In which order fibers run.
    pub schedule: Schedule,
    /// What there is of what they take, for [`Schedule::Resource`].
    pub limits: Limits,
    /// What a worker does that has nothing to run, before it sleeps.
    pub look: Look,
}

impl Settings {
    /// One worker, first in, first out, with so many stacks of so many bytes.
    pub const fn new(stacks: usize, stack_bytes: usize) -> Self {
        Self {
            workers: 1,
            stacks,
            stack_bytes,
            guards: None,
            schedule: Schedule::Fifo,
            limits: Limits {
                memory_bytes: None,
                descriptors: None,
            },
            look: Look::NONE,
        }
    }
}

/// Fibers, and what they share. They live until the last has ended: those that are parked for ever keep their stacks.
#[derive(Clone)]
pub struct Runtime(pub(crate) Arc<Shared>);

/// What a runtime has seen so far.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The most bytes that any stack has touched, in whole pages.
    pub deepest_stack_bytes: usize,
    /// Fibers that a defect has ended.
    pub panics: u64,
    /// For each node the longest that a fiber has kept its worker after it, and how often that took longer than
    /// [`watchdog::PATIENCE`](crate::watchdog::PATIENCE).
    pub stuck: BTreeMap<Node, (Duration, u64)>,
}

pub(crate) struct Shared {
    pub(crate) arena: Arena,
    pub(crate) poller: Poller,
    pub(crate) timers: Timers,
    pub(crate) idle: Idle,
    pub(crate) schedule: Schedule,
    pub(crate) planner: Planner,
    /// One for each worker; a worker that is alone has its own without a lock, and this one stays empty.
    pub(crate) queues: Box<[Mutex<RunQueue>]>,
    /// What each worker does, for the watchdog.
    pub(crate) turns: Box<[Turn]>,
    /// What each worker has counted of the ways that fibers go.
    pub(crate) graph: Box<[Counts]>,
    /// Fibers that others than workers have unparked.
    injected: Mutex<VecDeque<Box<Suspended>>>,
    injected_count: AtomicUsize,
    /// How workers look for something to run, and what they look at: whether there is something for any of them.
    pub(crate) look: Look,
    pub(crate) has_news: AtomicBool,
    /// Fibers that have not ended, and runtimes that may start some.
    live: AtomicUsize,
    pub(crate) panics: AtomicU64,
    pub(crate) stuck: Mutex<BTreeMap<Node, (Duration, u64)>>,
}

impl Runtime {
    /// A runtime, its workers, each to be run by a thread, and its watchdog, to be run by another. Workers return when this runtime
    /// and all fibers are over.
    ///
    /// # Errors
    /// Where there is no address space for the stacks, or no descriptor to poll with.
    pub fn new(settings: &Settings) -> io::Result<(Self, Vec<Worker>, Watchdog)> {
        let workers = settings.workers.max(1);
        let shared = Arc::new(Shared {
            arena: Arena::with_guards(settings.stacks, settings.stack_bytes, settings.guards)?,
            poller: Poller::new()?,
            timers: Timers::new(),
            idle: Idle::default(),
            schedule: settings.schedule,
            planner: Planner::new(settings.limits),
            queues: (0..workers)
                .map(|_| Mutex::new(RunQueue::new(settings.schedule)))
                .collect(),
            turns: (0..workers).map(|_| Turn::default()).collect(),
            graph: (0..workers).map(|_| Counts::new()).collect(),
            injected: Mutex::default(),
            injected_count: AtomicUsize::new(0),
            look: settings.look.clone(),
            has_news: AtomicBool::new(false),
            live: AtomicUsize::new(1),
            panics: AtomicU64::new(0),
            stuck: Mutex::default(),
        });
        let each = (0..workers).map(|number| Worker::new(Arc::clone(&shared), number));
        let each = each.collect();
        Ok((Self(Arc::clone(&shared)), each, Watchdog::new(shared)))
    }

    /// Starts a fiber.
    ///
    /// # Errors
    /// Where no stack is to be had.
    pub fn spawn<F>(&self, body: F) -> io::Result<()>
    where
        F: FnOnce(&Fiber<'_>) + Send + 'static,
    {
        handle::spawn(&self.0, body)
    }

    /// Starts no more from outside: workers return when the last fiber has ended.
    pub fn close(self) {
        self.0.end();
    }

    /// The blocking graph as it is known so far.
    pub fn graph(&self) -> Graph {
        Graph::of(&self.0.graph)
    }

    /// What it has seen so far.
    pub fn report(&self) -> Report {
        self.0.report()
    }
}

impl Shared {
    /// There is a fiber more.
    pub(crate) fn begin(&self) {
        self.live.fetch_add(1, Relaxed);
    }

    /// There is one fewer; with the last, workers come to their end.
    pub(crate) fn end(&self) {
        if self.live.fetch_sub(1, SeqCst) == 1 {
            while let Some(waits) = self.idle.take_one() {
                self.wake(waits);
            }
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.live.load(SeqCst) == 0
    }

    /// Has a fiber run: in the worker that this thread is, or whichever comes to it first.
    pub(crate) fn run(&self, fiber: Box<Suspended>) {
        let Some(fiber) = worker::run_here(self, fiber) else {
            return;
        };
        let mut injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        injected.push_back(fiber);
        self.injected_count.store(injected.len(), SeqCst);
        drop(injected);
        self.wake_one();
    }

    /// A fiber that somebody else than a worker has unparked.
    #[inline]
    pub(crate) fn take_injected(&self) -> Option<Box<Suspended>> {
        if !self.has_injected() {
            return None;
        }
        let mut injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        let fiber = injected.pop_front();
        self.injected_count.store(injected.len(), SeqCst);
        fiber
    }

    #[inline]
    pub(crate) fn has_injected(&self) -> bool {
        self.injected_count.load(SeqCst) > 0
    }

    /// There is something that a worker could run which has nothing else: wakes one that waits, if one does.
    #[inline]
    pub(crate) fn wake_one(&self) {
        if !self.look.is_none() {
            self.has_news.store(true, SeqCst);
        }
        if self.idle.is_any()
            && let Some(waits) = self.idle.take_one()
        {
            self.wake(waits);
        }
    }

    pub(crate) fn wake(&self, waits: Waits) {
        match waits {
            Waits::AtPoller => self.poller.wake(),
            Waits::Parked(thread) => thread.unpark(),
        }
    }

    /// Unparks a fiber at a time.
    pub(crate) fn wake_at(&self, deadline: Instant, waiter: &Arc<Waiter>) {
        let is_soonest = self.timers.set(deadline, waiter);
        // Whoever waits at the poller waits for a later one.
        if is_soonest && let Some(waits) = self.idle.take_from_poller() {
            self.wake(waits);
        }
    }

    /// What fibers have taken of what there is.
    pub(crate) fn shares_held(&self) -> Shares {
        self.planner.shares_held(&self.graph)
    }

    pub(crate) fn report(&self) -> Report {
        let stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        Report {
            deepest_stack_bytes: self.arena.deepest_bytes(),
            panics: self.panics.load(Relaxed),
            stuck: stuck.clone(),
        }
    }
}
