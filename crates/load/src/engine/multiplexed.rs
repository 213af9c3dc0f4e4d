//! Requests and answers of HTTP/2: many of one connection under way, whose answers come in any order and in pieces.

use super::connection::{Connection, Flight};
use super::endings;
use super::issuer::Issuer;
use crate::clock::Nanos;
use crate::failure::Failure;
use crate::record::Record;
use crate::run::Run;
use crate::target::Target;
use crate::verify::{Check, Expected};
use http::client::Error;
use http::h2::ErrorCode;
use http::h2::client::{Client, Event};

/// A connection's streams.
#[derive(Debug)]
pub(super) struct Multiplexed {
    pub(super) client: Client,
    /// What is to be said to the server, in the clear.
    pub(super) said: Vec<u8>,
    /// Those under way, and others whose buffers serve again.
    answers: Vec<Answer>,
}

/// An answer that is coming in.
#[derive(Debug, Default)]
struct Answer {
    /// 0: none.
    stream: u32,
    check: Check,
    /// What is already wrong with it, though it goes on.
    fault: Option<Failure>,
}

impl Multiplexed {
    /// For a connection that was made just now.
    pub(super) fn new() -> Self {
        let mut said = Vec::new();
        Self {
            client: Client::new(&mut said),
            said,
            answers: Vec::new(),
        }
    }
}

impl Answer {
    /// Its head has come.
    fn begin(
        &mut self,
        stream: u32,
        status: u16,
        (run, target): (&Run, &Target),
        record: &mut Record,
    ) {
        self.stream = stream;
        self.fault = run.expect.failure(status);
        self.check.begin();
        record.status(status);
        if let Some(failure) = self.fault {
            record.example_of_status(failure, status, &target.url);
        } else if let Some(expected) = target.status
            && expected != status
        {
            self.fault = Some(Failure::Mismatch);
            record.example((Failure::Mismatch, 0), || {
                format!("{}: status {status}, not {expected}", target.url)
            });
        }
    }

    /// It is whole; what is wrong with it.
    fn end(&mut self, (run, target): (&Run, &Target), record: &mut Record) -> Option<Failure> {
        let fault = self.fault.take();
        if !run.verify || fault.is_some() || matches!(target.expected, Expected::Anything) {
            return fault;
        }
        record.counts.verified += 1;
        let offset = self.check.end(&target.expected).err()?;
        record.example((Failure::Mismatch, 0), || {
            format!("{}: the body is wrong from offset {offset} on", target.url)
        });
        Some(Failure::Mismatch)
    }
}

/// The answer of that stream, or one for it.
fn answer(answers: &mut Vec<Answer>, stream: u32) -> &mut Answer {
    let known = answers.iter().position(|answer| answer.stream == stream);
    let place = known.or_else(|| answers.iter().position(|answer| answer.stream == 0));
    let place = place.unwrap_or_else(|| {
        answers.push(Answer::default());
        answers.len() - 1
    });
    &mut answers[place]
}

