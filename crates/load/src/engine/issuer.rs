//! Who sends what is due, and over which connection; and what becomes of it when a connection ends. It stands between the schedule, the
//! [`Pool`] and the [`Recorder`], which know nothing of each other.

use super::connection::{Flight, State};
use super::pool::{Deadline, Pool};
use super::recorder::Recorder;
use crate::clock::{Clock, Nanos};
use crate::failure::Failure;
use crate::run::Run;
use crate::schedule::{Due, Origin, Schedule};
use std::io;
use std::sync::Arc;

/// How long a connection that could not be made is left alone.
const BACK_OFF: Nanos = 100_000_000;

/// Sends the requests of one thread.
pub(super) struct Issuer {
    run: Arc<Run>,
    closed_loop: bool,
    started: bool,
    pub(super) clock: Clock,
    pub(super) schedule: Schedule,
    pub(super) pool: Pool,
    pub(super) recorder: Recorder,
    pub(super) last_sign_of_life: Nanos,
}

impl Issuer {
    pub(super) fn new(
        run: Arc<Run>,
        clock: Clock,
        schedule: Schedule,
        pool: Pool,
        recorder: Recorder,
    ) -> Self {
        Self {
            closed_loop: run.is_closed_loop(),
            started: false,
            clock,
            schedule,
            pool,
            recorder,
            last_sign_of_life: 0,
            run,
        }
    }

    /// The clock starts, and requests become due.
    pub(super) fn begin(&mut self, clock: Clock) {
        self.clock = clock;
        self.started = true;
        self.last_sign_of_life = 0;
        self.pool.begin();
    }

    /// Sends whatever is due, as far as connections are free. `now` may be a little old.
    #[inline]
    pub(super) fn issue(&mut self, mut now: Nanos) {
        if !self.started {
            return;
        }
        while self.schedule.next_at().is_some_and(|at| at <= now) {
            if self.closed_loop {
                let Some(due) = self.schedule.take(now) else {
                    break;
                };
                now = self.send_or_owe(due, now);
            } else {
                let Some(slot) = self.pool.take_free() else {
                    self.dial_for_waiting(now);
                    break;
                };
                let Some(due) = self.schedule.take(now) else {
                    break;
                };
                now = self.send(slot, due);
                self.pool.list_if_free(slot);
            }
        }
        while let Some(slot) = self.pool.take_dirty() {
            self.flush(slot, now);
        }
    }

    /// In a closed loop a client has a connection of its own.
    fn send_or_owe(&mut self, due: Due, now: Nanos) -> Nanos {
        let Origin::Client(client) = due.origin else {
            return now;
        };
        let slot = client as usize;
        match self.pool[slot].state {
            State::Open if self.pool[slot].sent < self.run.requests_per_connection => {
                return self.send(slot, due);
            }
            // It ends with the answers that are under way.
            State::Open => self.pool[slot].owed.push(due),
            State::Closed => {
                self.pool[slot].owed.push(due);
                self.dial(slot, now);
            }
            State::Down { .. } | State::Connecting { .. } => {
                self.pool[slot].owed.push(due);
            }
        }
        now
    }

    /// Writes a request; returns when.
    #[inline]
    fn send(&mut self, slot: usize, due: Due) -> Nanos {
        let index = self.run.targets.order.at(due.number);
        let target = &self.run.targets.targets[index];
        let connection = &mut self.pool[slot];
        connection.sent += 1;
        let last = connection.sent >= self.run.requests_per_connection;
        let bytes = if last {
            &target.last_request
        } else {
            &target.request
        };
        if connection.flights.is_empty() {
            connection.responses.expect(target.expect);
        }
        let written = self.clock.now();
        connection.first_asked.get_or_insert(written);
        let flight = Flight {
            intended: due.intended,
            free: connection.free_since,
            written,
            first_byte: 0,
            number: due.number,
            origin: due.origin,
            target: index,
        };
        connection.flights.push_back(flight);
        self.recorder.sent(&flight);
        let outcome = if self.run.depth == 1 {
            connection.write(bytes)
        } else {
            connection.out.extend_from_slice(bytes);
            self.pool.flush_later(slot);
            Ok(())
        };
        self.recorder.arrival_went_out(&due, &flight);
        match outcome {
            Ok(()) => self
                .pool
                .arm(slot, written.saturating_add(self.run.timeout)),
            Err(error) => self.socket_failed(slot, &error, written),
        }
        written
    }

