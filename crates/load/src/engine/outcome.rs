//! What becomes of a request, and how that is recorded.

use super::Engine;
use super::connection::Flight;
use crate::clock::Nanos;
use crate::failure::Failure;
use crate::run::Fault;
use crate::schedule::Origin;

impl Engine {
    /// Whether throughput counts what happens at `now`.
    #[inline]
    pub(super) fn in_window(&self, now: Nanos) -> bool {
        self.run.warmup <= now && now < self.window_end
    }

    /// Whether a request that was intended (closed loop: written) at `at` is measured.
    #[inline]
    pub(super) fn is_measured(&self, at: Nanos) -> bool {
        at >= self.run.warmup
    }

    /// The moment from which a request counts.
    #[inline]
    fn counts_from(&self, flight: &Flight) -> Nanos {
        if self.closed_loop {
            flight.written
        } else {
            flight.intended
        }
    }

    /// Answered, and well.
    #[inline]
    pub(super) fn answered(&mut self, flight: &Flight, now: Nanos) {
        if self.in_window(now) {
            self.record.counts.in_window += 1;
        }
        let from = self.counts_from(flight);
        if self.is_measured(from) {
            self.record_answer(flight, now);
            self.count_for_client(flight);
        }
        let session = self.schedule.answered(flight.origin, flight.number, now);
        if let Some(start) = session
            && self.is_measured(start)
        {
            self.record.session.saturating_record(now - start);
        }
    }

    #[inline]
    fn count_for_client(&mut self, flight: &Flight) {
        if let Origin::Client(client) = flight.origin
            && let Some(answered) = self.answered_of.get_mut(client as usize)
        {
            *answered += 1;
        }
    }

    #[inline]
    fn record_answer(&mut self, flight: &Flight, now: Nanos) {
        let record = &mut *self.record;
        record.counts.completed += 1;
        let service = now.saturating_sub(flight.written);
        record.service.saturating_record(service);
        let first_byte = flight.first_byte.saturating_sub(flight.written);
        record.first_byte.saturating_record(first_byte);
        record
            .wait
            .saturating_record(flight.free.saturating_sub(flight.intended));
        // All clients of a closed loop begin at once, before which nothing was due: that one had to be written after another says nothing of
        // how the generator keeps up.
        if !(self.closed_loop && flight.intended == 0) {
            let could = flight.intended.max(flight.free);
            record
                .lag
                .saturating_record(flight.written.saturating_sub(could));
        }
        if self.closed_loop {
            record.batches.add(flight.written, service);
            return;
        }
        let response = match self.run.fault {
            Fault::CoordinatedOmission => service,
            Fault::None | Fault::InventedSamples { .. } => now.saturating_sub(flight.intended),
        };
        record.response.saturating_record(response);
        record.batches.add(flight.intended, response);
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
    pub(super) fn failed(&mut self, flight: &Flight, failure: Failure, now: Nanos) {
        if self.is_measured(self.counts_from(flight)) {
            self.record.fail(failure);
        }
        self.schedule.failed(flight.origin, flight.number, now);
    }

    /// A request came to nothing before it could be sent, for want of a connection.
    #[cold]
    pub(super) fn fail_unsent(&mut self, at: Nanos) {
        match self.is_measured(at) {
            true => self.record.fail(Failure::NoConnection),
            false => self.record.counts.warming_up += 1,
        }
    }

    /// Fails everything under way on a connection.
    pub(super) fn fail_all(&mut self, slot: usize, failure: Failure, now: Nanos) {
        while let Some(flight) = self.connections[slot].flights.pop_front() {
            self.failed(&flight, failure, now);
        }
    }

    /// The oldest request on a connection was not answered in time. What stands behind it cannot be answered either.
    #[cold]
    pub(super) fn timed_out(&mut self, slot: usize, now: Nanos) {
        if let Some(flight) = self.connections[slot].flights.front() {
            let url = &self.run.targets.targets[flight.target].url;
            self.record.example((Failure::Timeout, 0), || {
                format!("{url}: no answer in time")
            });
        }
        while let Some(flight) = self.connections[slot].flights.pop_front() {
            self.censor(&flight, now);
            let from = self.counts_from(&flight);
            if self.is_measured(from) {
                // Not so at the end of the run: what came last was waited for the least, and would seem the fastest.
                self.record.batches.add(from, now.saturating_sub(from));
            }
            self.failed(&flight, Failure::Timeout, now);
        }
        self.close(slot);
        self.issue(now);
    }

    /// Not answered, and waited for until `now`: its times are at least what they are by now.
    pub(super) fn censor(&mut self, flight: &Flight, now: Nanos) {
        if !self.is_measured(self.counts_from(flight)) {
            return;
        }
        let service = now.saturating_sub(flight.written);
        self.record.censored_service.saturating_record(service);
        self.record
            .wait
            .saturating_record(flight.free.saturating_sub(flight.intended));
        if !self.closed_loop {
            self.censor_response(flight.intended, now);
        }
    }

    /// An arrival, sent or not, has no answer by `now`.
    pub(super) fn censor_response(&mut self, intended: Nanos, now: Nanos) {
        if self.is_measured(intended) {
            let response = now.saturating_sub(intended);
            self.record.censored_response.saturating_record(response);
        }
    }
}
