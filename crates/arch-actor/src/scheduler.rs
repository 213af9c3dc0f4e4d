//! Which actor runs next, and on which thread.
//!
//! Workers take actors from one run queue, first in, first out. One that finds it empty, or that all of it has had a turn since
//! somebody last looked, asks the kernel who is ready, one worker at a time, and signals those; so that a server with little to do
//! is one thread that waits in `epoll` and runs what becomes ready itself, as an event loop does. Others are woken when there is
//! more to run than there are workers awake.

mod table;

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arch::{Spin, Worker};
use reactor::poller::Ready;
use reactor::{Epoll, Poller, Waker, Watcher};

use crate::cell::{Run, Signals};
use crate::supervisor::Exit;
use table::Actors;
pub(crate) use table::Number;

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;

/// Deadlines are looked at no more often than this.
const SWEEP_AT_MOST_EVERY_MS: u64 = 25;
/// While the server is stopping, it is looked at this often whether its time is over.
const LOOK_WHILE_STOPPING: Duration = Duration::from_millis(50);

/// The run queue, the table of actors, and what workers wait for.
pub(crate) struct Scheduler {
    queue: Mutex<Queue>,
    /// Workers wait here for actors to run.
    work: Condvar,
    /// Whoever has started them waits here for the end.
    end: Condvar,
    workers: usize,
    /// How long a worker looks at the empty run queue before it sleeps, and what it looks at: whether there is something for it.
    spin: Spin,
    has_news: AtomicBool,
    poller: Mutex<(Epoll, Vec<Ready>)>,
    watcher: Watcher,
    waker: Waker,
    actors: Mutex<Actors>,
    /// Who is told that the server is stopping.
    root: OnceLock<Arc<dyn Run>>,
    started: Instant,
    /// When deadlines are to be looked at next, in milliseconds since then, as is when they were last.
    next_sweep_ms: AtomicU64,
    swept_ms: AtomicU64,
    told_stopping: AtomicBool,
    told_overdue: AtomicBool,
}

struct Queue {
    runnable: VecDeque<Arc<dyn Run>>,
    /// How many of them have a turn before the kernel is asked again.
    turns: usize,
    /// Somebody asks the kernel, and whether it sleeps there.
    is_polled: bool,
    is_poller_asleep: bool,
    /// Workers that wait for actors, how many of them are about to wake up, and those that wait for the disk.
    idle: usize,
    waking: usize,
    blocked: usize,
    outcome: Option<io::Result<()>>,
}

enum Task {
    Run(Arc<dyn Run>),
    /// Ask the kernel who is ready, and wait for somebody.
    Wait,
    /// The same, without waiting.
    Look,
}

impl Scheduler {
    /// Without anybody to run, for so many workers.
    ///
    /// # Errors
    /// What the kernel reports.
    pub(crate) fn new(workers: usize, spin: Spin) -> io::Result<Arc<Self>> {
        let epoll = Epoll::new()?;
        Ok(Arc::new(Self {
            queue: Mutex::new(Queue {
                runnable: VecDeque::with_capacity(64),
                turns: 0,
                is_polled: false,
                is_poller_asleep: false,
                idle: 0,
                waking: 0,
                blocked: 0,
                outcome: None,
            }),
            work: Condvar::new(),
            end: Condvar::new(),
            workers,
            spin,
            has_news: AtomicBool::new(false),
            watcher: epoll.watcher()?,
            waker: epoll.waker()?,
            poller: Mutex::new((epoll, Vec::new())),
            actors: Mutex::default(),
            root: OnceLock::new(),
            started: Instant::now(),
            next_sweep_ms: AtomicU64::new(NEVER),
            swept_ms: AtomicU64::new(0),
            told_stopping: AtomicBool::new(false),
            told_overdue: AtomicBool::new(false),
        }))
    }

    /// A worker's life: runs actors until the end.
    pub(crate) fn work(&self, worker: &mut Worker) {
        while let Some(task) = self.next() {
            let polled = match task {
                Task::Run(cell) => {
                    cell.run(worker);
                    Ok(())
                }
                Task::Wait => self.poll(self.poll_timeout(worker), worker),
                Task::Look => self.poll(Some(Duration::ZERO), worker),
            };
            if let Err(error) = polled {
                self.shut(Err(error));
            }
        }
    }

