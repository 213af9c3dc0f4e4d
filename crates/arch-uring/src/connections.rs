//! The table of connections, with their deadlines.

use std::time::{Duration, Instant};

use arch::{CompletionEndpoint, Worker};
use run_queue::Key;
use slab::Slab;
use sys::ring::Registered;

/// Names a connection: its place in the table, and which of those that had that place. One of a connection that is over names
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u64);

/// A token has to fit into the mark of an entry.
const GENERATIONS: u64 = sys::ring::TOKENS >> PLACE_BITS;
const PLACE_BITS: u32 = 32;

impl Token {
    fn new(place: usize, generation: u64) -> Self {
        Self((generation % GENERATIONS) << PLACE_BITS | place as u64)
    }

    fn place(self) -> usize {
        (self.0 & ((1 << PLACE_BITS) - 1)) as usize
    }
}

impl Key for Token {
    fn index(self) -> usize {
        self.place()
    }
}

impl From<Token> for u64 {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl From<u64> for Token {
    fn from(token: u64) -> Self {
        Self(token)
    }
}

/// A connection, and what the kernel has of it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) endpoint: CompletionEndpoint,
    pub(crate) socket: Registered,
    /// Something is received for it.
    pub(crate) is_received_for: bool,
    /// That has been told to end.
    pub(crate) is_receive_cancelled: bool,
    /// How many chains of its are under way.
    pub(crate) chains: u8,
    /// Its session is over: it goes as soon as nothing of it is the kernel's.
    pub(crate) is_over: bool,
    token: Token,
    /// When its client is to be looked at, once that has been asked.
    look_at: Option<Instant>,
}

impl Connection {
    /// Whether the kernel has nothing of it.
    pub(crate) fn is_free(&self) -> bool {
        !self.is_received_for && self.chains == 0
    }
}

/// How often deadlines are looked at, at most; no deadline is missed by more.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// All connections of the loop.
#[derive(Debug)]
pub(crate) struct Connections {
    all: Slab<Connection>,
    inserted: u64,
    next_sweep: Instant,
    /// All have been told that the server is stopping.
    told: bool,
}

impl Connections {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            all: Slab::new(),
            inserted: 0,
            next_sweep: now + SWEEP_EVERY,
            told: false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn insert(&mut self, endpoint: CompletionEndpoint, socket: Registered) -> Token {
        self.inserted += 1;
        let place = self.all.vacant_entry();
        let token = Token::new(place.key(), self.inserted);
        place.insert(Connection {
            endpoint,
            socket,
            is_received_for: false,
            is_receive_cancelled: false,
            chains: 0,
            is_over: false,
            token,
            look_at: None,
        });
        token
    }

    /// The connection that `token` names, unless it is gone.
    pub(crate) fn get_mut(&mut self, token: Token) -> Option<&mut Connection> {
        let connection = self.all.get_mut(token.place())?;
        (connection.token == token).then_some(connection)
    }

    /// Lets a connection go, and closes its socket.
    pub(crate) fn remove(&mut self, token: Token) {
        if self.get_mut(token).is_some() {
            self.all.remove(token.place());
        }
    }

    /// How long the loop may wait before it looks at the deadlines again; for ever without any connection.
    pub(crate) fn time_to_sweep(&self, now: Instant) -> Option<Duration> {
        (!self.is_empty()).then(|| self.next_sweep.saturating_duration_since(now))
    }

    /// Looks at the clients whose deadlines have passed, and has those connections advanced whose time is over. When the server is
    /// stopping, that is all of them, since idle ones have to go.
    pub(crate) fn sweep(&mut self, worker: &mut Worker, mut advance: impl FnMut(Token)) {
        let (now, stopping) = (worker.now, worker.is_stopping());
        if now < self.next_sweep && self.told == stopping {
            return;
        }
        self.told = stopping;
        self.next_sweep = now + SWEEP_EVERY;
        let overdue = worker.is_overdue();
        for (_, connection) in &mut self.all {
            if connection.is_over {
                continue;
            }
            let endpoint = &mut connection.endpoint;
            if overdue {
                endpoint.abandon(worker);
                advance(connection.token);
                continue;
            }
            let look_at = connection.look_at.or_else(|| endpoint.next_look(worker));
            let is_to_look = look_at.is_some_and(|at| at <= now);
            let is_late = is_to_look && endpoint.look(worker);
            connection.look_at = match is_to_look {
                true => endpoint.next_look(worker),
                false => look_at,
            };
            if is_late || stopping {
                advance(connection.token);
            }
        }
    }
}

impl Connection {
    /// What its session waits for may have changed, and with it when to look at its client.
    pub(crate) fn has_moved(&mut self) {
        self.look_at = None;
    }
}
