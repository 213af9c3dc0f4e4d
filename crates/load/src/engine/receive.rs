//! Reading responses: one read for each where they are small, none of the copying where they are large.

use super::Engine;
use super::connection::State;
use crate::clock::Nanos;
use crate::failure::Failure;
use crate::verify::Expected;
use http::client::{Closed, Event, Framing};
use rustix::net::RecvFlags;
use std::io::{self, ErrorKind, Read};

/// Bodies from this length on are dropped in the kernel (MSG_TRUNC, tcp(7)), which saves the copy, where nobody looks at them.
const DROP_FROM: u64 = 8 * 1024;
/// How much is read of a response that is known to be large: its head and little more.
const FIRST_READ: usize = 1024;
/// How many reads a connection gets before the others have their turn.
const READS_PER_TURN: u32 = 32;

/// What one read brought.
enum Got {
    /// Bytes in the buffer.
    Bytes(usize),
    /// Bytes of a body that were dropped unread.
    Dropped(usize),
    End,
    Nothing,
}

impl Engine {
    /// Reads until the socket is empty. `ending`: the peer has shut its side, so there is an end to be read.
    pub(super) fn receive(&mut self, slot: usize, ending: bool) {
        for _ in 0..READS_PER_TURN {
            let mut buffer = std::mem::take(&mut self.buffer);
            let got = self.read(slot, &mut buffer);
            let now = self.clock.now();
            let more = match got {
                Ok((Got::Nothing, _)) => false,
                Ok((Got::End, _)) => {
                    self.peer_closed(slot, now);
                    false
                }
                Ok((Got::Bytes(length), full)) => {
                    self.count_bytes(length, now);
                    self.read_responses(slot, &buffer[..length], now) && (full || ending)
                }
                Ok((Got::Dropped(length), full)) => {
                    self.count_bytes(length, now);
                    self.connections[slot].responses.skip(length as u64);
                    self.read_responses(slot, &[], now) && (full || ending)
                }
                Err(error) => {
                    self.socket_failed(slot, &error, now);
                    false
                }
            };
            self.buffer = buffer;
            // With nothing under way nothing more is to come, until the next request is sent; what comes nevertheless makes an event of its own.
            let idle = self.connections[slot].flights.is_empty() && !ending;
            self.issue(now);
            if !more || idle || self.connections[slot].state != State::Open {
                return;
            }
        }
        self.connections[slot].again = true;
        self.unfinished.push(slot);
    }

    fn count_bytes(&mut self, length: usize, now: Nanos) {
        if self.in_window(now) {
            self.record.counts.bytes += length as u64;
        }
    }

