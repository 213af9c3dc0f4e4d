//! Opening and closing connections, and the deadlines of both connecting and answering.

use super::connection::{Connection, State};
use super::{Engine, TIMER};
use crate::clock::Nanos;
use crate::failure::Failure;
use mio::net::TcpStream;
use mio::{Interest, Token};
use std::cmp::Reverse;
use std::io;

/// How long a connection that could not be made is left alone.
const BACK_OFF: Nanos = 100_000_000;

impl Engine {
    /// Adds a connection, not opened yet.
    pub(super) fn add_connection(&mut self) -> usize {
        self.connections.push(Connection::new(self.run.depth));
        self.connections.len() - 1
    }

    /// Opens connections for arrivals that are due and find none free, as far as there may be more.
    #[cold]
    pub(super) fn dial_for_waiting(&mut self, now: Nanos) {
        let waiting = self.schedule.waiting(now);
        while (self.connecting as u64) < waiting {
            let slot = match self.closed.pop() {
                Some(slot) => slot,
                None if self.connections.len() < self.most_connections => self.add_connection(),
                None => return,
            };
            self.dial(slot, now);
            if matches!(self.connections[slot].state, State::Down { .. }) {
                // Refused by this machine itself, for want of ports or descriptors: the next would be, too.
                return;
            }
        }
    }

    pub(super) fn dial(&mut self, slot: usize, now: Nanos) {
        let opened = TcpStream::connect(self.run.address).and_then(|mut stream| {
            stream.set_nodelay(true)?;
            let both = Interest::READABLE | Interest::WRITABLE;
            debug_assert!(slot < TIMER.0);
            self.poll
                .registry()
                .register(&mut stream, Token(slot), both)?;
            Ok(stream)
        });
        match opened {
            Ok(stream) => {
                let connection = &mut self.connections[slot];
                connection.stream = Some(stream);
                connection.state = State::Connecting { since: now };
                self.connecting += 1;
                self.arm(slot, now.saturating_add(self.run.timeout));
            }
            Err(error) => self.dial_failed(slot, Failure::connecting(&error), now, &error),
        }
    }

    /// Something happened to a connection under way.
    pub(super) fn connecting_event(&mut self, slot: usize, since: Nanos) {
        let now = self.clock.now();
        let Some(stream) = &self.connections[slot].stream else {
            return;
        };
        let failed = match stream.take_error() {
            Ok(Some(error)) | Err(error) => Some(error),
            Ok(None) => match stream.peer_addr() {
                Ok(_) => None,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return,
                Err(error) => Some(error),
            },
        };
        self.connecting -= 1;
        match failed {
            None => self.connected(slot, now, now.saturating_sub(since)),
            Some(error) => self.dial_failed(slot, Failure::connecting(&error), now, &error),
        }
    }

    fn connected(&mut self, slot: usize, now: Nanos, took: Nanos) {
        self.record.counts.connected += 1;
        self.record.connect.saturating_record(took);
        self.last_sign_of_life = now;
        let connection = &mut self.connections[slot];
        connection.state = State::Open;
        connection.free_since = now;
        connection.refusals = 0;
        if self.closed_loop {
            while self.connections[slot].sent < self.run.requests_per_connection
                && let Some(due) = self.connections[slot].owed.pop()
            {
                self.send(slot, due);
            }
        } else {
            self.list_if_free(slot);
        }
    }

    #[cold]
    fn dial_failed(&mut self, slot: usize, failure: Failure, now: Nanos, error: &io::Error) {
        self.record.fail(failure);
        let address = self.run.address;
        self.record
            .example((failure, 0), || format!("connecting to {address}: {error}"));
        let until = now.saturating_add(BACK_OFF);
        let connection = &mut self.connections[slot];
        connection.reset();
        connection.refusals += 1;
        connection.state = State::Down { until };
        self.arm(slot, until);
        // A client whose connection fails has had its request refused. It comes again when it may connect again.
        while let Some(due) = self.connections[slot].owed.pop() {
            self.fail_unsent(now);
            self.schedule.failed(due.origin, due.number, until);
        }
    }

    /// Closes a connection on which nothing is under way any more.
    pub(super) fn close(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        debug_assert!(connection.flights.is_empty());
        // Nobody else has the descriptor, so that closing it is all that epoll needs.
        connection.reset();
        if !self.closed_loop {
            self.closed.push(slot);
        } else if !self.connections[slot].owed.is_empty() {
            let now = self.clock.now();
            self.dial(slot, now);
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

    /// Deals with all deadlines that have passed. A connection's place in the list is only a reminder to look at it: what
    /// counts is its oldest request. So there is one entry for each connection, however many requests go over it.
    pub(super) fn expire(&mut self, now: Nanos) {
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
            let deadline = match connection.state {
                State::Closed => continue,
                State::Down { until } => until,
                State::Connecting { since } => since.saturating_add(self.run.timeout),
                State::Open => match connection.flights.front() {
                    Some(oldest) => oldest.written.saturating_add(self.run.timeout),
                    None => continue,
                },
            };
            if deadline > now {
                self.arm(slot, deadline);
                continue;
            }
            match connection.state {
                State::Down { .. } => self.up_again(slot, now),
                State::Connecting { .. } => {
                    self.connecting -= 1;
                    let error = io::ErrorKind::TimedOut.into();
                    self.dial_failed(slot, Failure::ConnectTimeout, now, &error);
                }
                State::Open => self.timed_out(slot, now),
                State::Closed => {}
            }
        }
    }

    /// A connection that could not be made may be tried again.
    fn up_again(&mut self, slot: usize, now: Nanos) {
        self.connections[slot].state = State::Closed;
        if !self.started {
            if self.connections[slot].refusals < super::ATTEMPTS_AT_START {
                self.dial(slot, now);
            } else if !self.closed_loop {
                self.closed.push(slot);
            }
        } else if !self.closed_loop {
            self.closed.push(slot);
            self.issue(now);
        } else if !self.connections[slot].owed.is_empty() {
            self.dial(slot, now);
        }
    }
}
