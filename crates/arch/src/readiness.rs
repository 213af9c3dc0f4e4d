//! The table of sessions for an event loop, with their deadlines.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meter::Event;
use slab::Slab;

use crate::listener::Client;
use crate::session::{Blocked, Session, Socket};
use crate::setup::Worker;

/// Names a session: its place in the table, and which of the sessions that had that place. A token of a session that is
/// over names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token(u64);

impl Token {
    fn new(place: usize, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | place as u64)
    }

    fn place(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl From<Token> for usize {
    fn from(token: Token) -> usize {
        token.0 as usize
    }
}

impl From<usize> for Token {
    fn from(token: usize) -> Self {
        Self(token as u64)
    }
}

/// How often deadlines are looked at, at most; no deadline is missed by more.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
/// No deadline.
const NEVER: u64 = u64::MAX;

/// What the network said of a session's socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ready {
    readable: bool,
    writable: bool,
    hung_up: bool,
}

/// The sessions of one event loop. A session may leave its place for a while, to be worked on by others; what the network
/// says of its socket is noted for it meanwhile.
#[derive(Debug)]
pub struct Sessions {
    /// `None` keeps the place of a session that is away.
    sessions: Slab<Option<Session>>,
    /// Notes for those that are away.
    notes: Vec<Ready>,
    away: usize,
    /// Beside each session, in an array of their own so that looking at ten thousand of them takes microseconds: when to
    /// expire it, in milliseconds since `started`.
    deadlines_ms: Vec<u64>,
    generations: Vec<u32>,
    started: Instant,
    next_sweep: Instant,
    /// All sessions have been told that the server is stopping.
    told: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            sessions: Slab::new(),
            notes: Vec::new(),
            away: 0,
            deadlines_ms: Vec::new(),
            generations: Vec::new(),
            started: now,
            next_sweep: now + SWEEP_EVERY,
            told: false,
        }
    }
}

impl Sessions {
    /// Whether there are none, here or away.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// How many are away.
    pub fn away(&self) -> usize {
        self.away
    }

    /// Whether all that there are, if any, are away.
    pub fn are_all_away(&self) -> bool {
        self.away == self.sessions.len()
    }

    /// Begins a session, which takes it that something has been sent already.
    pub fn insert(&mut self, client: Client, worker: &Worker) -> Token {
        let session = Session::new(Arc::new(client), Socket::NonBlocking, worker.now);
        let place = self.sessions.insert(Some(session));
        if place == self.generations.len() {
            self.generations.push(0);
            self.deadlines_ms.push(NEVER);
            self.notes.push(Ready::default());
        }
        self.note_deadline(place, worker);
        Token::new(place, self.generations[place])
    }

    /// The session that `token` names, unless it is over or away.
    pub fn get_mut(&mut self, token: Token) -> Option<&mut Session> {
        if !self.is_known(token) {
            return None;
        }
        self.sessions.get_mut(token.place())?.as_mut()
    }

    fn is_known(&self, token: Token) -> bool {
        self.generations.get(token.place()) == Some(&token.generation())
    }

    /// Has `watch` watch a session's socket, unless it is watched already. A socket that cannot be watched would never move
    /// again, and its session is over.
    pub fn watch(&mut self, token: Token, watch: impl FnOnce(RawFd) -> io::Result<()>) {
        let Some(session) = self.get_mut(token) else {
            return;
        };
        let socket = session.socket().as_raw_fd();
        if !std::mem::replace(&mut session.watched, true) && watch(socket).is_err() {
            self.remove(token);
        }
    }

    /// The socket of a session may have become readable or writable. Tells whether the session is to be advanced: it is
    /// here, and this is news.
    pub fn ready(&mut self, token: Token, readable: bool, writable: bool, hung_up: bool) -> bool {
        if let Some(session) = self.get_mut(token) {
            return session.ready(readable, writable, hung_up);
        }
        if self.is_known(token) {
            let note = &mut self.notes[token.place()];
            note.readable |= readable;
            note.writable |= writable;
            note.hung_up |= hung_up;
        }
        false
    }