    /// One read, and whether it brought all that it could have.
    #[inline]
    fn read(&mut self, slot: usize, buffer: &mut [u8]) -> io::Result<(Got, bool)> {
        let connection = &mut self.connections[slot];
        let Some(stream) = &mut connection.stream else {
            return Ok((Got::Nothing, false));
        };
        let droppable = connection.responses.skippable();
        let drops = droppable >= DROP_FROM && !self.run.verify;
        let length = if drops {
            usize::try_from(droppable).map_or(buffer.len(), |length| length.min(buffer.len()))
        } else {
            match connection.flights.front() {
                Some(flight) if self.large[flight.target] && connection.responses.at_start() => {
                    FIRST_READ
                }
                _ => buffer.len(),
            }
        };
        let buffer = &mut buffer[..length];
        loop {
            let read = if drops {
                let received = rustix::net::recv(&*stream, &mut *buffer, RecvFlags::TRUNC);
                received.map(|(_, length)| length).map_err(io::Error::from)
            } else {
                stream.read(buffer)
            };
            return match read {
                Ok(0) => Ok((Got::End, false)),
                Ok(got) if drops => Ok((Got::Dropped(got), got == length)),
                Ok(got) => Ok((Got::Bytes(got), got == length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok((Got::Nothing, false)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Gives the bytes to the response machine. False: the connection is gone.
    #[inline]
    fn read_responses(&mut self, slot: usize, mut input: &[u8], now: Nanos) -> bool {
        if let Some(flight) = self.connections[slot].flights.front_mut()
            && flight.first_byte == 0
        {
            flight.first_byte = now;
        }
        loop {
            let connection = &mut self.connections[slot];
            match connection.responses.next(&mut input) {
                Ok(Event::More) => return true,
                Ok(Event::Head(head)) => {
                    self.record.status(head.status);
                    connection.fault = Failure::status(head.status);
                    connection.check.begin();
                    if let Some(flight) = connection.flights.front() {
                        let target = &self.run.targets.targets[flight.target];
                        if let Some(failure) = connection.fault {
                            self.record
                                .example_of_status(failure, head.status, &target.url);
                        } else if let Some(expected) = target.status
                            && expected != head.status
                        {
                            connection.fault = Some(Failure::Mismatch);
                            self.record.example((Failure::Mismatch, 0), || {
                                format!("{}: status {}, not {expected}", target.url, head.status)
                            });
                        }
                        let is_large = matches!(head.framing, Framing::Length(length) if length >= 2 * DROP_FROM);
                        self.large[flight.target] = is_large && !self.run.verify;
                    }
                }
                Ok(Event::Body(piece)) => {
                    if self.run.verify
                        && let Some(flight) = connection.flights.front()
                    {
                        let expected = &self.run.targets.targets[flight.target].expected;
                        connection.check.piece(expected, piece);
                    }
                }
                Ok(Event::Done { keep_alive }) => {
                    self.response_done(slot, now);
                    let connection = &mut self.connections[slot];
                    if !keep_alive
                        || connection.sent >= self.run.requests_per_connection
                            && connection.flights.is_empty()
                    {
                        self.fail_all(
                            slot,
                            Failure::Http(http::client::Error::ClosedBeforeResponse),
                            now,
                        );
                        self.close(slot);
                        return false;
                    }
                    match connection.flights.front_mut() {
                        Some(next) => {
                            next.first_byte = if input.is_empty() { 0 } else { now };
                            let expect = self.run.targets.targets[next.target].expect;
                            connection.responses.expect(expect);
                        }
                        None if input.is_empty() => {
                            self.list_if_free(slot);
                            return true;
                        }
                        None => {}
                    }
                    self.list_if_free(slot);
                }
                Err(error) => {
                    self.malformed(slot, error, now);
                    return false;
                }
            }
        }
    }

    /// The response at the front is whole.
    fn response_done(&mut self, slot: usize, now: Nanos) {
        let connection = &mut self.connections[slot];
        let Some(flight) = connection.flights.pop_front() else {
            return;
        };
        // Only a connection that was full becomes free now.
        if connection.flights.len() + 1 == self.run.depth {
            connection.free_since = now;
        }
        let mut fault = connection.fault.take();
        if self.run.verify && fault.is_none() {
            let target = &self.run.targets.targets[flight.target];
            if !matches!(target.expected, Expected::Anything) {
                self.record.counts.verified += 1;
                if let Err(offset) = connection.check.end(&target.expected) {
                    fault = Some(Failure::Mismatch);
                    let url = &target.url;
                    self.record.example((Failure::Mismatch, 0), || {
                        format!("{url}: the body is wrong from offset {offset} on")
                    });
                }
            }
        }
        self.last_sign_of_life = now;
        self.last_answer = now;
        self.connections[slot].heard = true;
        match fault {
            None => self.answered(&flight, now),
            Some(failure) => self.failed(&flight, failure, now),
        }
    }

    fn peer_closed(&mut self, slot: usize, now: Nanos) {
        match self.connections[slot].responses.closed() {
            Ok(Closed::Idle) => self.close(slot),
            Ok(Closed::Done) => {
                self.response_done(slot, now);
                let error = http::client::Error::ClosedBeforeResponse;
                self.fail_all(slot, Failure::Http(error), now);
                self.close(slot);
            }
            Err(error) => self.malformed(slot, error, now),
        }
    }

    #[cold]
    fn malformed(&mut self, slot: usize, error: http::client::Error, now: Nanos) {
        if let Some(flight) = self.connections[slot].flights.front() {
            let url = &self.run.targets.targets[flight.target].url;
            self.record
                .example((Failure::Http(error), 0), || format!("{url}: {error}"));
        } else {
            // Bytes that answer nothing: there is no request to fail, but the server is wrong.
            self.record.fail(Failure::Http(error));
        }
        self.fail_all(slot, Failure::Http(error), now);
        self.close(slot);
    }

    #[cold]
    pub(super) fn socket_failed(&mut self, slot: usize, error: &io::Error, now: Nanos) {
        let failure = Failure::exchanging(error);
        if let Some(flight) = self.connections[slot].flights.front() {
            let url = &self.run.targets.targets[flight.target].url;
            self.record
                .example((failure, 0), || format!("{url}: {error}"));
        }
        self.fail_all(slot, failure, now);
        self.close(slot);
    }
}
