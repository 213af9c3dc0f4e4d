//! What becomes of requests and their connections: answers, and every way in which there is none.

use super::connection::{Flight, Pending};
use super::issuer::Issuer;
use super::multiplexed;
use super::pool::Deadline;
use crate::clock::Nanos;
use crate::failure::Failure;
use crate::schedule::Due;
use http::client::Head;
use std::io;

/// The status of a server that gave up waiting for a request.
const REQUEST_TIMEOUT: u16 = 408;

/// Deals with all deadlines that have passed.
pub(super) fn expire(issuer: &mut Issuer, now: Nanos) {
    while let Some((slot, of)) = issuer.pool.expired(now) {
        match of {
            Deadline::BackOff => issuer.back(slot, now),
            Deadline::Connect => {
                let error = io::ErrorKind::TimedOut.into();
                issuer.dial_failed(slot, Failure::ConnectTimeout, now, &error);
            }
            Deadline::Answer => timed_out(issuer, slot, now),
            Deadline::End => did_not_end(issuer, slot, now),
        }
    }
}

/// The request was answered, well or not.
#[inline]
pub(super) fn answered(issuer: &mut Issuer, flight: &Flight, fault: Option<Failure>, now: Nanos) {
    issuer.last_sign_of_life = now;
    issuer.recorder.heard(now);
    match fault {
        None => {
            issuer.recorder.answered(flight, now);
            let Due { origin, number, .. } = flight.pending.due;
            if let Some(start) = issuer.schedule.answered(origin, number, now) {
                issuer.recorder.session(start, now);
            }
        }
        Some(failure) => failed(issuer, flight, failure, now),
    }
}

/// Came to nothing.
#[cold]
pub(super) fn failed(issuer: &mut Issuer, flight: &Flight, failure: Failure, now: Nanos) {
    issuer.recorder.failed(flight, failure);
    let Due { origin, number, .. } = flight.pending.due;
    issuer.schedule.failed(origin, number, now);
}

/// The connection ends with an answer that says so. What stands behind that was never answered, and may be sent again (RFC 9112,
/// section 9.3.2): it is due as before.
pub(super) fn ended(issuer: &mut Issuer, slot: usize, now: Nanos) {
    while let Some(flight) = issuer.pool[slot].flights.pop_front() {
        due_again(issuer, slot, flight.again(now));
    }
    issuer.close(slot);
}

/// The connection has ended, with requests under way; `untouched`: before any of the first one's answer. What may never have been looked
/// at is sent again, as browsers do, and the rest fails.
#[cold]
fn broke_off(
    issuer: &mut Issuer,
    slot: usize,
    mut untouched: bool,
    (failure, why): (Failure, &dyn std::fmt::Display),
    now: Nanos,
) {
    let mut told = false;
    while let Some(flight) = issuer.pool[slot].flights.pop_front() {
        // Where answers come side by side, each tells for itself.
        let is_untouched = match issuer.pool[slot].http2 {
            Some(_) => flight.first_byte == 0,
            None => untouched,
        };
        let again = is_untouched && may_retry(issuer, slot, &flight);
        untouched = true;
        if again {
            let mut pending = flight.again(now);
            pending.retried = true;
            due_again(issuer, slot, pending);
            continue;
        }
        if !std::mem::replace(&mut told, true) {
            let words = |url: &str| format!("{url}: {why}");
            issuer.recorder.example(&flight, failure, words);
        }
        failed(issuer, &flight, failure, now);
    }
    issuer.close(slot);
}

/// A request of which the server says that it has not looked at it is sent again, once.
#[cold]
pub(super) fn again(issuer: &mut Issuer, slot: usize, flight: &Flight, now: Nanos) {
    let mut pending = flight.again(now);
    pending.retried = true;
    due_again(issuer, slot, pending);
}

/// A request was not answered in time.
#[cold]
pub(super) fn late(issuer: &mut Issuer, flight: &Flight, now: Nanos) {
    issuer.recorder.timed_out(flight, now);
    let Due { origin, number, .. } = flight.pending.due;
    issuer.schedule.failed(origin, number, now);
}

