//! The connections of a thread: which are open, which may take a request, and when each is to be looked at. It knows neither the schedule nor
//! the record: what happens to a connection it tells to whoever asked.

use super::connection::{Connection, State};
use super::stream::Stream;
use crate::address::Address;
use crate::clock::{Nanos, SECOND};
use crate::run::Run;
use crate::security::Shaking;
use mio::{Registry, Token};
use run_queue::RunQueue;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;

/// How often a connection that is refused is tried before the run begins.
const ATTEMPTS_AT_START: u32 = 3;

/// How soon a connection must end on which a response came that nobody had asked for.
const END_WITHIN: Nanos = SECOND;

/// What the deadline of a connection was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deadline {
    /// It may be tried again.
    BackOff,
    /// To be made.
    Connect,
    /// To be answered.
    Answer,
    /// To end.
    End,
}

/// The connections of one thread, by number.
pub(super) struct Pool {
    run: Arc<Run>,
    registry: Registry,
    closed_loop: bool,
    connections: Vec<Connection>,
    most: usize,
    /// Connections that may take a request, the longest idle first. May hold some that no longer do.
    free: RunQueue<usize>,
    /// Connections to be opened when they are needed (open loop).
    closed: Vec<usize>,
    connecting: usize,
    /// The number of the address that the next connection goes to.
    next_address: usize,
    /// How many connections were made to each address.
    made: Vec<u64>,
    deadlines: BinaryHeap<Reverse<(Nanos, usize)>>,
    /// Where handshakes of TLS have their room, if there are any.
    shaking: Option<Shaking>,
    /// Connections with pipelined requests to be written together.
    dirty: RunQueue<usize>,
    /// Connections that were not read empty, in the order in which they have their next turns.
    pub(super) turns: RunQueue<usize>,
}

impl std::ops::Index<usize> for Pool {
    type Output = Connection;

    #[inline]
    fn index(&self, slot: usize) -> &Connection {
        &self.connections[slot]
    }
}

impl std::ops::IndexMut<usize> for Pool {
    #[inline]
    fn index_mut(&mut self, slot: usize) -> &mut Connection {
        &mut self.connections[slot]
    }
}

impl Pool {
    /// So many connections, none of them opened yet, and room for `most`. The first goes to the address of number `first`.
    pub(super) fn new(
        run: Arc<Run>,
        registry: Registry,
        (count, most): (usize, usize),
        first: usize,
    ) -> Self {
        let mut pool = Self {
            registry,
            closed_loop: run.is_closed_loop(),
            connections: Vec::with_capacity(most),
            most,
            free: RunQueue::with_capacity(most),
            closed: Vec::with_capacity(most),
            connecting: 0,
            next_address: first % run.addresses.len(),
            made: vec![0; run.addresses.len()],
            deadlines: BinaryHeap::with_capacity(most),
            shaking: run.security.as_ref().map(|_| Shaking::default()),
            dirty: RunQueue::default(),
            turns: RunQueue::with_capacity(most),
            run,
        };
        for _ in 0..count {
            pool.add();
        }
        pool
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter()
    }

    /// Requests under way, and those that wait for their client's connection.
    pub(super) fn in_flight(&self) -> usize {
        let under_way = |connection: &Connection| connection.flights.len() + connection.owed.len();
        self.iter().map(under_way).sum()
    }

    /// Connections that have brought no answer by `now`, though they were asked in the first half of the time until then.
    pub(super) fn unheard(&self, now: Nanos) -> usize {
        let is_unheard = |connection: &&Connection| {
            !connection.heard && connection.first_asked.is_some_and(|at| at <= now / 2)
        };
        self.iter().filter(is_unheard).count()
    }

    fn add(&mut self) -> usize {
        self.connections.push(Connection::new(self.run.depth));
        self.connections.len() - 1
    }

    pub(super) fn is_any_open(&self) -> bool {
        self.iter()
            .any(|connection| connection.state == State::Open)
    }

    /// How many are being made.
    pub(super) fn connecting(&self) -> usize {
        self.connecting
    }

