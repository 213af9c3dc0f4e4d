//! The plumbing of an event loop: who is due next. What becomes of each is the loop's own affair.

pub mod poller;
pub mod sessions;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::{ASIDE, Acceptor, Done, Interest, Listener, ProcessContext, Progress, Work, Worker};
use run_queue::RunQueue;

pub use poller::{Epoll, EpollLevel, Poll, Poller, Scan, Select, Waker, Watcher};
use poller::{Ready, Trigger};
pub use sessions::{Sessions, Token};

/// The number under which the listener is watched.
const LISTENER: usize = usize::MAX;
const NOTICE: usize = usize::MAX - 1;

/// How long a session is put aside at most where nothing else wakes the loop. A timer is not for each: one that would be the machine's next
/// costs more than the wake-up that is saved.
const ASIDE_WHEN_IDLE: Duration = Duration::from_millis(50);

/// Who is due in an event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A session that can go on.
    Session(Token),
    /// Somebody else has woken the loop: there is something to be taken from wherever they put it.
    Notice,
}

/// The sessions of an event loop, and who of them is due.
///
/// ```text
/// while let Some(due) = reactor.next(&mut worker)? {
///     match due {
///         Due::Session(token) => …    advance it, and place the works that it comes to
///         Due::Notice => …            take what others have done
///     }
/// }
/// ```
///
/// Nobody stands in the run queue twice, and all that stand in it have a turn before the poller is asked again: first in, first out.
pub struct Reactor {
    poller: Box<dyn Poller>,
    trigger: Trigger,
    withdraws: bool,
    listener: Arc<Listener>,
    /// Which of the listener's sockets connections come to.
    socket: usize,
    /// Whether it is told when the listener is readable.
    is_listener_watched: bool,
    acceptor: Acceptor,
    sessions: Sessions,
    run_queue: RunQueue<Token>,
    /// How many of the run queue have a turn before the poller is asked again.
    turns: usize,
    is_noticed: bool,
    ready: Vec<Ready>,
    /// Sessions that were put aside, in that order, and since when.
    aside: VecDeque<(Token, Instant)>,
    /// When the loop last waited.
    now: Instant,
    /// Nobody has been let in since the poller was asked.
    is_to_admit: bool,
}

