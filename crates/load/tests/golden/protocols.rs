//! The same checks over what is spoken beside HTTP/1.1 in the clear: what is encrypted, or comes in frames, is timed no otherwise.

use super::{TIMES, mm1, stalls};
use crate::support::golden::golden;
use crate::support::one_at_a_time;
use crate::support::peer::Spoken;
use load::run::Fault;

#[test]
fn a_stall_is_seen_whole_over_http2_and_tls() {
    let _turn = one_at_a_time();
    let spoken = Spoken::http2().over_tls();
    golden("stall over HTTP/2 and TLS", TIMES, || {
        stalls(&spoken, 2, Fault::None)
    });
}

#[test]
fn mm1_responses_are_exponential_over_tls() {
    let _turn = one_at_a_time();
    let spoken = Spoken::default().over_tls();
    golden("M/M/1 over TLS", TIMES, || {
        mm1(&spoken, (0.6, 2.0), (32, 1), Fault::None)
    });
}

/// One connection that takes as many requests as there are is no queue of its own.
#[test]
fn mm1_responses_are_exponential_over_the_streams_of_a_connection() {
    let _turn = one_at_a_time();
    let spoken = Spoken::http2();
    golden("M/M/1 over HTTP/2", TIMES, || {
        mm1(&spoken, (0.6, 2.0), (1, 256), Fault::None)
    });
}