    /// Whether some may still be made before the run begins.
    pub(super) fn is_any_coming(&self) -> bool {
        self.iter().any(|connection| match connection.state {
            State::Connecting { .. } => true,
            State::Down { .. } => connection.refusals < ATTEMPTS_AT_START,
            State::Open | State::Closed => false,
        })
    }

    /// One to be opened, if there may be another.
    pub(super) fn take_closed(&mut self) -> Option<usize> {
        match self.closed.pop() {
            None if self.len() < self.most => Some(self.add()),
            closed => closed,
        }
    }

    /// Begins to open a connection, to each address in turn.
    pub(super) fn dial(&mut self, slot: usize, now: Nanos) -> io::Result<()> {
        let connection = &mut self.connections[slot];
        connection.address = self.next_address;
        let address = &self.run.addresses[connection.address];
        self.next_address = (self.next_address + 1) % self.run.addresses.len();
        let stream = Stream::connect(address, &self.registry, Token(slot))?;
        connection.stream = Some(stream);
        connection.state = State::Connecting { since: now };
        self.connecting += 1;
        self.arm(slot, now.saturating_add(self.run.timeout));
        Ok(())
    }

    /// The address that a connection was last opened to.
    pub(super) fn address(&self, slot: usize) -> &Address {
        &self.run.addresses[self.connections[slot].address]
    }

    /// How many connections were made to each address.
    pub(super) fn made(&self) -> &[u64] {
        &self.made
    }