impl Reactor {
    /// Without any session yet; connections come from the listener of `process`, which from now on makes nobody wait.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn new(process: &ProcessContext, mut poller: Box<dyn Poller>) -> io::Result<Self> {
        let listener = Arc::clone(&process.listener);
        let socket = process.loop_number.unwrap_or(0);
        poller.watch(listener.socket(socket), LISTENER, Interest::READABLE)?;
        Ok(Self {
            trigger: poller.trigger(),
            withdraws: poller.withdraws(),
            socket,
            poller,
            acceptor: Acceptor::at(Arc::clone(&listener), socket)?,
            listener,
            is_listener_watched: true,
            sessions: Sessions::default(),
            run_queue: RunQueue::default(),
            turns: 0,
            is_noticed: false,
            ready: Vec::new(),
            aside: VecDeque::new(),
            now: Instant::now(),
            is_to_admit: false,
        })
    }

    /// Who is due next, for whom the loop waits where nobody is; `None` when the server has been stopped and the last session is
    /// over.
    ///
    /// # Errors
    /// What the poller reports.
    #[inline]
    pub fn next(&mut self, worker: &mut Worker) -> io::Result<Option<Due>> {
        loop {
            if let Some(due) = self.due(worker) {
                return Ok(Some(due));
            }
            // Whoever shuts a listener that processes share may be heard before it says that they are to stop.
            if (worker.is_stopping() || self.acceptor.is_shut()) && self.sessions.is_empty() {
                return Ok(None);
            }
            self.wait(None, worker)?;
        }
    }

    /// Who is due and has not had a turn since the loop last waited.
    #[inline]
    pub fn due(&mut self, worker: &mut Worker) -> Option<Due> {
        if std::mem::take(&mut self.is_noticed) {
            return Some(Due::Notice);
        }
        loop {
            while self.turns > 0 {
                self.turns -= 1;
                if let Some(token) = self.run_queue.pop() {
                    return Some(Due::Session(token));
                }
            }
            if !std::mem::take(&mut self.is_to_admit) || worker.is_leaving() {
                return None;
            }
            // Several before the first of them has its turn: meanwhile their requests come. Under load a request comes with its
            // connection or right behind it, and a connection for one request is over before it has to be watched.
            while let Some(client) = self.acceptor.admit(&worker.counters) {
                let token = self.sessions.insert(client, worker);
                self.run_queue.push(token);
                self.turns += 1;
            }
        }
    }

    /// Waits until somebody is due, at most so long, and looks at the clock.
    ///
    /// # Errors
    /// What the poller reports.
    pub fn wait(&mut self, at_most: Option<Duration>, worker: &mut Worker) -> io::Result<()> {
        let at_most = sooner(at_most, self.poll_timeout(worker));
        if self.withdraws {
            self.watch_listener(worker)?;
        }
        self.ready.clear();
        self.poller.wait(at_most, &mut self.ready)?;
        worker.tick();
        for &Ready { number, readiness } in &self.ready {
            match number {
                LISTENER if readiness.is_ended => self.acceptor.shut(),
                LISTENER => self.acceptor.notify(),
                NOTICE => self.is_noticed = true,
                token => {
                    let token = Token::from(token);
                    if self.sessions.ready(token, readiness) {
                        self.run_queue.push(token);
                    }
                }
            }
        }
        self.now = worker.now;
        while let Some(&(token, since)) = self.aside.front()
            && since + ASIDE <= worker.now
        {
            self.aside.pop_front();
            if let Some(session) = self.sessions.get_mut(token) {
                session.look_for_end();
                self.run_queue.push(token);
            }
        }
        let run_queue = &mut self.run_queue;
        self.sessions.expire(worker, |token| {
            run_queue.push(token);
        });
        self.turns = self.run_queue.len();
        self.is_to_admit = true;
        Ok(())
    }

    /// How long to wait for events.
    fn poll_timeout(&self, worker: &Worker) -> Option<Duration> {
        if !self.run_queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let looks = if worker.is_leaving() {
            None
        } else {
            self.acceptor.poll_timeout()
        };
        let sessions = self.sessions.poll_timeout(worker.now);
        let aside = (!self.aside.is_empty()).then_some(ASIDE_WHEN_IDLE);
        sooner(aside, sooner(sessions, looks))
    }

    /// Watches the listener while that may lead to somebody being let in, and not beyond: it would say the same again and again.
    fn watch_listener(&mut self, worker: &Worker) -> io::Result<()> {
        let is_to_be_watched = self.acceptor.waits_for_notice() && !worker.is_stopping();
        if is_to_be_watched != self.is_listener_watched {
            let interest = Interest {
                readable: is_to_be_watched,
                writable: false,
            };
            self.poller
                .watch(self.listener.socket(self.socket), LISTENER, interest)?;
            self.is_listener_watched = is_to_be_watched;
        }
        Ok(())
    }

    /// Runs a session until it comes to a work that somebody has to be found for, which is returned, or has to wait.
    #[inline]
    pub fn advance(&mut self, token: Token, worker: &mut Worker) -> Option<Work> {
        match self.sessions.advance(token, worker) {
            Progress::Work(work) => Some(work),
            Progress::Yields => {
                self.run_queue.push(token);
                None
            }
            Progress::Waits => {
                self.wait_for(token);
                None
            }
            Progress::Lingers => {
                self.put_aside(token);
                None
            }
            Progress::Closed if self.trigger == Trigger::Edge => None,
            Progress::Closed => {
                if let Some(socket) = self.sessions.forget(token) {
                    self.poller.forget(socket);
                }
                None
            }
        }
    }

    /// A work of a session's is done; the session is to be advanced.
    #[inline]
    pub fn done(&mut self, token: Token, done: Done, worker: &mut Worker) {
        self.sessions.done(token, done, worker);
    }

    /// Puts a session in the run queue.
    pub fn queue(&mut self, token: Token) {
        self.run_queue.push(token);
    }

    /// The sessions, for a loop that gives them to others to be worked on.
    pub fn sessions(&mut self) -> &mut Sessions {
        &mut self.sessions
    }

    /// A session has come to rest that others have worked on: its socket is watched, if it is not yet, unless it lingers.
    pub fn rest(&mut self, token: Token) {
        let session = self.sessions.get_mut(token);
        match session.is_some_and(|session| session.lingers()) {
            true => self.put_aside(token),
            false => self.wait_for(token),
        }
    }

    /// Puts a session aside that lingers, for a little while in which nobody is woken by its client's end. Not where somebody else may
    /// wait for its place.
    fn put_aside(&mut self, token: Token) {
        let poller = &mut self.poller;
        let is_aside = self
            .sessions
            .put_aside(token, |socket| poller.unwatch(socket));
        if is_aside {
            self.aside.push_back((token, self.now));
        } else {
            self.wait_for(token);
        }
    }

    /// A poller that tells of changes knows all that it has to; and of one that has not waited before, nothing.
    #[inline]
    fn wait_for(&mut self, token: Token) {
        if self.trigger == Trigger::Level || !self.sessions.is_watched(token) {
            self.watch_for_more(token);
        }
    }

    fn watch_for_more(&mut self, token: Token) {
        let poller = &mut self.poller;
        self.sessions.watch(token, |socket, interest| {
            poller.watch(socket, token.into(), interest)
        });
    }
}

/// The shorter of two times, either of which may be for ever.
#[inline]
fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
