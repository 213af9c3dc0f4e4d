//! The table of sessions for an event loop, with their deadlines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::listener::Client;
use crate::session::{Blocked, Session, Socket};
use crate::site::Desk;

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
const NEVER: u32 = u32::MAX;

/// The sessions of one event loop.
#[derive(Debug)]
pub struct Sessions {
    sessions: Slab<Session>,
    /// Beside each session, in an array of their own so that looking at ten thousand of them takes microseconds: when to
    /// expire it, in milliseconds since `started`.
    deadlines_ms: Vec<u32>,
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
            deadlines_ms: Vec::new(),
            generations: Vec::new(),
            started: now,
            next_sweep: now + SWEEP_EVERY,
            told: false,
        }
    }
}

impl Sessions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Begins a session, which takes it that something has been sent already.
    pub fn insert(&mut self, client: Client, desk: &Desk) -> Token {
        let place = self.sessions.insert(Session::new(
            Arc::new(client),
            Socket::NonBlocking,
            desk.now,
        ));
        if place == self.generations.len() {
            self.generations.push(0);
            self.deadlines_ms.push(NEVER);
        }
        self.note_deadline(place, desk);
        Token::new(place, self.generations[place])
    }

    /// The session that `token` names, unless it is over.
    pub fn get_mut(&mut self, token: Token) -> Option<&mut Session> {
        let place = token.place();
        if self.generations.get(place) != Some(&token.generation()) {
            return None;
        }
        self.sessions.get_mut(place)
    }

    /// Runs a session until it would block, and says on what, with the session at hand for an answer; `None` when it is
    /// over.
    pub fn advance(&mut self, token: Token, desk: &mut Desk) -> Option<(&mut Session, Blocked)> {
        let blocked = self.get_mut(token)?.advance(desk);
        if matches!(blocked, Blocked::Closed) {
            self.remove(token);
            return None;
        }
        let place = token.place();
        self.note_deadline(place, desk);
        Some((&mut self.sessions[place], blocked))
    }

    /// Ends a session; its token, and whatever is still to come under it, names nothing from now on.
    pub fn remove(&mut self, token: Token) {
        if self.get_mut(token).is_some() {
            let place = token.place();
            self.generations[place] = self.generations[place].wrapping_add(1);
            self.deadlines_ms[place] = NEVER;
            self.sessions.remove(place);
        }
    }

    fn note_deadline(&mut self, place: usize, desk: &Desk) {
        self.deadlines_ms[place] = self.sessions[place]
            .deadline(desk)
            .map_or(NEVER, |deadline| {
                milliseconds(deadline.saturating_duration_since(self.started))
            });
    }

    /// How long an event loop may wait for events before it looks at the deadlines again; `None` without any session.
    pub fn patience(&self, now: Instant) -> Option<Duration> {
        (!self.is_empty()).then(|| self.next_sweep.saturating_duration_since(now))
    }

    /// Expires the sessions whose deadlines have passed, and returns them to be advanced. When the server is stopping, all
    /// sessions are returned, since idle ones have to go.
    pub fn expire(&mut self, desk: &mut Desk) -> Vec<Token> {
        let now = desk.now;
        let stopping = desk.stop.is_stopping();
        if now < self.next_sweep && self.told == stopping {
            return Vec::new();
        }
        self.told = stopping;
        self.next_sweep = now + SWEEP_EVERY;
        let overdue = desk.stop.is_overdue(now);
        let now_ms = milliseconds(now.saturating_duration_since(self.started));
        let mut expired = Vec::new();
        for (place, &deadline_ms) in self.deadlines_ms.iter().enumerate() {
            let late = deadline_ms <= now_ms;
            if !late && !stopping {
                continue;
            }
            let Some(session) = self.sessions.get_mut(place) else {
                continue;
            };
            if overdue {
                session.abandon(desk);
            } else if late {
                session.expire();
            }
            expired.push(Token::new(place, self.generations[place]));
        }
        expired
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}
