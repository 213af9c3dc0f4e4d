//! Connections that rest, and who waits for all of them: the source.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Scratch;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::connection::{Connection, Place, Rest};

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
/// The first of connections'. None is used twice.
const FIRST: usize = 2;
/// Further ones wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 10_000;
/// How long until it is tried again to accept, where descriptors or places are used up.
const PAUSE: Duration = Duration::from_millis(50);
/// How long answers under way are waited for once the server is stopping.
const DRAIN: Duration = Duration::from_secs(5);

/// Connections that rest, for whoever brings one back.
pub(crate) struct Connections {
    registry: Registry,
    waker: Waker,
    resting: Mutex<Resting>,
    open: Arc<AtomicUsize>,
    answers: AtomicU64,
    is_stopping: AtomicBool,
}

#[derive(Default)]
struct Resting {
    connections: HashMap<Token, (Box<Connection>, Instant)>,
    deadlines: BTreeSet<(Instant, Token)>,
    /// Those that can go on without waiting.
    #[expect(
        clippy::vec_box,
        reason = "flows hold the box; taking it apart would allocate"
    )]
    again: Vec<Box<Connection>>,
}

/// What the source alone has.
pub(crate) struct Waiting {
    poll: Poll,
    events: Events,
    listener: Option<TcpListener>,
    may_accept: bool,
    next_token: usize,
    /// Who can go on, in turn.
    ready: VecDeque<Ready>,
    /// When connections that are left are given up.
    ends_at: Option<Instant>,
}

enum Ready {
    Event(Token),
    Again(Box<Connection>),
}

/// Listens at an address.
///
/// # Errors
/// Why not.
pub(crate) fn listen(address: SocketAddr) -> io::Result<(Connections, Waiting)> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(address)?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let connections = Connections {
        registry: poll.registry().try_clone()?,
        waker: Waker::new(poll.registry(), WAKER)?,
        resting: Mutex::default(),
        open: Arc::default(),
        answers: AtomicU64::new(0),
        is_stopping: AtomicBool::new(false),
    };
    let waiting = Waiting {
        poll,
        events: Events::with_capacity(256),
        listener: Some(listener),
        may_accept: false,
        next_token: FIRST,
        ready: VecDeque::new(),
        ends_at: None,
    };
    Ok((connections, waiting))
}

impl Connections {
    /// Lets a connection rest after a flow, or end.
    pub(crate) fn take_back(&self, mut connection: Box<Connection>, scratch: &mut Scratch) {
        if self.is_stopping() {
            connection.finish(scratch);
        }
        let answers = scratch.finished.drain(..).count();
        self.answers.fetch_add(answers as u64, SeqCst);
        match connection.rest() {
            Rest::Over => drop(connection),
            Rest::Again => {
                self.resting().again.push(connection);
                self.wake();
            }
            Rest::Until(interest) => {
                let deadline = connection.deadline();
                let token = connection.token();
                let mut resting = self.resting();
                // Who cannot be watched would never be heard of.
                if connection.watch(&self.registry, interest).is_ok() {
                    resting.deadlines.insert((deadline, token));
                    resting.connections.insert(token, (connection, deadline));
                }
            }
        }
    }

    /// Has the source accept nobody any more, and end with the last connection.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, SeqCst);
        self.wake();
    }

    /// Answers that are complete.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(SeqCst)
    }

    fn wake(&self) {
        // It fails only where nobody waits any more.
        let _ = self.waker.wake();
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(SeqCst)
    }

    fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    fn resting(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resting {
    fn take(&mut self, token: Token) -> Option<Box<Connection>> {
        let (connection, deadline) = self.connections.remove(&token)?;
        self.deadlines.remove(&(deadline, token));
        Some(connection)
    }

    /// Takes one out whose time is over.
    fn expired(&mut self, now: Instant) -> Option<Box<Connection>> {
        let &(deadline, token) = self.deadlines.first()?;
        (deadline <= now).then(|| self.take(token)).flatten()
    }
}

impl Waiting {
    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        match &self.listener {
            Some(listener) => listener.local_addr(),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }

    /// The next connection that can go on; none once the server was stopped, and they are all over.
    pub(crate) fn next(
        &mut self,
        all: &Connections,
        scratch: &mut Scratch,
    ) -> Option<Box<Connection>> {
        loop {
            while let Some(ready) = self.ready.pop_front() {
                match ready {
                    Ready::Again(connection) => return Some(connection),
                    Ready::Event(LISTENER) => self.may_accept = true,
                    Ready::Event(token) => {
                        let Some(mut connection) = all.resting().take(token) else {
                            continue;
                        };
                        if connection.catch_up(scratch) {
                            return Some(connection);
                        }
                        all.take_back(connection, scratch);
                    }
                }
            }
            self.accept(all, scratch);
            self.expire(all, scratch);
            if all.is_stopping() && self.is_drained(all, scratch) {
                return None;
            }
            self.wait(all);
        }
    }

    fn accept(&mut self, all: &Connections, scratch: &mut Scratch) {
        while self.may_accept && all.open() < MOST_CONNECTIONS {
            let Some(listener) = &self.listener else {
                return;
            };
            match listener.accept() {
                Ok((stream, _)) => self.admit(stream, all, scratch),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.may_accept = false,
                Err(error)
                    if [ErrorKind::Interrupted, ErrorKind::ConnectionAborted]
                        .contains(&error.kind()) => {}
                // Descriptors are used up, as a rule: it is tried again after a pause.
                Err(_) => return,
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, all: &Connections, scratch: &mut Scratch) {
        let token = Token(self.next_token);
        self.next_token += 1;
        let connection = Connection::new(stream, token, Place::take(&all.open));
        all.take_back(Box::new(connection), scratch);
    }

    fn expire(&self, all: &Connections, scratch: &mut Scratch) {
        let now = Instant::now();
        loop {
            // Not held any longer: it goes back.
            let expired = all.resting().expired(now);
            let Some(mut connection) = expired else {
                return;
            };
            connection.expire(scratch);
            all.take_back(connection, scratch);
        }
    }

    /// Whether nothing is left that would be waited for.
    fn is_drained(&mut self, all: &Connections, scratch: &mut Scratch) -> bool {
        let ends_at = match self.ends_at {
            Some(ends_at) => ends_at,
            None => {
                self.listener = None;
                let tokens: Vec<_> = all.resting().connections.keys().copied().collect();
                for token in tokens {
                    // Not held any longer: it goes back.
                    let taken = all.resting().take(token);
                    if let Some(connection) = taken {
                        all.take_back(connection, scratch);
                    }
                }
                *self.ends_at.insert(Instant::now() + DRAIN)
            }
        };
        all.open() == 0 || Instant::now() >= ends_at
    }

    fn wait(&mut self, all: &Connections) {
        let mut resting = all.resting();
        let earliest = resting.deadlines.first().map(|(deadline, _)| *deadline);
        let until = earliest.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let is_soon = self.may_accept || all.is_stopping();
        let limit = is_soon.then_some(PAUSE);
        let at_once = (!resting.again.is_empty()).then_some(Duration::ZERO);
        let at_most = [until, limit, at_once].into_iter().flatten().min();
        drop(resting);
        // A signal, at most; nothing has come then.
        if self.poll.poll(&mut self.events, at_most).is_err() {
            self.events.clear();
        }
        let events = self.events.iter().map(|event| event.token());
        let events = events.filter(|token| *token != WAKER).map(Ready::Event);
        self.ready.extend(events);
        resting = all.resting();
        self.ready.extend(resting.again.drain(..).map(Ready::Again));
    }
}
