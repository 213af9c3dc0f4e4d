//! The end of a run, and what goes to the collector.

use super::Engine;
use super::connection::{Connection, State};
use crate::clock::Nanos;
use crate::collect::{Live, Parcel};
use crate::cpu::ThreadTimes;
use crate::fidelity::Fidelity;

/// What a thread has to say at the end beside its records.
pub(crate) struct Ended {
    pub(crate) fidelity: Option<Fidelity>,
    /// When its last request was dealt with.
    pub(crate) at: Nanos,
    /// When its schedule ended: as planned, or when it was stopped from outside.
    pub(crate) stopped_at: Nanos,
    pub(crate) times: ThreadTimes,
    /// Of its processor time, what it span away waiting for due times.
    pub(crate) spun: Nanos,
    /// Requests that were due by the end.
    pub(crate) scheduled: u64,
    /// Requests under way when the drain ended.
    pub(crate) unfinished: u64,
    /// Arrivals that were never sent.
    pub(crate) unsent: u64,
    /// Whether the run was given up because the server was gone.
    pub(crate) gave_up: bool,
    /// Connections in the end, opened or not.
    pub(crate) connections: usize,
    /// Connections that had not brought an answer when the last request had been made, though they were asked in the first half
    /// of the time until then.
    pub(crate) unheard: usize,
    /// When the last answer came, whatever it was.
    pub(crate) last_answer: Nanos,
    /// Measured requests that were answered well, by client (closed loop).
    pub(crate) answered_of: Vec<u64>,
}

impl Engine {
    pub(super) fn in_flight(&self) -> usize {
        let under_way = |connection: &Connection| connection.flights.len() + connection.owed.len();
        self.connections.iter().map(under_way).sum()
    }

    /// Nothing will be asked for any more: clients that wait for nothing leave. A worker that serves one client at a time would
    /// otherwise stay with them, and those who still wait would be given up for no fault of the server's.
    pub(super) fn hang_up(&mut self) {
        for slot in 0..self.connections.len() {
            let Connection {
                state,
                flights,
                owed,
                ..
            } = &self.connections[slot];
            if matches!(state, State::Open) && flights.is_empty() && owed.is_empty() {
                self.close(slot);
            }
        }
    }

    pub(super) fn is_done(&self) -> bool {
        let is_idle =
            |connection: &Connection| connection.flights.is_empty() && connection.owed.is_empty();
        self.schedule.is_idle() && self.connections.iter().all(is_idle)
    }

    /// A run by number of requests would wait for ever for a server that is gone.
    pub(super) fn server_is_gone(&self, now: Nanos) -> bool {
        let is_down = |connection: &Connection| matches!(connection.state, State::Down { .. });
        self.run.drain_until() == Nanos::MAX
            && now - self.last_sign_of_life.min(now) > self.run.timeout
            && self.connections.iter().all(is_down)
    }

    pub(super) fn censor_the_rest(&mut self, now: Nanos) -> u64 {
        let mut unfinished = 0;
        for slot in 0..self.connections.len() {
            while let Some(flight) = self.connections[slot].flights.pop_front() {
                unfinished += 1;
                self.censor(&flight, now);
            }
        }
        unfinished
    }

    /// What was due and never sent. Where there was no connection left to send it on, it failed for that.
    pub(super) fn censor_unsent(&mut self, now: Nanos) -> u64 {
        if self.closed_loop {
            let owed = self
                .connections
                .iter()
                .map(|connection| connection.owed.len());
            let unsent = owed.sum::<usize>() as u64;
            if !self.is_measured(now) {
                self.record.counts.warming_up += unsent;
            }
            return unsent;
        }
        let is_open = |connection: &Connection| connection.state == State::Open;
        let disconnected = !self.connections.iter().any(is_open);
        let mut unsent = 0;
        while let Some(due) = self.schedule.take(now) {
            unsent += 1;
            self.censor_response(due.intended, now);
            if disconnected {
                self.fail_unsent(due.intended);
            } else if !self.is_measured(due.intended) {
                self.record.counts.warming_up += 1;
            }
        }
        unsent
    }

    pub(super) fn unheard(&self, now: Nanos) -> usize {
        let is_unheard = |connection: &&Connection| {
            !connection.heard && connection.first_asked.is_some_and(|at| at <= now / 2)
        };
        self.connections.iter().filter(is_unheard).count()
    }

    /// Hands the record to the collector and takes an empty one, if there is one: else it goes on with this.
    pub(super) fn ship(&mut self, now: Nanos) {
        let live = Live {
            in_flight: self.in_flight(),
            waiting: self.schedule.waiting(now),
        };
        let Some(empty) = self.mailbox.empty() else {
            return;
        };
        let record = std::mem::replace(&mut self.record, empty);
        self.mailbox.send(Parcel {
            record,
            at: now,
            live,
            last: false,
        });
    }

    /// There is nobody to ask: hands over what was counted while trying.
    pub(crate) fn give_up(mut self) {
        self.ship_last(1);
    }

    pub(super) fn ship_last(&mut self, now: Nanos) {
        let record = std::mem::take(&mut self.record);
        let live = Live::default();
        self.mailbox.send(Parcel {
            record,
            at: now,
            live,
            last: true,
        });
    }
}
