//! The table of sessions for an event loop, with their deadlines.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::{Client, Done, Endpoint, Interest, Progress, Readiness, Worker};
use meter::Event;
use run_queue::Key;
use slab::Slab;

/// Names a session: its place in the table, and which of the sessions that had that place. A token of a session that is
/// over names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(u64);

impl Token {
    fn new(place: usize, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | place as u64)
    }

    #[inline]
    fn place(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }

    #[inline]
    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Key for Token {
    fn index(self) -> usize {
        self.place()
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
/// A deadline that nobody has asked for yet.
const UNKNOWN: u64 = u64::MAX - 1;

/// The sessions of one event loop. A session may leave its place for a while, to be worked on by others; what the network
/// says of its socket is noted for it meanwhile.
#[derive(Debug)]
pub struct Sessions {
    /// `None` keeps the place of a session that is away.
    sessions: Slab<Option<Endpoint>>,
    /// Notes for those that are away.
    notes: Vec<Readiness>,
    away: usize,
    /// Beside each session, in an array of their own so that looking at ten thousand of them takes microseconds: when to
    /// expire it, in milliseconds since `started`.
    deadlines_ms: Vec<u64>,
    generations: Vec<u32>,
    watched: Vec<Watched>,
    started: Instant,
    next_sweep: Instant,
    /// All sessions have been told that the server is stopping.
    told: bool,
}

/// Whether somebody waits for the socket of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Not,
    /// It lingers, and is looked at a little later.
    Aside,
    /// By this number; also of one that is over, until its poller has been told.
    By(RawFd),
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
            watched: Vec::new(),
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
        let endpoint = Endpoint::new(Arc::new(client), worker);
        let place = self.sessions.insert(Some(endpoint));
        if place == self.generations.len() {
            self.generations.push(0);
            self.watched.push(Watched::Not);
            self.deadlines_ms.push(NEVER);
            self.notes.push(Readiness::default());
        }
        self.watched[place] = Watched::Not;
        self.note_deadline(place);
        Token::new(place, self.generations[place])
    }

    /// The session that `token` names, unless it is over or away.
    #[inline]
    pub fn get_mut(&mut self, token: Token) -> Option<&mut Endpoint> {
        if !self.is_known(token) {
            return None;
        }
        self.sessions.get_mut(token.place())?.as_mut()
    }

    #[inline]
    fn is_known(&self, token: Token) -> bool {
        self.generations.get(token.place()) == Some(&token.generation())
    }

    /// Whether a session's socket is watched.
    #[inline]
    pub(crate) fn is_watched(&self, token: Token) -> bool {
        matches!(self.watched[token.place()], Watched::By(_))
    }

    /// Has `unwatch` no longer watch the socket of a session that lingers, which is put aside, once; whether it is.
    pub(crate) fn put_aside(
        &mut self,
        token: Token,
        unwatch: impl FnOnce(BorrowedFd<'_>) -> bool,
    ) -> bool {
        let watched = self.watched[token.place()];
        let Some(session) = self.get_mut(token) else {
            return false;
        };
        let is_aside = match watched {
            _ if !session.may_stay() => false,
            Watched::Not => true,
            Watched::By(_) => unwatch(session.socket()),
            Watched::Aside => false,
        };
        if is_aside {
            self.watched[token.place()] = Watched::Aside;
        }
        is_aside
    }

    /// Has `watch` watch a session's socket for what it waits for. A socket that cannot be watched would never move again, and its
    /// session is over.
    pub(crate) fn watch(
        &mut self,
        token: Token,
        watch: impl FnOnce(BorrowedFd<'_>, Interest) -> io::Result<()>,
    ) {
        let Some(session) = self.get_mut(token) else {
            return;
        };
        let socket = session.socket();
        let number = socket.as_raw_fd();
        if watch(socket, session.interest()).is_ok() {
            self.watched[token.place()] = Watched::By(number);
        } else {
            self.remove(token);
        }
    }

    /// The socket of a session that is over, if it was watched: its poller is to be told.
    pub(crate) fn forget(&mut self, token: Token) -> Option<RawFd> {
        let place = token.place();
        // Another session may have the place by now.
        if self.sessions.contains(place) {
            return None;
        }
        match std::mem::replace(&mut self.watched[place], Watched::Not) {
            Watched::By(number) => Some(number),
            Watched::Not | Watched::Aside => None,
        }
    }

    /// The network says something of a session's socket. Tells whether the session is to be advanced: it is here, and this is
    /// news.
    #[inline]
    pub fn ready(&mut self, token: Token, readiness: Readiness) -> bool {
        if let Some(session) = self.get_mut(token) {
            return session.ready(readiness);
        }
        if self.is_known(token) {
            self.notes[token.place()].add(readiness);
        }
        false
    }

    /// Takes a session from its place, to be brought back or forgotten later.
    pub fn take(&mut self, token: Token) -> Option<Endpoint> {
        if !self.is_known(token) {
            return None;
        }
        let place = token.place();
        let session = self.sessions.get_mut(place)?.take()?;
        self.deadlines_ms[place] = NEVER;
        self.notes[place] = Readiness::default();
        self.away += 1;
        Some(session)
    }

    /// Whether the session that `token` names was taken and is to be brought back.
    pub fn is_away(&self, token: Token) -> bool {
        self.is_known(token) && matches!(self.sessions.get(token.place()), Some(None))
    }

    /// Tells a session that was taken what the network said of its socket meanwhile. Returns whether that is news to it.
    pub fn catch_up(&mut self, token: Token, session: &mut Endpoint) -> bool {
        let note = std::mem::take(&mut self.notes[token.place()]);
        session.ready(note)
    }

    /// Gives up those that are away: the drain deadline has passed, and nobody waits for them.
    pub fn abandon_away(&mut self, worker: &Worker) {
        worker.counters.count(Event::Abandoned, self.away as u64);
    }

    /// Brings a session back to its place.
    pub fn bring_back(&mut self, token: Token, session: Endpoint) {
        let place = token.place();
        self.sessions[place] = Some(session);
        self.away -= 1;
        self.note_deadline(place);
    }

    /// Runs a session until it has to wait or has had its turn, and says how far it got; one that is over leaves the table.
    #[inline]
    pub fn advance(&mut self, token: Token, worker: &mut Worker) -> Progress {
        let Some(session) = self.get_mut(token) else {
            return Progress::Closed;
        };
        let progress = session.advance(worker);
        if matches!(progress, Progress::Closed) {
            self.remove(token);
        } else {
            self.note_deadline(token.place());
        }
        progress
    }

    /// A session's work is done; of one that is over, nothing comes.
    #[inline]
    pub fn done(&mut self, token: Token, done: Done, worker: &mut Worker) {
        if let Some(session) = self.get_mut(token) {
            session.done(done, worker);
        }
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

    /// When the client of a session is to be looked at is known at the next sweep, and not before: it changes with every request.
    #[inline]
    fn note_deadline(&mut self, place: usize) {
        self.deadlines_ms[place] = UNKNOWN;
    }

    fn know_deadline(&mut self, place: usize, worker: &Worker) {
        let session = self.sessions.get(place).and_then(Option::as_ref);
        self.deadlines_ms[place] = session
            .and_then(|session| session.next_look(worker))
            .map_or(NEVER, |deadline| {
                milliseconds(deadline.saturating_duration_since(self.started))
            });
    }

    /// How long an event loop may wait for events before it looks at the deadlines again; `None` without any session.
    pub fn poll_timeout(&self, now: Instant) -> Option<Duration> {
        (!self.is_empty()).then(|| self.next_sweep.saturating_duration_since(now))
    }

    /// Looks at the sessions whose deadlines have passed, and has those advanced whose time is over. When the server is stopping,
    /// that is all of them, since idle ones have to go.
    pub fn expire(&mut self, worker: &mut Worker, mut advance: impl FnMut(Token)) {
        let now = worker.now;
        let stopping = worker.is_stopping();
        if now < self.next_sweep && self.told == stopping {
            return;
        }
        self.told = stopping;
        self.next_sweep = now + SWEEP_EVERY;
        let overdue = worker.is_overdue();
        let now_ms = milliseconds(now.saturating_duration_since(self.started));
        for place in 0..self.deadlines_ms.len() {
            if self.deadlines_ms[place] == UNKNOWN {
                self.know_deadline(place, worker);
            }
            let late = self.deadlines_ms[place] <= now_ms;
            if !late && !stopping {
                continue;
            }
            let Some(Some(session)) = self.sessions.get_mut(place) else {
                continue;
            };
            if overdue {
                session.abandon(worker);
            } else if late && !session.look(worker) {
                self.know_deadline(place, worker);
                if !stopping {
                    continue;
                }
            }
            advance(Token::new(place, self.generations[place]));
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(UNKNOWN - 1)
}
