//! The stage of the sockets (SEDA, section 4.3): one thread that accepts, waits for what the network says, and reads. It
//! owns the table of sessions, from which they leave for the other stages and to which they come back.
//!
//! Every way that leads back in the graph of stages leads through here, and here alone a queue has no bound of its own: so
//! many sessions come back as went out, and those went through bounded queues. Hence no circle of full queues can stand
//! still.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arch::{Acceptor, Blocked, ProcessContext, Sessions, Step, Token, Worker};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Waker};

use crate::stage::Sink;
use crate::task::{Miss, Outcome, Task};

const LISTENER: mio::Token = mio::Token(usize::MAX);
const RETURNS: mio::Token = mio::Token(usize::MAX - 1);

/// A session that comes back, and why.
type Completion = (Box<Task>, Outcome);

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
            tasks: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, task: Box<Task>, outcome: Outcome) {
        self.tasks.push((task, outcome));
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
    pub(crate) parse: Sink<Box<Task>>,
    /// For what is missing of an answer that has begun.
    pub(crate) load: Sink<Miss>,
    pub(crate) send: Sink<Box<Task>>,
}

/// The stage of the sockets.
pub(crate) struct Sockets {
    poll: Poll,
    acceptor: Acceptor,
    worker: Worker,
    process: ProcessContext,
    sessions: Sessions,
    completions: Arc<Completions>,
    returned: Vec<Completion>,
    counters: meter::Stage,
    /// Sessions that could go on but let others go first.
    turns: VecDeque<Token>,
    /// Sessions that have something to read, for which there is no place in the next queue.
    unread: VecDeque<Token>,
    /// Tasks without a session, the last used on top.
    #[expect(
        clippy::vec_box,
        reason = "the box goes through the queues and comes back; taking it apart would allocate"
    )]
    spare: Vec<Box<Task>>,
}