    /// Writes what is left over.
    pub(super) fn flush(&mut self, slot: usize, now: Nanos) {
        if self.pool[slot].stream.is_some()
            && let Err(error) = self.pool[slot].flush()
        {
            self.socket_failed(slot, &error, now);
        }
    }

    /// Opens connections for arrivals that are due and find none free, as far as there may be more.
    #[cold]
    fn dial_for_waiting(&mut self, now: Nanos) {
        let waiting = self.schedule.waiting(now);
        while (self.pool.connecting() as u64) < waiting {
            let Some(slot) = self.pool.take_closed() else {
                return;
            };
            self.dial(slot, now);
            if matches!(self.pool[slot].state, State::Down { .. }) {
                // Refused by this machine itself, for want of ports or descriptors: the next would be, too.
                return;
            }
        }
    }

    /// Begins to open a connection.
    pub(super) fn dial(&mut self, slot: usize, now: Nanos) {
        if let Err(error) = self.pool.dial(slot, now) {
            self.dial_failed(slot, Failure::connecting(&error), now, &error);
        }
    }

    /// Something happened to a connection under way.
    pub(super) fn connecting_event(&mut self, slot: usize) {
        let now = self.clock.now();
        match self.pool.is_made(slot) {
            None => {}
            Some(Ok(())) => self.connected(slot, now),
            Some(Err(error)) => self.dial_failed(slot, Failure::connecting(&error), now, &error),
        }
    }

    fn connected(&mut self, slot: usize, now: Nanos) {
        let took = self.pool.opened(slot, now);
        self.recorder.connected(took);
        self.last_sign_of_life = now;
        if self.closed_loop {
            while self.pool[slot].sent < self.run.requests_per_connection
                && let Some(due) = self.pool[slot].owed.pop()
            {
                self.send(slot, due);
            }
        } else {
            self.pool.list_if_free(slot);
        }
    }

    #[cold]
    fn dial_failed(&mut self, slot: usize, failure: Failure, now: Nanos, error: &io::Error) {
        let record = &mut self.recorder.record;
        record.fail(failure);
        let address = self.run.address;
        record.example((failure, 0), || format!("connecting to {address}: {error}"));
        let until = now.saturating_add(BACK_OFF);
        self.pool.refused(slot, until);
        // A client whose connection fails has had its request refused. It comes again when it may connect again.
        while let Some(due) = self.pool[slot].owed.pop() {
            self.recorder.fail_unsent(now);
            self.schedule.failed(due.origin, due.number, until);
        }
    }

    /// Closes a connection on which nothing is under way any more, and opens it again for the client who waits for that.
    pub(super) fn close(&mut self, slot: usize) {
        self.pool.close(slot);
        if !self.pool[slot].owed.is_empty() {
            let now = self.clock.now();
            self.dial(slot, now);
        }
    }

    /// A connection that could not be made may be tried again.
    fn back(&mut self, slot: usize, now: Nanos) {
        let again = self.pool.back(slot, self.started);
        if again || !self.pool[slot].owed.is_empty() {
            self.dial(slot, now);
        } else {
            self.issue(now);
        }
    }

    /// Deals with all deadlines that have passed.
    pub(super) fn expire(&mut self, now: Nanos) {
        while let Some((slot, of)) = self.pool.expired(now) {
            match of {
                Deadline::BackOff => self.back(slot, now),
                Deadline::Connect => {
                    let error = io::ErrorKind::TimedOut.into();
                    self.dial_failed(slot, Failure::ConnectTimeout, now, &error);
                }
                Deadline::Answer => self.timed_out(slot, now),
            }
        }
    }

