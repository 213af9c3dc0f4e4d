//! The stage of the sockets (SEDA, section 4.3): one thread that accepts, waits for what the network says, and reads. It
//! owns the table of sessions, from which they leave for the other stages and to which they come back.
//!
//! Every way that leads back in the graph of stages leads through here, and here alone a queue has no bound of its own: so
//! many sessions come back as went out, and those went through bounded queues. Hence no circle of full queues can stand
//! still.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arch::{Done, Endpoint, Next, ProcessContext, Spin, Step, Worker};
use reactor::{Due, Epoll, Reactor, Token, Waker};
use run_queue::RunQueue;

use crate::stage::Sink;
use crate::task::{Completion, Either, Event, Loading, Task};

/// So many may come back at a time before a queue has to grow: with few connections, none ever does.
const PLACES: usize = 64;

/// The queue of those that come back.
pub(crate) struct Completions {
    tasks: Mutex<Vec<Completion>>,
    /// Whether the thread of the sockets waits in `epoll`, and has to be woken.
    asleep: AtomicBool,
    waker: Waker,
}

impl Completions {
    fn enqueue(&self, tasks: &mut Vec<Completion>) {
        let mut queue = self.queue();
        queue.append(tasks);
        let asleep = self.asleep.swap(false, Relaxed);
        drop(queue);
        if asleep {
            // It fails only where the counter behind it is at its end, and then nobody sleeps.
            let _ = self.waker.wake();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Vec<Completion>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way back, with what is to be handed over next.
pub(crate) struct CompletionSender {
    completions: Arc<Completions>,
    tasks: Vec<Completion>,
}

impl CompletionSender {
    pub(crate) fn to(completions: &Arc<Completions>) -> Self {
        Self {
            completions: Arc::clone(completions),
            tasks: Vec::with_capacity(PLACES),
        }
    }

    pub(crate) fn push(&mut self, task: Event) {
        self.tasks.push(Either::Session(task));
    }

    /// What came of a request that has left its session.
    pub(crate) fn push_request(&mut self, token: Token, done: Done) {
        self.tasks.push(Either::Request(token, Box::new(done)));
    }

    /// Hands over all: for those that come back there is always a place.
    pub(crate) fn hand_over(&mut self) {
        if !self.tasks.is_empty() {
            self.completions.enqueue(&mut self.tasks);
        }
    }
}

/// The stages that sessions go to from here.
pub(crate) struct Sinks {
    pub(crate) parse: Sink<Event>,
    /// For what is missing of an answer that has begun.
    pub(crate) load: Sink<Loading>,
    pub(crate) send: Sink<Event>,
}

/// The stage of the sockets.
pub(crate) struct Sockets {
    reactor: Reactor,
    worker: Worker,
    process: ProcessContext,
    completions: Arc<Completions>,
    completed: Vec<Completion>,
    /// What came of requests whose sessions are with other stages.
    done: HashMap<Token, Vec<Done>>,
    counters: meter::StageCounters,
    /// Sessions that have something to read, for which there is no place in the next queue.
    unread: RunQueue<Token>,
    /// Tasks without a session, the last used on top.
    spare: Vec<Event>,
    /// How long to ask for events without waiting, once there are none, and since when there are none.
    spin: Spin,
    idle_since: Option<Instant>,
}

impl Sockets {
    pub(crate) fn new(
        process: &ProcessContext,
        counters: meter::StageCounters,
        spin: Spin,
    ) -> std::io::Result<Self> {
        let epoll = Epoll::new()?;
        let waker = epoll.waker()?;
        counters.threads(1);
        Ok(Self {
            reactor: Reactor::new(process, Box::new(epoll))?,
            worker: process.worker(),
            process: process.clone(),
            completions: Arc::new(Completions {
                tasks: Mutex::new(Vec::with_capacity(PLACES)),
                asleep: AtomicBool::new(false),
                waker,
            }),
            completed: Vec::with_capacity(PLACES),
            done: HashMap::new(),
            counters,
            unread: RunQueue::default(),
            spare: Vec::new(),
            spin,
            idle_since: None,
        })
    }

    pub(crate) fn completions(&self) -> &Arc<Completions> {
        &self.completions
    }

    pub(crate) fn run(mut self, mut sinks: Sinks) -> std::io::Result<()> {
        while !self.is_over() {
            let at_most = self.fall_asleep(&mut sinks);
            self.reactor.wait(at_most, &mut self.worker)?;
            let started = Instant::now();
            let mut handled = self.take_back(&mut sinks);
            while sinks.parse.has_room()
                && let Some(token) = self.unread.pop()
            {
                self.read(token, &mut sinks);
            }
            while let Some(due) = self.reactor.due(&mut self.worker) {
                match due {
                    Due::Session(token) => {
                        handled += 1;
                        self.read(token, &mut sinks);
                    }
                    // Those that have come back are taken before.
                    Due::Notice => {}
                }
            }
            sinks.parse.hand_over();
            sinks.load.hand_over();
            sinks.send.hand_over();
            self.counters.handled(handled, started.elapsed());
            if handled > 0 {
                self.idle_since = None;
            }
        }
        // What is still away will not be waited for.
        self.reactor.sessions().abandon_away(&self.worker);
        Ok(())
    }

    fn is_over(&mut self) -> bool {
        let sessions = self.reactor.sessions();
        self.worker.is_stopping()
            && (sessions.is_empty() || (self.worker.is_overdue() && sessions.are_all_away()))
    }

    /// How long to wait for events at the most. Where nothing is to be done, the other stages have a turn and events are asked for without
    /// waiting, once or for as long as it is to look; after that it has itself woken by those that come back, and sleeps.
    fn fall_asleep(&mut self, sinks: &mut Sinks) -> Option<Duration> {
        let unread = !self.unread.is_empty() && sinks.parse.has_room();
        let queue = self.completions.queue();
        if !queue.is_empty() || unread {
            return Some(Duration::ZERO);
        }
        let has_looked = |since: Instant| since.elapsed() >= self.spin.time;
        if self.idle_since.is_some_and(has_looked) {
            self.completions.asleep.store(true, Relaxed);
            return None;
        }
        drop(queue);
        self.idle_since.get_or_insert_with(Instant::now);
        std::thread::yield_now();
        Some(Duration::ZERO)
    }

    /// Goes on with the sessions that have come back.
    fn take_back(&mut self, sinks: &mut Sinks) -> usize {
        let mut completed = std::mem::take(&mut self.completed);
        {
            let mut queue = self.completions.queue();
            self.completions.asleep.store(false, Relaxed);
            std::mem::swap(&mut *queue, &mut completed);
        }
        let count = completed.len();
        self.counters.queue(count);
        for completion in completed.drain(..) {
            match completion {
                Either::Session(task) => self.route(task, sinks),
                Either::Request(token, done) => self.take_request_back(token, *done, sinks),
            }
        }
        self.completed = completed;
        count
    }

    /// A request that has left its session is found or read: the session goes on with it, as soon as it is here. Of one that is over,
    /// nothing comes.
    fn take_request_back(&mut self, token: Token, done: Done, sinks: &mut Sinks) {
        if self.reactor.sessions().is_away(token) {
            self.done.entry(token).or_default().push(done);
        } else if let Some(task) = self.carry(token, |endpoint, worker| endpoint.done(done, worker))
        {
            self.route(task, sinks);
        }
    }

    /// Takes a session that is here from its place, into buffers of its own, and has it do something first.
    fn carry(
        &mut self,
        token: Token,
        first: impl FnOnce(&mut Endpoint, &mut Worker),
    ) -> Option<Event> {
        let endpoint = self.reactor.sessions().take(token)?;
        let process = &self.process;
        let mut task = self
            .spare
            .pop()
            .unwrap_or_else(|| Box::new(Task::new(process)));
        task.begin(token, endpoint, &mut self.worker, first);
        Some(task)
    }

    /// Reads what a client has sent, if there is a place for it in the next queue; otherwise it stays where it is. Whoever is given
    /// up has nothing to read.
    fn read(&mut self, token: Token, sinks: &mut Sinks) {
        if !sinks.parse.has_room() && !self.worker.is_overdue() {
            self.unread.push(token);
            return;
        }
        if let Some(task) = self.carry(token, |_, _| ()) {
            self.route(task, sinks);
        }
    }

    /// Sends a session where it has to go next.
    fn route(&mut self, mut task: Event, sinks: &mut Sinks) {
        loop {
            let load = &mut sinks.load;
            let next = task.do_kept_and_send_off(&[Step::Load], &mut self.worker, |request| {
                load.push(request)
            });
            match next {
                next @ Next::Receive if task.has_rest() => {
                    return sinks.parse.push(task.needing(next));
                }
                Next::Receive if !sinks.parse.has_room() => {
                    self.unread.push(task.token);
                    return self.rest(task, sinks);
                }
                Next::Receive => {
                    task.catch_up(self.reactor.sessions());
                    let received = task.at(&mut self.worker, Endpoint::receive);
                    // What it waits for may have come while it was away.
                    if received == Some(false) && !task.catch_up(self.reactor.sessions()) {
                        return self.rest(task, sinks);
                    }
                }
                // Whether it is let in is decided there.
                next @ Next::Work(_) if next.step() == Some(Step::Find) => {
                    return sinks.parse.push(task.needing(next));
                }
                next @ Next::Work(_) => {
                    return sinks.load.push(Either::Session(task.needing(next)));
                }
                next @ Next::Send(_) => return sinks.send.push(task.needing(next)),
                Next::ShutdownWrite => {
                    task.at(&mut self.worker, |endpoint, _| endpoint.shutdown_write());
                }
                Next::Yield => {
                    self.reactor.queue(task.token);
                    return self.rest(task, sinks);
                }
                Next::Wait => {
                    if !task.catch_up(self.reactor.sessions()) {
                        return self.rest(task, sinks);
                    }
                }
                Next::Closed => {
                    self.done.remove(&task.token);
                    self.reactor.sessions().remove(task.token);
                    task.end();
                    return self.spare.push(task);
                }
            }
            task.step(&mut self.worker, |_, _| ());
        }
    }

    /// Lets a session take its place in the table again, and be watched: not before, for a connection for one request may be over by
    /// then. Where something has come of its requests meanwhile, it goes on with that.
    fn rest(&mut self, mut task: Event, sinks: &mut Sinks) {
        if let Some(done) = self.done.remove(&task.token) {
            task.step(&mut self.worker, |endpoint, worker| {
                for done in done {
                    endpoint.done(done, worker);
                }
            });
            return self.route(task, sinks);
        }
        task.catch_up(self.reactor.sessions());
        task.at(&mut self.worker, Endpoint::rest);
        let token = task.token;
        if let Some(endpoint) = task.end() {
            self.reactor.sessions().bring_back(token, endpoint);
            self.reactor.rest(token);
        }
        self.spare.push(task);
    }
}
