//! What becomes of a request, and how that is recorded. It knows neither connections nor the schedule.

use super::connection::{Flight, Pending};
use crate::clock::Nanos;
use crate::collect::{Live, Mailbox, Parcel};
use crate::failure::Failure;
use crate::fidelity::Fidelity;
use crate::record::Record;
use crate::run::{Fault, Run};
use crate::schedule::Origin;
use std::sync::Arc;

/// The record of one thread, as it grows.
pub(super) struct Recorder {
    run: Arc<Run>,
    closed_loop: bool,
    pub(super) record: Box<Record>,
    /// Measured requests that were answered well, by client (closed loop).
    pub(super) answered_of: Vec<u64>,
    mailbox: Mailbox,
    pub(super) fidelity: Option<Fidelity>,
    /// Throughput is counted up to here.
    pub(super) window_end: Nanos,
    /// When the last answer came, whatever it was.
    pub(super) last_answer: Nanos,
}

impl Recorder {
    /// An empty record of a run of which this thread has so many clients.
    pub(super) fn new(run: Arc<Run>, clients: usize, mailbox: Mailbox, window_end: Nanos) -> Self {
        let closed_loop = run.is_closed_loop();
        Self {
            closed_loop,
            record: Box::default(),
            answered_of: vec![0; if closed_loop { clients } else { 0 }],
            mailbox,
            fidelity: run.fidelity(),
            window_end,
            last_answer: 0,
            run,
        }
    }

    /// Whether throughput counts what happens at `now`.
    #[inline]
    fn in_window(&self, now: Nanos) -> bool {
        self.run.warmup <= now && now < self.window_end
    }

    /// Whether a request that was intended (closed loop: written) at `at` is measured.
    #[inline]
    fn is_measured(&self, at: Nanos) -> bool {
        at >= self.run.warmup
    }

    /// The moment from which a request counts.
    #[inline]
    fn counts_from(&self, flight: &Flight) -> Nanos {
        if self.closed_loop {
            flight.first_written()
        } else {
            flight.intended()
        }
    }

    /// Bytes were received.
    pub(super) fn received(&mut self, bytes: usize, now: Nanos) {
        if self.in_window(now) {
            self.record.counts.bytes += bytes as u64;
        }
    }

    /// A connection was made.
    pub(super) fn connected(&mut self, took: Nanos) {
        self.record.counts.connected += 1;
        self.record.connect.saturating_record(took);
    }

    /// A handshake of TLS came to its end.
    pub(super) fn shook_hands(&mut self, took: Nanos, is_resumed: bool) {
        self.record.counts.resumed += u64::from(is_resumed);
        self.record.handshake.saturating_record(took);
    }

    /// A request goes out.
    #[inline]
    pub(super) fn sent(&mut self, flight: &Flight) {
        self.record.counts.sent += 1;
        if flight.pending.before.is_some() {
            return;
        }
        let could = flight.intended().max(flight.free);
        let counts = &mut self.record.counts;
        if self.closed_loop {
            counts.warming_up += u64::from(flight.written < self.run.warmup);
        } else {
            counts.warming_up += u64::from(flight.intended() < self.run.warmup);
            counts.waited += u64::from(flight.free > flight.intended());
            counts.behind +=
                u64::from(could < self.window_end && self.window_end <= flight.written);
        }
    }

    /// An arrival went out, later than it could have by the generator's lag.
    #[inline]
    pub(super) fn arrival_went_out(&mut self, flight: &Flight) {
        if let Some(fidelity) = &mut self.fidelity
            && flight.pending.before.is_none()
            && let Some(number) = self.run.arrival_number(&flight.pending.due)
        {
            let could = flight.intended().max(flight.free);
            let lag = flight.written.saturating_sub(could);
            fidelity.went_out(number, flight.intended() + lag);
        }
    }

    /// An answer is whole, whatever it is.
    #[inline]
    pub(super) fn heard(&mut self, now: Nanos) {
        self.last_answer = now;
    }

    /// Answered, and well.
    #[inline]
    pub(super) fn answered(&mut self, flight: &Flight, now: Nanos) {
        if self.in_window(now) {
            self.record.counts.in_window += 1;
        }
        if self.is_measured(self.counts_from(flight)) {
            self.record_answer(flight, now);
            self.count_for_client(flight);
        }
    }

    /// A session that was to begin at `start` is complete.
    pub(super) fn session(&mut self, start: Nanos, now: Nanos) {
        if self.is_measured(start) {
            self.record.session.saturating_record(now - start);
        }
    }

    #[inline]
    fn count_for_client(&mut self, flight: &Flight) {
        if let Origin::Client(client) = flight.pending.due.origin
            && let Some(answered) = self.answered_of.get_mut(client as usize)
        {
            *answered += 1;
        }
    }