    /// The request was answered, well or not.
    #[inline]
    pub(super) fn answered(&mut self, flight: &Flight, fault: Option<Failure>, now: Nanos) {
        self.last_sign_of_life = now;
        self.recorder.heard(now);
        match fault {
            None => {
                self.recorder.answered(flight, now);
                let session = self.schedule.answered(flight.origin, flight.number, now);
                if let Some(start) = session {
                    self.recorder.session(start, now);
                }
            }
            Some(failure) => self.failed(flight, failure, now),
        }
    }

    /// Came to nothing.
    #[cold]
    fn failed(&mut self, flight: &Flight, failure: Failure, now: Nanos) {
        self.recorder.failed(flight, failure);
        self.schedule.failed(flight.origin, flight.number, now);
    }

    /// Fails everything under way on a connection, and closes it.
    pub(super) fn fail_all(&mut self, slot: usize, failure: Failure, now: Nanos) {
        while let Some(flight) = self.pool[slot].flights.pop_front() {
            self.failed(&flight, failure, now);
        }
        self.close(slot);
    }

    #[cold]
    pub(super) fn socket_failed(&mut self, slot: usize, error: &io::Error, now: Nanos) {
        let failure = Failure::exchanging(error);
        self.example(slot, failure, |url| format!("{url}: {error}"));
        self.fail_all(slot, failure, now);
    }

    /// The oldest request on a connection was not answered in time. What stands behind it cannot be answered either.
    #[cold]
    fn timed_out(&mut self, slot: usize, now: Nanos) {
        self.example(slot, Failure::Timeout, |url| {
            format!("{url}: no answer in time")
        });
        while let Some(flight) = self.pool[slot].flights.pop_front() {
            self.recorder.timed_out(&flight, now);
            self.schedule.failed(flight.origin, flight.number, now);
        }
        self.close(slot);
        self.issue(now);
    }

    /// Keeps what became of the oldest request on a connection, in words. False: there is none.
    pub(super) fn example(
        &mut self,
        slot: usize,
        failure: Failure,
        words: impl FnOnce(&str) -> String,
    ) -> bool {
        let Some(flight) = self.pool[slot].flights.front() else {
            return false;
        };
        let url = &self.run.targets.targets[flight.target].url;
        let record = &mut self.recorder.record;
        record.example((failure, 0), || words(url));
        true
    }

    /// Nothing will be asked for any more: clients that wait for nothing leave. A worker that serves one client at a time would
    /// otherwise stay with them, and those who still wait would be given up for no fault of the server's.
    pub(super) fn hang_up(&mut self) {
        for slot in 0..self.pool.len() {
            if self.pool[slot].state == State::Open && self.pool[slot].is_idle() {
                self.close(slot);
            }
        }
    }

    /// Whether nothing is due, under way, or waiting.
    pub(super) fn is_done(&self) -> bool {
        self.schedule.is_idle() && self.pool.iter().all(|connection| connection.is_idle())
    }

    /// A run by number of requests would wait for ever for a server that is gone.
    pub(super) fn server_is_gone(&self, now: Nanos) -> bool {
        let is_down = |state| matches!(state, State::Down { .. });
        self.run.drain_until() == Nanos::MAX
            && now - self.last_sign_of_life.min(now) > self.run.timeout
            && self.pool.iter().all(|connection| is_down(connection.state))
    }

    /// Gives up what is under way at the end. Returns how much that was.
    pub(super) fn censor_the_rest(&mut self, now: Nanos) -> u64 {
        let mut unfinished = 0;
        for slot in 0..self.pool.len() {
            while let Some(flight) = self.pool[slot].flights.pop_front() {
                unfinished += 1;
                self.recorder.censor(&flight, now);
            }
        }
        unfinished
    }

    /// What was due and never sent. Where there was no connection left to send it on, it failed for that.
    pub(super) fn censor_unsent(&mut self, now: Nanos) -> u64 {
        if self.closed_loop {
            let owed = self.pool.iter().map(|connection| connection.owed.len());
            let unsent = owed.sum::<usize>() as u64;
            self.recorder.owed(unsent, now);
            return unsent;
        }
        let disconnected = !self.pool.is_any_open();
        let mut unsent = 0;
        while let Some(due) = self.schedule.take(now) {
            unsent += 1;
            self.recorder.unsent(&due, disconnected, now);
        }
        unsent
    }
}