    fn next(&self) -> Option<Task> {
        let mut queue = self.queue();
        let mut looks = !self.spin.is_off();
        loop {
            if queue.outcome.is_some() {
                return None;
            }
            let nothing = queue.runnable.is_empty();
            if !queue.is_polled && (nothing || queue.turns == 0) {
                (queue.is_polled, queue.is_poller_asleep) = (true, nothing);
                return Some(if nothing { Task::Wait } else { Task::Look });
            }
            if let Some(cell) = queue.runnable.pop_front() {
                queue.turns = queue.turns.saturating_sub(1);
                return Some(Task::Run(cell));
            }
            if std::mem::take(&mut looks) {
                // It counts as awake meanwhile: nobody wakes it.
                self.has_news.store(false, Relaxed);
                drop(queue);
                self.spin.until(|| self.has_news.load(Relaxed));
                queue = self.queue();
                continue;
            }
            queue.idle += 1;
            queue = self
                .work
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
            queue.waking = queue.waking.saturating_sub(1);
        }
    }

    /// Puts an actor in the run queue, and wakes a worker if there is more to run than there are workers awake.
    pub(crate) fn push(&self, cell: Arc<dyn Run>) {
        let mut queue = self.queue();
        queue.runnable.push_back(cell);
        self.has_news.store(true, Relaxed);
        self.wake_if_needed(queue);
    }

    fn wake_if_needed(&self, mut queue: MutexGuard<'_, Queue>) {
        let asleep = queue.idle - queue.waking.min(queue.idle);
        let away = asleep + queue.blocked + usize::from(queue.is_poller_asleep);
        let awake = self.workers.saturating_sub(away);
        let is_unwatched = awake == 0 && !queue.is_polled;
        if queue.runnable.len() <= awake && !is_unwatched {
            return;
        }
        if asleep > 0 {
            queue.waking += 1;
            drop(queue);
            self.work.notify_one();
        } else if std::mem::take(&mut queue.is_poller_asleep) {
            drop(queue);
            self.wake_poller();
        }
    }

    fn wake_poller(&self) {
        // It fails only where the counter behind it is at its end, and then nobody sleeps.
        let _ = self.waker.wake();
    }

