//! Reading responses: one read for each where they are small, none of the copying where they are large.

use super::connection::{Connection, State};
use super::endings;
use super::issuer::Issuer;
use super::multiplexed;
use crate::clock::Nanos;
use crate::failure::Failure;
use crate::record::Record;
use crate::run::Run;
use crate::verify::Expected;
use http::client::Error::{ClosedBeforeResponse, ClosedInBody, ClosedInHead};
use http::client::{Closed, Event, Framing, Head};
use rustix::net::RecvFlags;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

/// The one buffer for reading. Large enough that responses of usual size come in one read.
const BUFFER_BYTES: usize = 256 * 1024;
/// How much of TLS comes at a time: with what was left before, it has to fit in the buffer.
const RECORDS_BYTES: usize = BUFFER_BYTES / 2;
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
    /// Records, and nothing in them that is whole.
    Records,
    End,
    Nothing,
}

/// Reads the responses of one thread.
pub(super) struct Receiver {
    run: Arc<Run>,
    pub(super) buffer: Vec<u8>,
    /// What comes over TLS, before it is decrypted.
    records: Vec<u8>,
    /// Targets whose last response was large.
    large: Vec<bool>,
}

impl Receiver {
    pub(super) fn new(run: Arc<Run>) -> Self {
        Self {
            buffer: vec![0; BUFFER_BYTES],
            records: match run.security {
                Some(_) => vec![0; RECORDS_BYTES],
                None => Vec::new(),
            },
            large: vec![false; run.targets.targets.len()],
            run,
        }
    }

    /// Reads until the socket is empty, or the connection has had its turn. `ending`: the peer has shut its side, so there is an end to be read.
    pub(super) fn receive(&mut self, issuer: &mut Issuer, slot: usize, ending: bool) {
        for _ in 0..READS_PER_TURN {
            let mut buffer = std::mem::take(&mut self.buffer);
            let got = match issuer.pool[slot].secured {
                None => self.read(&issuer.pool[slot], &mut buffer),
                Some(_) => self.read_records(&mut issuer.pool[slot], &mut buffer),
            };
            let now = issuer.clock.now();
            let more = match got {
                Ok((Got::Nothing, _)) => {
                    if issuer.pool[slot].broken.is_some() {
                        let untouched = issuer.pool[slot].responses.at_start();
                        endings::closed_early(issuer, slot, untouched, ClosedBeforeResponse, now);
                    }
                    false
                }
                Ok((Got::End, _)) => {
                    self.peer_closed(issuer, slot, now);
                    false
                }
                Ok((Got::Bytes(length), full)) => {
                    issuer.recorder.received(length, now);
                    let input = &buffer[..length];
                    let is_there = match issuer.pool[slot].http2 {
                        Some(_) => multiplexed::read(&self.run, issuer, slot, input, now),
                        None => self.read_responses(issuer, slot, input, now),
                    };
                    is_there && (full || ending)
                }
                Ok((Got::Records, full)) => full || ending,
                Ok((Got::Dropped(length), full)) => {
                    issuer.recorder.received(length, now);
                    issuer.pool[slot].responses.skip(length as u64);
                    self.read_responses(issuer, slot, &[], now) && (full || ending)
                }
                Err(error) => {
                    endings::socket_failed(issuer, slot, &error, now);
                    false
                }
            };
            self.buffer = buffer;
            // With nothing under way nothing more is to come, until the next request is sent; what comes nevertheless makes an event of its own.
            let idle = issuer.pool[slot].flights.is_empty() && !ending;
            issuer.issue(now);
            if !more || idle || issuer.pool[slot].state != State::Open {
                return;
            }
        }
        issuer.pool.turns.push(slot);
    }

