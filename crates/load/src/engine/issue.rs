//! Sending what is due.

use super::Engine;
use super::connection::{Flight, State};
use crate::clock::Nanos;
use crate::schedule::{Due, Origin};

impl Engine {
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
                let Some(slot) = self.take_free() else {
                    self.dial_for_waiting(now);
                    break;
                };
                let Some(due) = self.schedule.take(now) else {
                    break;
                };
                now = self.send(slot, due);
                self.list_if_free(slot);
            }
        }
        while let Some(slot) = self.dirty.pop() {
            self.connections[slot].dirty = false;
            self.flush(slot, now);
        }
    }

    /// In a closed loop a client has a connection of its own.
    fn send_or_owe(&mut self, due: Due, now: Nanos) -> Nanos {
        let Origin::Client(client) = due.origin else {
            return now;
        };
        let slot = client as usize;
        match self.connections[slot].state {
            State::Open if self.connections[slot].sent < self.run.requests_per_connection => {
                return self.send(slot, due);
            }
            // It ends with the answers that are under way.
            State::Open => self.connections[slot].owed.push(due),
            State::Closed => {
                self.connections[slot].owed.push(due);
                self.dial(slot, now);
            }
            State::Down { .. } | State::Connecting { .. } => {
                self.connections[slot].owed.push(due);
            }
        }
        now
    }

    /// Writes a request; returns when.
    #[inline]
    pub(super) fn send(&mut self, slot: usize, due: Due) -> Nanos {
        let index = self.run.targets.order.at(due.number);
        let target = &self.run.targets.targets[index];
        let connection = &mut self.connections[slot];
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
        connection.flights.push_back(Flight {
            intended: due.intended,
            free: connection.free_since,
            written,
            first_byte: 0,
            number: due.number,
            origin: due.origin,
            target: index,
        });
        let free = connection.free_since;
        let could = due.intended.max(free);
        let counts = &mut self.record.counts;
        counts.sent += 1;
        if self.closed_loop {
            counts.warming_up += u64::from(written < self.run.warmup);
        } else {
            counts.warming_up += u64::from(due.intended < self.run.warmup);
            counts.waited += u64::from(free > due.intended);
            counts.behind += u64::from(could < self.window_end && self.window_end <= written);
        }
        let outcome = if self.run.depth == 1 {
            connection.write(bytes)
        } else {
            connection.out.extend_from_slice(bytes);
            if !std::mem::replace(&mut connection.dirty, true) {
                self.dirty.push(slot);
            }
            Ok(())
        };
        if let Some(fidelity) = &mut self.fidelity
            && let Some(number) = self.run.arrival_number(&due)
        {
            let lag = written.saturating_sub(could);
            fidelity.went_out(number, due.intended + lag);
        }
        match outcome {
            Ok(()) => self.arm(slot, written.saturating_add(self.run.timeout)),
            Err(error) => self.socket_failed(slot, &error, written),
        }
        written
    }

    pub(super) fn flush(&mut self, slot: usize, now: Nanos) {
        if self.connections[slot].stream.is_some()
            && let Err(error) = self.connections[slot].flush()
        {
            self.socket_failed(slot, &error, now);
        }
    }

    /// The connection that has been free the longest.
    #[inline]
    fn take_free(&mut self) -> Option<usize> {
        while let Some(slot) = self.free.pop_front() {
            let connection = &mut self.connections[slot];
            connection.listed = false;
            if connection.has_room(self.run.depth, self.run.requests_per_connection) {
                return Some(slot);
            }
        }
        None
    }

    #[inline]
    pub(super) fn list_if_free(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if !self.closed_loop
            && !connection.listed
            && connection.has_room(self.run.depth, self.run.requests_per_connection)
        {
            connection.listed = true;
            self.free.push_back(slot);
        }
    }
}