    /// Whether a connection has been made, its handshake of TLS among it. None: not yet.
    pub(super) fn is_made(&mut self, slot: usize, now: Nanos) -> Option<io::Result<()>> {
        let connection = &mut self.connections[slot];
        let mut stream = connection.stream.as_ref()?;
        let (Some(security), Some(shaking)) = (&self.run.security, &mut self.shaking) else {
            return stream.is_connected();
        };
        if connection.secured.is_none() {
            if let Err(error) = stream.is_connected()? {
                return Some(Err(error));
            }
            match security.connect(now) {
                Ok(secured) => connection.secured = Some(Box::new(secured)),
                Err(error) => return Some(Err(error)),
            }
        }
        let secured = connection.secured.as_mut()?;
        match secured.shake_hands(&mut stream, shaking) {
            Ok(true) => Some(Ok(())),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// A connection has been made. Returns how long that took.
    pub(super) fn opened(&mut self, slot: usize, now: Nanos) -> Nanos {
        let connection = &mut self.connections[slot];
        let since = match connection.state {
            State::Connecting { since } => since,
            _ => now,
        };
        self.connecting -= 1;
        self.made[connection.address] += 1;
        connection.state = State::Open;
        connection.free_since = now;
        connection.refusals = 0;
        now.saturating_sub(since)
    }

    /// A connection could not be made, and is left alone until then.
    pub(super) fn refused(&mut self, slot: usize, until: Nanos) {
        let connection = &mut self.connections[slot];
        if matches!(connection.state, State::Connecting { .. }) {
            self.connecting -= 1;
        }
        connection.reset();
        connection.refusals += 1;
        connection.state = State::Down { until };
        self.leave_queues(slot);
        self.arm(slot, until);
    }

    /// Closes a connection on which nothing is under way any more.
    pub(super) fn close(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        debug_assert!(connection.flights.is_empty());
        // Nobody else has the descriptor, so that closing it is all that epoll needs.
        connection.reset();
        self.leave_queues(slot);
        if !self.closed_loop {
            self.closed.push(slot);
        }
    }

    fn leave_queues(&mut self, slot: usize) {
        for queue in [&mut self.free, &mut self.dirty, &mut self.turns] {
            queue.remove(slot);
        }
    }

    /// A connection that could not be made may be tried again. True: and it should be, before the run begins.
    pub(super) fn back(&mut self, slot: usize, started: bool) -> bool {
        let connection = &mut self.connections[slot];
        connection.state = State::Closed;
        if !started && connection.refusals < ATTEMPTS_AT_START {
            return true;
        }
        if !self.closed_loop {
            self.closed.push(slot);
        }
        false
    }

    /// The clock starts anew; what happened while connecting lies before all time.
    pub(super) fn begin(&mut self) {
        self.deadlines.clear();
        for slot in 0..self.connections.len() {
            let connection = &mut self.connections[slot];
            connection.free_since = 0;
            connection.armed = Nanos::MAX;
            match connection.state {
                State::Open => self.list_if_free(slot),
                State::Connecting { .. } => {
                    connection.state = State::Connecting { since: 0 };
                    self.arm(slot, self.run.timeout);
                }
                State::Down { .. } => {
                    connection.state = State::Down { until: 0 };
                    self.arm(slot, 0);
                }
                State::Closed => {}
            }
        }
    }

    /// Whether another request may be written to a connection.
    #[inline]
    pub(super) fn has_room(&self, slot: usize) -> bool {
        self.connections[slot].has_room(self.run.depth)
    }

    /// The connection that has been free the longest (open loop).
    #[inline]
    pub(super) fn take_free(&mut self) -> Option<usize> {
        while let Some(slot) = self.free.pop() {
            if self.has_room(slot) {
                return Some(slot);
            }
        }
        None
    }

    /// Lists a connection among the free ones if it is one. In a closed loop each belongs to a client, and none is listed.
    #[inline]
    pub(super) fn list_if_free(&mut self, slot: usize) {
        if !self.closed_loop && self.has_room(slot) {
            self.free.push(slot);
        }
    }

    /// Has a connection written to when all that is due has been given out.
    #[inline]
    pub(super) fn flush_later(&mut self, slot: usize) {
        self.dirty.push(slot);
    }

    /// One that is to be written to.
    #[inline]
    pub(super) fn take_dirty(&mut self) -> Option<usize> {
        self.dirty.pop()
    }

    /// A response came, or the beginning of one, that nobody had asked for. The connection carries no more requests, and is to end soon.
    #[cold]
    pub(super) fn parting(&mut self, slot: usize, now: Nanos) {
        if self.connections[slot].ends_by == Nanos::MAX {
            let ends_by = now.saturating_add(END_WITHIN);
            self.connections[slot].ends_by = ends_by;
            self.arm(slot, ends_by);
        }
    }

    /// Has a connection looked at by `deadline`. If that is to happen earlier anyway, that will do.
    #[inline]
    pub(super) fn arm(&mut self, slot: usize, deadline: Nanos) {
        if deadline < self.connections[slot].armed {
            self.connections[slot].armed = deadline;
            self.deadlines.push(Reverse((deadline, slot)));
        }
    }

    /// When the next connection is to be looked at.
    pub(super) fn next_deadline(&self) -> Nanos {
        self.deadlines
            .peek()
            .map_or(Nanos::MAX, |Reverse((at, _))| *at)
    }

    /// A connection whose deadline has passed. A connection's place in the list is only a reminder to look at it: what
    /// counts is its oldest request. So there is one entry for each connection, however many requests go over it.
    pub(super) fn expired(&mut self, now: Nanos) -> Option<(usize, Deadline)> {
        while let Some(&Reverse((at, slot))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            let connection = &mut self.connections[slot];
            if connection.armed != at {
                // It was to be looked at earlier, and was.
                continue;
            }
            connection.armed = Nanos::MAX;
            let (deadline, of) = match connection.state {
                State::Closed => continue,
                State::Down { until } => (until, Deadline::BackOff),
                State::Connecting { since } => {
                    (since.saturating_add(self.run.timeout), Deadline::Connect)
                }
                State::Open => match connection.flights.front() {
                    Some(oldest) => (
                        oldest.written.saturating_add(self.run.timeout),
                        Deadline::Answer,
                    ),
                    None if connection.is_parting() => (connection.ends_by, Deadline::End),
                    None => continue,
                },
            };
            if deadline <= now {
                return Some((slot, of));
            }
            self.arm(slot, deadline);
        }
        None
    }
}