    /// Does something that may wait for the disk, on a worker that is not to be counted on meanwhile.
    pub(crate) fn blocking<T>(&self, wait: impl FnOnce() -> T) -> T {
        struct Blocked<'a>(&'a Scheduler);
        impl Drop for Blocked<'_> {
            fn drop(&mut self) {
                self.0.queue().blocked -= 1;
            }
        }
        let mut queue = self.queue();
        queue.blocked += 1;
        let _blocked = Blocked(self);
        self.wake_if_needed(queue);
        wait()
    }

    /// Signals whoever has become ready or whose time has come.
    fn poll(&self, at_most: Option<Duration>, worker: &mut Worker) -> io::Result<()> {
        let mut poller = self.poller.lock().unwrap_or_else(PoisonError::into_inner);
        let (epoll, ready) = &mut *poller;
        ready.clear();
        let polled = epoll.wait(at_most, ready);
        self.queue().is_poller_asleep = false;
        polled?;
        worker.tick();
        if !ready.is_empty() {
            let actors = self.actors();
            for &Ready { number, readiness } in &*ready {
                if let Some(cell) = actors.get(number) {
                    Arc::clone(cell).signal(Signals {
                        readiness,
                        ..Signals::none()
                    });
                }
            }
        }
        self.sweep(self.milliseconds(worker.now));
        self.tell_of_the_end(worker);
        drop(poller);
        let mut queue = self.queue();
        queue.is_polled = false;
        self.has_news.store(true, Relaxed);
        queue.turns = queue.runnable.len();
        Ok(())
    }

    fn poll_timeout(&self, worker: &Worker) -> Option<Duration> {
        let next_ms = self.next_sweep_ms.load(Relaxed);
        let sweep = (next_ms != NEVER).then(|| {
            let at = next_ms.max(self.swept_ms.load(Relaxed) + SWEEP_AT_MOST_EVERY_MS);
            Duration::from_millis(at.saturating_sub(self.milliseconds(Instant::now())).max(1))
        });
        match (worker.is_stopping(), sweep) {
            (true, Some(sweep)) => Some(sweep.min(LOOK_WHILE_STOPPING)),
            (true, None) => Some(LOOK_WHILE_STOPPING),
            (false, sweep) => sweep,
        }
    }

    /// Signals those whose deadlines have passed.
    fn sweep(&self, now_ms: u64) {
        let is_due = now_ms >= self.next_sweep_ms.load(Relaxed)
            && now_ms >= self.swept_ms.load(Relaxed) + SWEEP_AT_MOST_EVERY_MS;
        if !is_due {
            return;
        }
        self.swept_ms.store(now_ms, Relaxed);
        // Whoever has a deadline from now on says so itself.
        self.next_sweep_ms.store(NEVER, SeqCst);
        let mut next_ms = NEVER;
        for cell in self.actors().all() {
            let deadline_ms = cell.deadline_ms();
            if deadline_ms > now_ms {
                next_ms = next_ms.min(deadline_ms);
            } else {
                Arc::clone(cell).signal(Signals {
                    is_due: true,
                    ..Signals::none()
                });
            }
        }
        self.next_sweep_ms.fetch_min(next_ms, SeqCst);
    }

    /// Tells the supervisor, once, that the server is stopping, and once that its time is over.
    fn tell_of_the_end(&self, worker: &Worker) {
        let mut signals = Signals::none();
        signals.is_stopping = worker.is_stopping() && !self.told_stopping.swap(true, Relaxed);
        signals.is_overdue = worker.is_overdue() && !self.told_overdue.swap(true, Relaxed);
        if let (true, Some(root)) = (signals != Signals::none(), self.root.get()) {
            Arc::clone(root).signal(signals);
        }
    }

    /// A deadline in milliseconds since the scheduler was made, rounded up.
    pub(crate) fn note_deadline(&self, deadline: Option<Instant>) -> u64 {
        deadline.map_or(NEVER, |deadline| self.milliseconds(deadline) + 1)
    }

    /// Whoever waits in `epoll` must not wait longer than that.
    pub(crate) fn expect(&self, deadline_ms: u64) {
        // As a rule somebody is due before, and reading is all.
        if deadline_ms >= self.next_sweep_ms.load(SeqCst) {
            return;
        }
        self.next_sweep_ms.fetch_min(deadline_ms, SeqCst);
        if std::mem::take(&mut self.queue().is_poller_asleep) {
            self.wake_poller();
        }
    }

    fn milliseconds(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started);
        u64::try_from(since.as_millis()).unwrap_or(NEVER - 1)
    }

    /// Adds an actor to the table.
    pub(crate) fn add<C: Run + 'static>(&self, make: impl FnOnce(Number) -> Arc<C>) -> Arc<C> {
        self.actors().add(make)
    }

    /// Puts another actor in the place of one that is over, under its number.
    pub(crate) fn replace<C: Run + 'static>(&self, number: Number, cell: &Arc<C>) {
        self.actors()
            .replace(number, Arc::clone(cell) as Arc<dyn Run>);
    }

    /// Takes an actor that is over out of the table.
    pub(crate) fn remove(&self, number: Number) {
        self.actors().remove(number);
    }

    /// Signals all actors but one.
    pub(crate) fn signal_others(&self, one: Number, signals: Signals) {
        for cell in self.actors().others(one) {
            Arc::clone(cell).signal(signals);
        }
    }

    /// Has an actor signalled what becomes of a descriptor.
    ///
    /// # Errors
    /// What the kernel reports.
    pub(crate) fn watch(&self, descriptor: BorrowedFd<'_>, number: Number) -> io::Result<()> {
        self.watcher.watch(descriptor, number.token())
    }

    /// Makes somebody the one that all others descend from.
    pub(crate) fn set_root(&self, root: Arc<dyn Run>) {
        // There is one supervisor.
        let _ = self.root.set(root);
    }

    /// The supervisor is over. A defect of its own is nobody's to mend.
    pub(crate) fn ended(&self, exit: Exit) {
        self.shut(match exit {
            Exit::Normal => Ok(()),
            Exit::Defect(words) => Err(io::Error::other(format!(
                "the supervisor had a defect, and with it all ends: {words}"
            ))),
        });
    }

    /// Ends the workers; the first outcome counts.
    pub(crate) fn shut(&self, outcome: io::Result<()>) {
        self.queue().outcome.get_or_insert(outcome);
        self.has_news.store(true, Relaxed);
        self.work.notify_all();
        self.end.notify_all();
        self.wake_poller();
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// Why it came, if it was not told to stop.
    pub(crate) fn wait_for_the_end(&self) -> io::Result<()> {
        let mut queue = self.queue();
        loop {
            match &mut queue.outcome {
                // The workers have to see that there is one.
                Some(outcome) => return std::mem::replace(outcome, Ok(())),
                None => queue = self.end.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn actors(&self) -> MutexGuard<'_, Actors> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