fn may_retry(issuer: &Issuer, slot: usize, flight: &Flight) -> bool {
    issuer.run.retry && issuer.pool[slot].may_have_been_closed_before(flight)
}

/// Whether a response says that the server had given up waiting as the request was on its way (RFC 9110, section 15.5.9), so that it is sent again.
/// Else it is the answer.
#[inline]
pub(super) fn crossed(issuer: &mut Issuer, slot: usize, head: Head, now: Nanos) -> bool {
    if head.status != REQUEST_TIMEOUT || head.keep_alive {
        return false;
    }
    let front = issuer.pool[slot].flights.front();
    let crossed = front.is_some_and(|flight| may_retry(issuer, slot, flight));
    if crossed {
        let timeout = Failure::of_status(REQUEST_TIMEOUT);
        broke_off(issuer, slot, true, (timeout, &"status 408"), now);
    }
    crossed
}

pub(super) fn due_again(issuer: &mut Issuer, slot: usize, pending: Pending) {
    issuer.recorder.due_again(&pending);
    match issuer.closed_loop {
        true => issuer.pool[slot].owed.push_back(pending),
        false => issuer.again.push_back(pending),
    }
}

/// A socket says that its connection is no more.
#[cold]
pub(super) fn socket_failed(issuer: &mut Issuer, slot: usize, error: &io::Error, now: Nanos) {
    let untouched = issuer.pool[slot].responses.at_start();
    broke_off(
        issuer,
        slot,
        untouched,
        (Failure::exchanging(error), error),
        now,
    );
}

/// The peer closed a connection before all that was under way was answered. `untouched`: before any of the first answer.
#[cold]
pub(super) fn closed_early(
    issuer: &mut Issuer,
    slot: usize,
    untouched: bool,
    error: http::client::Error,
    now: Nanos,
) {
    match issuer.pool[slot].broken.map(io::Error::from) {
        Some(why) => broke_off(
            issuer,
            slot,
            untouched,
            (Failure::exchanging(&why), &why),
            now,
        ),
        None => broke_off(issuer, slot, untouched, (Failure::Http(error), &error), now),
    }
}

/// What came is no answer, and so is nothing behind it.
#[cold]
pub(super) fn malformed(issuer: &mut Issuer, slot: usize, error: http::client::Error, now: Nanos) {
    let failure = Failure::Http(error);
    if issuer.pool[slot].flights.is_empty() {
        // Bytes that answer nothing: there is no request to fail, but the server is wrong.
        issuer.recorder.record.fail(failure);
    }
    if let Some(flight) = issuer.pool[slot].flights.front() {
        issuer
            .recorder
            .example(flight, failure, |url| format!("{url}: {error}"));
    }
    while let Some(flight) = issuer.pool[slot].flights.pop_front() {
        failed(issuer, &flight, failure, now);
    }
    issuer.close(slot);
}

/// A response came that nobody had asked for, as servers send one before they close an idle connection; and the connection goes on.
#[cold]
fn did_not_end(issuer: &mut Issuer, slot: usize, now: Nanos) {
    malformed(issuer, slot, http::client::Error::Unsolicited, now);
    issuer.issue(now);
}

/// The oldest request on a connection was not answered in time. What stands behind it cannot be answered either.
#[cold]
fn timed_out(issuer: &mut Issuer, slot: usize, now: Nanos) {
    if issuer.pool[slot].http2.is_some() {
        multiplexed::timed_out(issuer, slot, now);
        return issuer.issue(now);
    }
    if let Some(flight) = issuer.pool[slot].flights.front() {
        let words = |url: &str| format!("{url}: no answer in time");
        issuer.recorder.example(flight, Failure::Timeout, words);
    }
    while let Some(flight) = issuer.pool[slot].flights.pop_front() {
        late(issuer, &flight, now);
    }
    issuer.close(slot);
    issuer.issue(now);
}