/// Gives bytes that came to the machine. False: the connection is gone.
pub(super) fn read(
    run: &Run,
    issuer: &mut Issuer,
    slot: usize,
    mut input: &[u8],
    now: Nanos,
) -> bool {
    loop {
        let connection = &mut issuer.pool[slot];
        let Connection { http2, flights, .. } = connection;
        let Some(http2) = http2.as_deref_mut() else {
            return false;
        };
        let Multiplexed {
            client,
            said,
            answers,
        } = http2;
        match client.next(&mut input, said) {
            Ok(Event::More) => break,
            Ok(Event::Head(stream, status)) => {
                if let Some(flight) = flights.iter_mut().find(|flight| flight.stream == stream) {
                    flight.first_byte = now;
                    let target = &run.targets.targets[flight.target];
                    let record = &mut issuer.recorder.record;
                    answer(answers, stream).begin(stream, status, (run, target), record);
                }
            }
            Ok(Event::Body(stream, piece)) => {
                if run.verify
                    && let Some(flight) = flights.iter().find(|flight| flight.stream == stream)
                {
                    let expected = &run.targets.targets[flight.target].expected;
                    answer(answers, stream).check.piece(expected, piece);
                }
            }
            Ok(Event::Done(stream)) => {
                let answer = answer(answers, stream);
                answer.stream = 0;
                let Some(place) = flights.iter().position(|flight| flight.stream == stream) else {
                    continue;
                };
                let target = &run.targets.targets[flights[place].target];
                let fault = answer.end((run, target), &mut issuer.recorder.record);
                let Some(flight) = connection.take_flight(place, run.depth, now) else {
                    continue;
                };
                connection.heard = true;
                connection.used = true;
                endings::answered(issuer, &flight, fault, now);
                if !goes_on(issuer, slot, now) {
                    return false;
                }
            }
            Ok(Event::Reset(stream, code)) => {
                let place = flights.iter().position(|flight| flight.stream == stream);
                let flight = place.and_then(|place| connection.take_flight(place, run.depth, now));
                if let Some(flight) = flight {
                    reset(issuer, slot, &flight, code, now);
                }
                if !goes_on(issuer, slot, now) {
                    return false;
                }
            }
            Ok(Event::GoAway(last)) => {
                connection.closing = true;
                // What came after that was not looked at, and is due as before.
                while let Some(flight) = issuer.pool[slot].take_flight_after(last) {
                    endings::due_again(issuer, slot, flight.again(now));
                }
                if !goes_on(issuer, slot, now) {
                    return false;
                }
            }
            Err(error) => {
                endings::malformed(issuer, slot, error, now);
                return false;
            }
        }
    }
    // The server may have said that it takes more than before.
    issuer.has_become_free(slot);
    let http2 = issuer.pool[slot].http2.as_deref();
    if http2.is_some_and(|http2| !http2.said.is_empty()) {
        issuer.flush(slot);
    }
    true
}

/// The server does not answer a request.
fn reset(issuer: &mut Issuer, slot: usize, flight: &Flight, code: ErrorCode, now: Nanos) {
    if code == ErrorCode::RefusedStream && issuer.run.retry && !flight.pending.retried {
        // Nobody has looked at it (RFC 9113, section 8.7).
        return endings::again(issuer, slot, flight, now);
    }
    let failure = Failure::Http(Error::StreamReset);
    let words = |url: &str| format!("{url}: reset with {}", code.name());
    issuer.recorder.example(flight, failure, words);
    endings::failed(issuer, flight, failure, now);
}

/// What becomes of a connection on which an answer has ended: it can take another request, or it is over. False: it is.
fn goes_on(issuer: &mut Issuer, slot: usize, now: Nanos) -> bool {
    let connection = &issuer.pool[slot];
    if connection.closing && connection.flights.is_empty() {
        endings::ended(issuer, slot, now);
        return false;
    }
    issuer.has_become_free(slot);
    true
}

/// The oldest request was not answered in time: it alone is given up.
pub(super) fn timed_out(issuer: &mut Issuer, slot: usize, now: Nanos) {
    let depth = issuer.run.depth;
    let connection = &mut issuer.pool[slot];
    let Some(flight) = connection.take_flight(0, depth, now) else {
        return;
    };
    if let Some(http2) = connection.http2.as_deref_mut() {
        http2.client.cancel(flight.stream, &mut http2.said);
        answer(&mut http2.answers, flight.stream).stream = 0;
    }
    let words = |url: &str| format!("{url}: no answer in time");
    issuer.recorder.example(&flight, Failure::Timeout, words);
    endings::late(issuer, &flight, now);
    issuer.flush(slot);
    if issuer.pool[slot].stream.is_some() && goes_on(issuer, slot, now) {
        let next = issuer.pool[slot].flights.front();
        if let Some(written) = next.map(|flight| flight.written) {
            let deadline = written.saturating_add(issuer.run.timeout);
            issuer.pool.arm(slot, deadline);
        }
    }
}