    /// Takes a session from its place, to be brought back or forgotten later.
    pub fn take(&mut self, token: Token) -> Option<Session> {
        if !self.is_known(token) {
            return None;
        }
        let place = token.place();
        let session = self.sessions.get_mut(place)?.take()?;
        self.deadlines_ms[place] = NEVER;
        self.notes[place] = Ready::default();
        self.away += 1;
        Some(session)
    }

    /// Tells a session that was taken what the network said of its socket meanwhile. Returns whether that is news to it.
    pub fn catch_up(&mut self, token: Token, session: &mut Session) -> bool {
        let note = std::mem::take(&mut self.notes[token.place()]);
        session.ready(note.readable, note.writable, note.hung_up)
    }

    /// Gives up those that are away: the drain deadline has passed, and nobody waits for them.
    pub fn abandon_away(&mut self, worker: &Worker) {
        worker.counters.count(Event::Abandoned, self.away as u64);
    }

    /// Brings a session back to its place.
    pub fn bring_back(&mut self, token: Token, session: Session, worker: &Worker) {
        let place = token.place();
        self.sessions[place] = Some(session);
        self.away -= 1;
        self.note_deadline(place, worker);
    }

    /// Runs a session until it would block, and says on what, with the session at hand for an answer; `None` when it is
    /// over.
    pub fn advance(
        &mut self,
        token: Token,
        worker: &mut Worker,
    ) -> Option<(&mut Session, Blocked)> {
        let blocked = self.get_mut(token)?.advance(worker);
        if matches!(blocked, Blocked::Closed) {
            self.remove(token);
            return None;
        }
        self.note_deadline(token.place(), worker);
        Some((self.get_mut(token)?, blocked))
    }

    /// Ends a session, here or away; its token, and whatever is still to come under it, names nothing from now on.
    pub fn remove(&mut self, token: Token) {
        if !self.is_known(token) {
            return;
        }
        let place = token.place();
        if let Some(session) = self.sessions.try_remove(place) {
            self.away -= usize::from(session.is_none());
            self.generations[place] = self.generations[place].wrapping_add(1);
            self.deadlines_ms[place] = NEVER;
        }
    }

    fn note_deadline(&mut self, place: usize, worker: &Worker) {
        let session = self.sessions.get(place).and_then(Option::as_ref);
        self.deadlines_ms[place] = session
            .and_then(|session| session.deadline(worker))
            .map_or(NEVER, |deadline| {
                milliseconds(deadline.saturating_duration_since(self.started))
            });
    }

    /// How long an event loop may wait for events before it looks at the deadlines again; `None` without any session.
    pub fn poll_timeout(&self, now: Instant) -> Option<Duration> {
        (!self.is_empty()).then(|| self.next_sweep.saturating_duration_since(now))
    }

    /// Expires the sessions whose deadlines have passed, and returns them to be advanced. When the server is stopping, all
    /// sessions are returned, since idle ones have to go.
    pub fn expire(&mut self, worker: &mut Worker) -> Vec<Token> {
        let now = worker.now;
        let stopping = worker.stop.is_stopping();
        if now < self.next_sweep && self.told == stopping {
            return Vec::new();
        }
        self.told = stopping;
        self.next_sweep = now + SWEEP_EVERY;
        let overdue = worker.stop.is_overdue(now);
        let now_ms = milliseconds(now.saturating_duration_since(self.started));
        let mut expired = Vec::new();
        for (place, &deadline_ms) in self.deadlines_ms.iter().enumerate() {
            let late = deadline_ms <= now_ms;
            if !late && !stopping {
                continue;
            }
            let Some(Some(session)) = self.sessions.get_mut(place) else {
                continue;
            };
            if overdue {
                session.abandon(worker);
            } else if late {
                session.expire();
            }
            expired.push(Token::new(place, self.generations[place]));
        }
        expired
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}