    #[inline]
    fn record_answer(&mut self, flight: &Flight, now: Nanos) {
        let record = &mut *self.record;
        record.counts.completed += 1;
        let service = now.saturating_sub(flight.first_written());
        record.service.saturating_record(service);
        let first_byte = flight.first_byte.saturating_sub(flight.first_written());
        record.first_byte.saturating_record(first_byte);
        record
            .wait
            .saturating_record(flight.free.saturating_sub(flight.intended()));
        // All clients of a closed loop begin at once, before which nothing was due: that one had to be written after another says nothing of
        // how the generator keeps up.
        if !(self.closed_loop && flight.intended() == 0) {
            let could = flight.intended().max(flight.free);
            record
                .lag
                .saturating_record(flight.written.saturating_sub(could));
        }
        if self.closed_loop {
            record.batches.add(flight.first_written(), service);
            return;
        }
        let response = match self.run.fault {
            Fault::CoordinatedOmission => service,
            Fault::None | Fault::InventedSamples { .. } | Fault::ClockAhead { .. } => {
                now.saturating_sub(flight.intended())
            }
        };
        record.response.saturating_record(response);
        record.batches.add(flight.intended(), response);
        if let Fault::InventedSamples { interval } = self.run.fault {
            let mut invented = response;
            while invented > interval {
                invented -= interval;
                record.response.saturating_record(invented);
            }
        }
    }

    /// Came to nothing.
    #[cold]
    pub(super) fn failed(&mut self, flight: &Flight, failure: Failure) {
        if self.is_measured(self.counts_from(flight)) {
            self.record.fail(failure);
        }
    }

    /// Keeps what became of a request, in words.
    #[cold]
    pub(super) fn example(
        &mut self,
        flight: &Flight,
        failure: Failure,
        words: impl FnOnce(&str) -> String,
    ) {
        let url = &self.run.targets.targets[flight.target].url;
        self.record.example((failure, 0), || words(url));
    }

    /// A request is due again, since its connection ended before its answer.
    #[cold]
    pub(super) fn due_again(&mut self, pending: &Pending) {
        let counts = &mut self.record.counts;
        match pending.retried {
            true => counts.retried += 1,
            false => counts.behind_close += 1,
        }
    }

    /// A request came to nothing before it could be sent, or sent again, for want of a connection.
    #[cold]
    pub(super) fn fail_unsent(&mut self, pending: &Pending, now: Nanos) {
        if self.is_measured(self.pending_from(pending, now)) {
            self.record.fail(Failure::NoConnection);
        }
        self.warm_up(pending, now);
    }

    /// The moment from which a request counts that is not under way.
    fn pending_from(&self, pending: &Pending, now: Nanos) -> Nanos {
        match pending.before {
            _ if !self.closed_loop => pending.due.intended,
            Some((first_written, _)) => first_written,
            None => now,
        }
    }

    /// Counts one that was never sent, if it fell into the warm-up.
    fn warm_up(&mut self, pending: &Pending, now: Nanos) {
        let measured = self.is_measured(self.pending_from(pending, now));
        self.record.counts.warming_up += u64::from(!measured && pending.before.is_none());
    }

    /// Not answered in time.
    pub(super) fn timed_out(&mut self, flight: &Flight, now: Nanos) {
        self.censor(flight, now);
        let from = self.counts_from(flight);
        if self.is_measured(from) {
            // Not so at the end of the run: what came last was waited for the least, and would seem the fastest.
            self.record.batches.add(from, now.saturating_sub(from));
        }
        self.failed(flight, Failure::Timeout);
    }

    /// Not answered, and waited for until `now`: its times are at least what they are by now.
    pub(super) fn censor(&mut self, flight: &Flight, now: Nanos) {
        if !self.is_measured(self.counts_from(flight)) {
            return;
        }
        let service = now.saturating_sub(flight.first_written());
        self.record.censored_service.saturating_record(service);
        self.record
            .wait
            .saturating_record(flight.free.saturating_sub(flight.intended()));
        if !self.closed_loop {
            self.censor_response(flight.intended(), now);
        }
    }

    /// An arrival, sent or not, has no answer by `now`.
    fn censor_response(&mut self, intended: Nanos, now: Nanos) {
        if self.is_measured(intended) {
            let response = now.saturating_sub(intended);
            self.record.censored_response.saturating_record(response);
        }
    }

    /// A request was due by the end and not under way. `disconnected`: for want of a connection, so that it failed.
    pub(super) fn unsent(&mut self, pending: &Pending, disconnected: bool, now: Nanos) {
        if !self.closed_loop {
            self.censor_response(pending.due.intended, now);
        }
        if let Some((first_written, _)) = pending.before
            && self.is_measured(self.pending_from(pending, now))
        {
            let service = now.saturating_sub(first_written);
            self.record.censored_service.saturating_record(service);
        }
        match disconnected {
            true => self.fail_unsent(pending, now),
            false => self.warm_up(pending, now),
        }
    }

    /// Hands the record to the collector and takes an empty one, if there is one: else it goes on with this.
    pub(super) fn ship(&mut self, live: Live, now: Nanos) {
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

    /// Hands over what is left.
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
