//! Who sends what is due, and over which connection. It stands between the schedule, the [`Pool`] and the [`Recorder`], which know nothing of each
//! other.

use super::connection::{Flight, Pending, State};
use super::multiplexed::{self, Multiplexed};
use super::pool::Pool;
use super::recorder::Recorder;
use crate::clock::{Clock, Nanos};
use crate::failure::Failure;
use crate::run::Run;
use crate::schedule::{Due, Origin, Schedule};
use crate::security;
use http::client::Expect;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// How long a connection that could not be made is left alone.
const BACK_OFF: Nanos = 100_000_000;

/// Sends the requests of one thread.
pub(super) struct Issuer {
    pub(super) run: Arc<Run>,
    pub(super) closed_loop: bool,
    started: bool,
    pub(super) clock: Clock,
    pub(super) schedule: Schedule,
    pub(super) pool: Pool,
    pub(super) recorder: Recorder,
    /// Requests of an open loop that are due again, since the connections that they were sent on ended.
    pub(super) again: VecDeque<Pending>,
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
            again: VecDeque::new(),
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
        while !self.again.is_empty() || self.schedule.next_at().is_some_and(|at| at <= now) {
            if self.closed_loop {
                let Some(due) = self.schedule.take(now) else {
                    break;
                };
                now = self.send_or_owe(due.into(), now);
            } else {
                let Some(slot) = self.pool.take_free() else {
                    self.dial_for_waiting(now);
                    break;
                };
                let Some(pending) = self.next_pending(now) else {
                    break;
                };
                now = self.send(slot, pending);
                self.pool.list_if_free(slot);
            }
        }
        while let Some(slot) = self.pool.take_dirty() {
            self.flush(slot);
        }
    }

    /// In a closed loop a client has a connection of its own.
    fn send_or_owe(&mut self, pending: Pending, now: Nanos) -> Nanos {
        let Origin::Client(client) = pending.due.origin else {
            return now;
        };
        let slot = client as usize;
        if self.pool.has_room(slot) && self.pool[slot].owed.is_empty() {
            return self.send(slot, pending);
        }
        // One that is open ends with the answers that are under way.
        self.pool[slot].owed.push_back(pending);
        if self.pool[slot].state == State::Closed {
            self.dial(slot, now);
        }
        now
    }

    /// Writes a request; returns when.
    #[inline]
    fn send(&mut self, slot: usize, pending: Pending) -> Nanos {
        let index = self.run.targets.order.at(pending.due.number);
        let target = &self.run.targets.targets[index];
        let connection = &mut self.pool[slot];
        connection.sent += 1;
        let last = connection.sent >= self.run.requests_per_connection;
        connection.closing = last || target.closes;
        let bytes = if last {
            &target.last_request
        } else {
            &target.request
        };
        if connection.flights.is_empty() && connection.http2.is_none() {
            connection.responses.expect(target.expect);
        }
        let written = self.clock.now();
        let stream = match connection.http2.as_deref_mut() {
            None => 0,
            Some(Multiplexed { client, said, .. }) => {
                let head_only = target.expect == Expect::HeadOnly;
                let stream = client.request(&target.block, head_only, said);
                connection.closing |= !client.has_numbers();
                stream
            }
        };
        connection.first_asked.get_or_insert(written);
        let again = pending.before.map_or(0, |(_, again)| again);
        let flight = Flight {
            pending,
            free: connection.free_since.max(again),
            written,
            first_byte: 0,
            target: index,
            stream,
        };
        connection.flights.push_back(flight);
        self.recorder.sent(&flight);
        let outcome = if stream > 0 && self.run.depth == 1 {
            connection.flush().map(drop)
        } else if stream > 0 {
            self.pool.flush_later(slot);
            Ok(())
        } else if self.run.depth == 1 {
            connection.write(bytes)
        } else {
            let queued = connection.queue(bytes);
            self.pool.flush_later(slot);
            queued
        };
        self.recorder.arrival_went_out(&flight);
        match outcome {
            Ok(()) => self
                .pool
                .arm(slot, written.saturating_add(self.run.timeout)),
            Err(error) => self.write_failed(slot, &error),
        }
        written
    }

    /// Writes what is left over.
    pub(super) fn flush(&mut self, slot: usize) {
        if self.pool[slot].stream.is_some()
            && let Err(error) = self.pool[slot].flush()
        {
            self.write_failed(slot, &error);
        }
    }

    /// A connection takes nothing more. Answers that came before its end are read first, and then that.
    #[cold]
    fn write_failed(&mut self, slot: usize, error: &io::Error) {
        self.pool[slot].broke(error.kind());
        self.pool.turns.push(slot);
    }

    /// Opens connections for arrivals that are due and find none free, as far as there may be more.
    #[cold]
    fn dial_for_waiting(&mut self, now: Nanos) {
        let waiting = self.waiting(now);
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

    /// Requests that are due and not under way.
    pub(super) fn waiting(&mut self, now: Nanos) -> u64 {
        self.schedule.waiting(now) + self.again.len() as u64
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
        match self.pool.is_made(slot, now) {
            None => {}
            Some(Ok(())) => self.connected(slot, now),
            Some(Err(error)) => self.dial_failed(slot, Failure::connecting(&error), now, &error),
        }
    }

    fn connected(&mut self, slot: usize, now: Nanos) {
        let took = self.pool.opened(slot, now);
        self.recorder.connected(took);
        // What HTTP/1.1 says without being asked is no answer.
        let mut early = Vec::new();
        if let Some(secured) = &mut self.pool[slot].secured {
            let took = now.saturating_sub(secured.since);
            self.recorder.shook_hands(took, secured.is_resumed());
            early = secured.take_early();
        }
        self.last_sign_of_life = now;
        if self.run.http2 {
            self.pool[slot].http2 = Some(Box::new(Multiplexed::new()));
            self.flush(slot);
            let run = Arc::clone(&self.run);
            if !early.is_empty() && !multiplexed::read(&run, self, slot, &early, now) {
                return;
            }
        }
        self.has_become_free(slot);
    }

    /// A connection may take a request: in a closed loop its client's, if one waits.
    #[inline]
    pub(super) fn has_become_free(&mut self, slot: usize) {
        if !self.closed_loop {
            return self.pool.list_if_free(slot);
        }
        while self.pool.has_room(slot)
            && let Some(pending) = self.pool[slot].owed.pop_front()
        {
            self.send(slot, pending);
        }
    }

    #[cold]
    pub(super) fn dial_failed(
        &mut self,
        slot: usize,
        failure: Failure,
        now: Nanos,
        error: &io::Error,
    ) {
        let record = &mut self.recorder.record;
        record.fail(failure);
        let address = self.pool.address(slot);
        record.example((failure, 0), || {
            let why = security::in_words(error, self.run.http2);
            format!("connecting to {address}: {why}")
        });
        let until = now.saturating_add(BACK_OFF);
        self.pool.refused(slot, until);
        // A client whose connection fails has had its request refused. It comes again when it may connect again.
        while let Some(pending) = self.pool[slot].owed.pop_front() {
            self.recorder.fail_unsent(&pending, now);
            let Due { origin, number, .. } = pending.due;
            self.schedule.failed(origin, number, until);
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
    pub(super) fn back(&mut self, slot: usize, now: Nanos) {
        let again = self.pool.back(slot, self.started);
        if again || !self.pool[slot].owed.is_empty() {
            self.dial(slot, now);
        } else {
            self.issue(now);
        }
    }

    /// What has been due the longest: what is due again was due before the rest.
    #[inline]
    pub(super) fn next_pending(&mut self, now: Nanos) -> Option<Pending> {
        let again = self.again.pop_front();
        again.or_else(|| self.schedule.take(now).map(Pending::from))
    }
}