    /// One read, and whether it brought all that it could have.
    #[inline]
    fn read(&self, connection: &Connection, buffer: &mut [u8]) -> io::Result<(Got, bool)> {
        let Some(mut stream) = connection.stream.as_ref() else {
            return Ok((Got::Nothing, false));
        };
        let droppable = connection.responses.skippable();
        let drops = droppable >= DROP_FROM && !self.run.verify;
        let length = if drops {
            usize::try_from(droppable).map_or(buffer.len(), |length| length.min(buffer.len()))
        } else {
            match connection.flights.front() {
                Some(flight) if self.large[flight.target] && connection.responses.at_start() => {
                    FIRST_READ.min(buffer.len())
                }
                _ => buffer.len(),
            }
        };
        let buffer = &mut buffer[..length];
        loop {
            let read = if drops {
                let received = rustix::net::recv(stream, &mut *buffer, RecvFlags::TRUNC);
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

    /// One read over TLS, decrypted: a byte has come when it can be read, and not before.
    fn read_records(
        &mut self,
        connection: &mut Connection,
        buffer: &mut [u8],
    ) -> io::Result<(Got, bool)> {
        let (Some(mut stream), Some(secured)) =
            (connection.stream.as_ref(), connection.secured.as_mut())
        else {
            return Ok((Got::Nothing, false));
        };
        if secured.is_ended {
            return Ok((Got::End, false));
        }
        loop {
            return match stream.read(&mut self.records) {
                Ok(0) => Ok((Got::End, false)),
                Ok(came) => {
                    let plain = secured.read(&mut self.records[..came], buffer)?;
                    let is_full = came == self.records.len() || secured.is_ended;
                    Ok(match plain {
                        0 => (Got::Records, is_full),
                        plain => (Got::Bytes(plain), is_full),
                    })
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok((Got::Nothing, false)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Gives the bytes to the response machine. False: the connection is gone.
    #[inline]
    fn read_responses(
        &mut self,
        issuer: &mut Issuer,
        slot: usize,
        mut input: &[u8],
        now: Nanos,
    ) -> bool {
        if let Some(flight) = issuer.pool[slot].flights.front_mut()
            && flight.first_byte == 0
        {
            flight.first_byte = now;
        }
        loop {
            let connection = &mut issuer.pool[slot];
            match connection.responses.next(&mut input) {
                Ok(Event::More) => {
                    if connection.is_parting() {
                        issuer.pool.parting(slot, now);
                    }
                    return true;
                }
                Ok(Event::Head(head)) => {
                    if endings::crossed(issuer, slot, head, now) {
                        return false;
                    }
                    let (pool, recorder) = (&mut issuer.pool, &mut issuer.recorder);
                    self.read_head(head, &mut pool[slot], &mut recorder.record);
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
                    self.response_done(issuer, slot, now);
                    let connection = &mut issuer.pool[slot];
                    if !keep_alive || connection.closing && connection.flights.is_empty() {
                        endings::ended(issuer, slot, now);
                        return false;
                    }
                    match connection.flights.front_mut() {
                        Some(next) => {
                            next.first_byte = if input.is_empty() { 0 } else { now };
                            let expect = self.run.targets.targets[next.target].expect;
                            connection.responses.expect(expect);
                        }
                        None if input.is_empty() => {
                            issuer.pool.list_if_free(slot);
                            return true;
                        }
                        None => {}
                    }
                    issuer.pool.list_if_free(slot);
                }
                Ok(Event::Unasked { closing: true }) => {
                    issuer.close(slot);
                    return false;
                }
                Ok(Event::Unasked { closing: false }) => {}
                Err(error) => {
                    endings::malformed(issuer, slot, error, now);
                    return false;
                }
            }
        }
    }

    #[inline]
    fn read_head(&mut self, head: Head, connection: &mut Connection, record: &mut Record) {
        record.status(head.status);
        connection.fault = self.run.expect.failure(head.status);
        connection.check.begin();
        let Some(flight) = connection.flights.front() else {
            return;
        };
        let target = &self.run.targets.targets[flight.target];
        if let Some(failure) = connection.fault {
            record.example_of_status(failure, head.status, &target.url);
        } else if let Some(expected) = target.status
            && expected != head.status
        {
            connection.fault = Some(Failure::Mismatch);
            record.example((Failure::Mismatch, 0), || {
                format!("{}: status {}, not {expected}", target.url, head.status)
            });
        }
        let is_large = matches!(head.framing, Framing::Length(length) if length >= 2 * DROP_FROM);
        self.large[flight.target] = is_large && !self.run.verify;
    }

    /// The response at the front is whole.
    fn response_done(&self, issuer: &mut Issuer, slot: usize, now: Nanos) {
        let connection = &mut issuer.pool[slot];
        let Some(flight) = connection.flights.pop_front() else {
            return;
        };
        // Only a connection that was full becomes free now.
        if connection.flights.len() + 1 == self.run.depth {
            connection.free_since = now;
        }
        connection.heard = true;
        connection.used = true;
        let mut fault = connection.fault.take();
        let target = &self.run.targets.targets[flight.target];
        if self.run.verify && fault.is_none() && !matches!(target.expected, Expected::Anything) {
            let record = &mut issuer.recorder.record;
            record.counts.verified += 1;
            if let Err(offset) = connection.check.end(&target.expected) {
                fault = Some(Failure::Mismatch);
                record.example((Failure::Mismatch, 0), || {
                    format!("{}: the body is wrong from offset {offset} on", target.url)
                });
            }
        }
        endings::answered(issuer, &flight, fault, now);
    }

    fn peer_closed(&self, issuer: &mut Issuer, slot: usize, now: Nanos) {
        let untouched = issuer.pool[slot].responses.at_start();
        let secured = issuer.pool[slot].secured.as_deref();
        let is_cut = secured.is_some_and(|secured| !secured.is_ended);
        let connection = &issuer.pool[slot];
        if connection.http2.is_some() && !connection.flights.is_empty() {
            return endings::closed_early(issuer, slot, true, ClosedBeforeResponse, now);
        }
        match issuer.pool[slot].responses.closed() {
            Ok(Closed::Idle) => issuer.close(slot),
            // Whoever can cut the connection may have: nobody has said that this is all (RFC 8446, section 6.1).
            Ok(Closed::Done) if is_cut => {
                endings::closed_early(issuer, slot, false, ClosedInBody, now);
            }
            Ok(Closed::Done) => {
                self.response_done(issuer, slot, now);
                endings::ended(issuer, slot, now);
            }
            Err(error @ (ClosedBeforeResponse | ClosedInHead | ClosedInBody)) => {
                endings::closed_early(issuer, slot, untouched, error, now);
            }
            Err(error) => endings::malformed(issuer, slot, error, now),
        }
    }
}
