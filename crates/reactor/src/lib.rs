//! The plumbing of an event loop: who is due next. What becomes of each is the loop's own affair.

pub mod poller;
pub mod sessions;

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::Duration;

use arch::{Acceptor, Done, ProcessContext, Progress, Work, Worker};
use run_queue::RunQueue;

use poller::Ready;
pub use poller::{Epoll, Poller, Waker};
pub use sessions::{Sessions, Token};

const LISTENER: usize = usize::MAX;
const NOTICE: usize = usize::MAX - 1;

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
    acceptor: Acceptor,
    sessions: Sessions,
    run_queue: RunQueue<Token>,
    /// How many of the run queue have a turn before the poller is asked again.
    turns: usize,
    is_noticed: bool,
    ready: Vec<Ready>,
    /// Accepted, and due: to be watched as soon as it has had its first turn.
    accepted: Option<Token>,
}

impl Reactor {
    /// Without any session yet; connections come from the listener of `process`, which from now on makes nobody wait.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn new(process: &ProcessContext, poller: impl Poller + 'static) -> io::Result<Self> {
        let mut poller: Box<dyn Poller> = Box::new(poller);
        let listener = process.listener.as_fd().as_raw_fd();
        poller.watch(listener, LISTENER, false)?;
        Ok(Self {
            poller,
            acceptor: Acceptor::new(Arc::clone(&process.listener))?,
            sessions: Sessions::default(),
            run_queue: RunQueue::default(),
            turns: 0,
            is_noticed: false,
            ready: Vec::new(),
            accepted: None,
        })
    }

    /// What others wake the loop with: [`Due::Notice`].
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn waker(&mut self) -> io::Result<Waker> {
        self.poller.waker(NOTICE)
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
            if worker.is_stopping() && self.sessions.is_empty() {
                return Ok(None);
            }
            self.wait(None, worker)?;
        }
    }

    /// Who is due and has not had a turn since the loop last waited.
    #[inline]
    pub fn due(&mut self, worker: &mut Worker) -> Option<Due> {
        if let Some(accepted) = self.accepted.take() {
            self.watch(accepted);
        }
        if std::mem::take(&mut self.is_noticed) {
            return Some(Due::Notice);
        }
        while self.turns > 0 {
            self.turns -= 1;
            if let Some(token) = self.run_queue.pop() {
                return Some(Due::Session(token));
            }
        }
        let client = self.acceptor.admit(&worker.counters)?;
        // Under load the request has come with the connection, and a connection for one request is over before it has to be
        // watched.
        let token = self.sessions.insert(client, worker);
        self.accepted = Some(token);
        Some(Due::Session(token))
    }

    /// Waits until somebody is due, at most so long, and looks at the clock.
    ///
    /// # Errors
    /// What the poller reports.
    pub fn wait(&mut self, at_most: Option<Duration>, worker: &mut Worker) -> io::Result<()> {
        let at_most = sooner(at_most, self.poll_timeout(worker));
        self.ready.clear();
        self.poller.wait(at_most, &mut self.ready)?;
        worker.tick();
        for &Ready { number, readiness } in &self.ready {
            match number {
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
        let run_queue = &mut self.run_queue;
        self.sessions.expire(worker, |token| {
            run_queue.push(token);
        });
        self.turns = self.run_queue.len();
        Ok(())
    }

    /// How long to wait for events.
    fn poll_timeout(&self, worker: &Worker) -> Option<Duration> {
        if !self.run_queue.is_empty() {
            return Some(Duration::ZERO);
        }
        sooner(
            self.sessions.poll_timeout(worker.now),
            self.acceptor.poll_timeout(),
        )
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
            Progress::Waits | Progress::Closed => None,
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

    /// Watches the socket of a session that has come to rest, if it is not watched yet.
    pub fn watch(&mut self, token: Token) {
        let poller = &mut self.poller;
        self.sessions
            .watch(token, |socket| poller.watch(socket, token.into(), true));
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