impl Sockets {
    pub(crate) fn new(process: &ProcessContext, counters: meter::Stage) -> std::io::Result<Self> {
        let poll = Poll::new()?;
        let listener = process.listener.as_fd().as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&listener), LISTENER, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), RETURNS)?;
        counters.threads(1);
        Ok(Self {
            poll,
            acceptor: Acceptor::new(Arc::clone(&process.listener))?,
            worker: process.worker(),
            process: process.clone(),
            sessions: Sessions::default(),
            completions: Arc::new(Completions {
                tasks: Mutex::default(),
                asleep: AtomicBool::new(false),
                waker,
            }),
            returned: Vec::new(),
            counters,
            turns: VecDeque::new(),
            unread: VecDeque::new(),
            spare: Vec::new(),
        })
    }

    pub(crate) fn completions(&self) -> &Arc<Completions> {
        &self.completions
    }

    pub(crate) fn run(mut self, mut sinks: Sinks) -> std::io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !self.is_over() {
            let poll_timeout = self.fall_asleep(&mut sinks);
            match self.poll.poll(&mut events, poll_timeout) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            let started = Instant::now();
            self.worker.tick();
            let mut handled = self.take_back(&mut sinks);
            while sinks.parse.has_room()
                && let Some(token) = self.unread.pop_front()
            {
                self.read(token, &mut sinks);
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.acceptor.notify(),
                    RETURNS => {}
                    token => {
                        handled += 1;
                        let token = Token::from(token.0);
                        let (readable, writable) = (event.is_readable(), event.is_writable());
                        let hung_up = event.is_read_closed();
                        if self.sessions.ready(token, readable, writable, hung_up) {
                            self.read(token, &mut sinks);
                        }
                    }
                }
            }
            for _ in 0..self.turns.len() {
                if let Some(token) = self.turns.pop_front() {
                    self.read(token, &mut sinks);
                }
            }
            let looking_round = self.worker.is_stopping() && !self.worker.is_overdue();
            for token in self.sessions.expire(&mut self.worker) {
                // Whoever is late or given up has nothing to read. When the server stops all have, and those for whom there is
                // no place come again with the next sweep.
                if !looking_round || sinks.parse.has_room() {
                    self.go_on(token, &mut sinks);
                }
            }
            self.accept(&mut sinks);
            sinks.parse.hand_over();
            sinks.load.hand_over();
            sinks.send.hand_over();
            self.counters.handled(handled, started.elapsed());
        }
        // What is still away will not be waited for.
        self.sessions.abandon_away(&self.worker);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.worker.is_stopping()
            && (self.sessions.is_empty()
                || (self.worker.is_overdue() && self.sessions.are_all_away()))
    }

    /// Has itself woken by those that come back, and returns how long to wait for events.
    fn fall_asleep(&mut self, sinks: &mut Sinks) -> Option<Duration> {
        let unread = !self.unread.is_empty() && sinks.parse.has_room();
        let queue = self.completions.queue();
        if !queue.is_empty() || !self.turns.is_empty() || unread {
            return Some(Duration::ZERO);
        }
        self.completions.asleep.store(true, Relaxed);
        drop(queue);
        let sweep = self.sessions.poll_timeout(self.worker.now);
        sweep.into_iter().chain(self.acceptor.poll_timeout()).min()
    }

    /// Goes on with the sessions that have come back.
    fn take_back(&mut self, sinks: &mut Sinks) -> usize {
        let mut returned = std::mem::take(&mut self.returned);
        {
            let mut queue = self.completions.queue();
            self.completions.asleep.store(false, Relaxed);
            std::mem::swap(&mut *queue, &mut returned);
        }
        let count = returned.len();
        self.counters.queue(count);
        for (task, outcome) in returned.drain(..) {
            self.route(task, outcome, sinks);
        }
        self.returned = returned;
        count
    }

    /// Reads what a client has sent, if there is a place for it in the next queue; otherwise it stays where it is.
    fn read(&mut self, token: Token, sinks: &mut Sinks) {
        if sinks.parse.has_room() {
            self.go_on(token, sinks);
        } else {
            self.unread.push_back(token);
        }
    }

    fn go_on(&mut self, token: Token, sinks: &mut Sinks) {
        let Some(session) = self.sessions.take(token) else {
            return;
        };
        let process = &self.process;
        let mut task = self
            .spare
            .pop()
            .unwrap_or_else(|| Box::new(Task::new(process)));
        task.begin(token, session);
        let outcome = task.run(Step::Read | Step::Load, &mut self.worker);
        self.route(task, outcome, sinks);
    }

    /// Sends a session where it has to go next.
    fn route(&mut self, mut task: Box<Task>, mut outcome: Outcome, sinks: &mut Sinks) {
        loop {
            match outcome {
                Ok(Step::Parse | Step::Find) => return sinks.parse.push(task),
                Ok(Step::Send) => return sinks.send.push(task),
                Err(missing @ (Blocked::Find | Blocked::Load(..))) => {
                    return sinks.load.push(Miss { task, missing });
                }
                Err(Blocked::Closed) => {
                    self.sessions.remove(task.token);
                    task.end();
                    return self.spare.push(task);
                }
                Ok(Step::Read) if !sinks.parse.has_room() => {
                    self.unread.push_back(task.token);
                    return self.rest(task);
                }
                Err(Blocked::Turn) => {
                    self.turns.push_back(task.token);
                    return self.rest(task);
                }
                Ok(Step::Read | Step::Load) => {
                    task.catch_up(&mut self.sessions);
                }
                Err(Blocked::Readable | Blocked::Writable | Blocked::Elsewhere) => {
                    // What it waits for may have come while it was away.
                    if !task.catch_up(&mut self.sessions) {
                        return self.rest(task);
                    }
                }
            }
            outcome = task.run(Step::Read | Step::Load, &mut self.worker);
        }
    }

    /// Lets a session take its place in the table again, and be watched: not before, for a connection for one request may be
    /// over by then.
    fn rest(&mut self, mut task: Box<Task>) {
        task.catch_up(&mut self.sessions);
        let token = task.token;
        if let Some(session) = task.end() {
            self.sessions.bring_back(token, session, &self.worker);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            self.sessions.watch(token, |socket| {
                registry.register(&mut SourceFd(&socket), mio::Token(token.into()), interest)
            });
        }
        self.spare.push(task);
    }

    fn accept(&mut self, sinks: &mut Sinks) {
        while let Some(client) = self.acceptor.admit(&self.worker.counters) {
            let token = self.sessions.insert(client, &self.worker);
            // Under load the request has come with the connection.
            self.read(token, sinks);
        }
    }
}
