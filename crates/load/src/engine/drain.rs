//! The end of a run: who leaves, what is still waited for, and what is given up.

use super::connection::State;
use super::issuer::Issuer;
use crate::clock::Nanos;
use crate::failure::Failure;

/// Nothing will be asked for any more: clients that wait for nothing leave. A worker that serves one client at a time would
/// otherwise stay with them, and those who still wait would be given up for no fault of the server's.
pub(super) fn hang_up(issuer: &mut Issuer) {
    for slot in 0..issuer.pool.len() {
        if issuer.pool[slot].state == State::Open && issuer.pool[slot].is_idle() {
            issuer.close(slot);
        }
    }
}

/// Whether nothing is due, under way, or waiting.
pub(super) fn is_done(issuer: &Issuer) -> bool {
    issuer.schedule.is_idle()
        && issuer.again.is_empty()
        && issuer.pool.iter().all(|connection| connection.is_idle())
}

/// A run by number of requests would wait for ever for a server that is gone.
pub(super) fn server_is_gone(issuer: &Issuer, now: Nanos) -> bool {
    let is_down = |state| matches!(state, State::Down { .. });
    issuer.run.drain_until() == Nanos::MAX
        && now - issuer.last_sign_of_life.min(now) > issuer.run.timeout
        && issuer
            .pool
            .iter()
            .all(|connection| is_down(connection.state))
}

/// Gives up what is under way at the end, and what had been. Returns how much that was.
pub(super) fn censor_the_rest(issuer: &mut Issuer, now: Nanos) -> u64 {
    let mut unfinished = 0;
    for slot in 0..issuer.pool.len() {
        if issuer.pool[slot].is_parting() {
            let failure = Failure::Http(http::client::Error::Unsolicited);
            issuer.recorder.record.fail(failure);
        }
        while let Some(flight) = issuer.pool[slot].flights.pop_front() {
            unfinished += 1;
            issuer.recorder.censor(&flight, now);
        }
    }
    unfinished
}

/// What was due and not under way at the end. Where there was no connection left to send it on, it failed for that.
pub(super) fn censor_unsent(issuer: &mut Issuer, now: Nanos) -> u64 {
    let mut unsent = 0;
    for slot in 0..issuer.pool.len() {
        while let Some(pending) = issuer.pool[slot].owed.pop_front() {
            unsent += 1;
            issuer.recorder.unsent(&pending, false, now);
        }
    }
    if issuer.closed_loop {
        return unsent;
    }
    let disconnected = !issuer.pool.is_any_open();
    while let Some(pending) = issuer.next_pending(now) {
        unsent += 1;
        issuer.recorder.unsent(&pending, disconnected, now);
    }
    unsent
}
