//! The table of sessions, with their deadlines.

use std::time::{Duration, Instant};

use arch::{Endpoint, Worker};

use crate::stack::Token;
use crate::stream::Stream;

/// How often deadlines are looked at, at most; no deadline is missed by more.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// A connection's session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) endpoint: Endpoint<Stream>,
    token: Token,
    /// When its client is to be looked at, once that has been asked.
    look_at: Option<Instant>,
    /// Its client's time is over.
    pub(crate) is_late: bool,
}

impl Session {
    /// What it waits for may have changed, and with it when to look at its client.
    pub(crate) fn has_moved(&mut self) {
        self.look_at = None;
    }
}

/// All sessions, at the places that their connections have in the stack.
#[derive(Debug)]
pub(crate) struct Sessions {
    all: Vec<Option<Session>>,
    count: usize,
    next_sweep: Instant,
}

impl Sessions {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            all: Vec::new(),
            count: 0,
            next_sweep: now + SWEEP_EVERY,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn insert(&mut self, token: Token, endpoint: Endpoint<Stream>) {
        let place = run_queue::Key::index(token);
        if place >= self.all.len() {
            self.all.resize_with(place + 1, || None);
        }
        let session = Session {
            endpoint,
            token,
            look_at: None,
            is_late: false,
        };
        self.count += usize::from(self.all[place].replace(session).is_none());
    }

    pub(crate) fn get_mut(&mut self, token: Token) -> Option<&mut Session> {
        let session = self.all.get_mut(run_queue::Key::index(token))?.as_mut()?;
        (session.token == token).then_some(session)
    }

    pub(crate) fn remove(&mut self, token: Token) {
        if self.get_mut(token).is_some() {
            self.all[run_queue::Key::index(token)] = None;
            self.count -= 1;
        }
    }

    /// All of them.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        let sessions = self.all.iter().flatten();
        sessions.map(|session| session.token).collect()
    }

    /// How long the loop may wait before it looks at the deadlines again; for ever without any session.
    pub(crate) fn time_to_sweep(&self, now: Instant) -> Option<Duration> {
        (self.count > 0).then(|| self.next_sweep.saturating_duration_since(now))
    }

    /// Looks at the clients whose deadlines have passed, and has those sessions advanced whose time is over.
    pub(crate) fn sweep(&mut self, worker: &Worker, mut advance: impl FnMut(Token)) {
        let now = worker.now;
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP_EVERY;
        for session in self.all.iter_mut().flatten() {
            let endpoint = &mut session.endpoint;
            let look_at = session.look_at.or_else(|| endpoint.next_look(worker));
            let is_to_look = look_at.is_some_and(|at| at <= now);
            session.look_at = look_at;
            if is_to_look {
                session.is_late |= endpoint.look(worker);
                session.look_at = endpoint.next_look(worker);
                if session.is_late {
                    advance(session.token);
                }
            }
        }
    }
}
