//! HTTP/2: what the server says of itself is heeded, whenever it comes.

mod support;

use load::measure::Error;
use std::time::Duration;
use support::peer::Spoken;
use support::queue::{Queue, Service};
use support::{go, open_loop, run};

/// One connection with ten requests at a time, to a server that takes three, however soon it says so: over TLS that comes with the end of the
/// handshake, before anything was asked.
#[test]
fn no_more_is_under_way_than_the_server_takes() {
    for (spoken, is_told_first) in [
        (Spoken::http2().with_streams(3), false),
        (Spoken::http2().with_streams(3).over_tls(), true),
    ] {
        for open in [false, true] {
            let queue = Queue::over(&spoken, Service::Constant(0.2e-3));
            let mut run = match open {
                true => open_loop(queue.address, Duration::from_secs(30), 8000.0, false, 1),
                false => run(queue.address, Duration::from_secs(30)),
            };
            (run.depth, run.requests, run.retry) = (10, Some(200), false);
            let done = go(spoken.by(run)).expect("a run");
            let served = queue.end();
            let counts = &done.outcome.record.counts;
            assert_eq!(
                (counts.completed, counts.failed()),
                (200, 0),
                "open: {open}"
            );
            assert_eq!((done.outcome.unsent, done.outcome.unfinished), (0, 0));
            assert!(!is_told_first || served.most_at_once == 3, "{served:?}");
        }
    }
}

/// Idle connections have said all that comes before a request, and a server that closes one is seen to, whatever it said first.
#[test]
fn idle_connections_say_what_comes_before_a_request() {
    for spoken in [
        Spoken::default().over_tls(),
        Spoken::http2(),
        Spoken::http2().over_tls(),
    ] {
        let queue = Queue::over(&spoken, Service::Constant(0.0));
        let mut run = run(queue.address, Duration::from_secs(10));
        (run.idle, run.requests) = (5, Some(100));
        let done = go(spoken.by(run)).expect("a run");
        assert_eq!(done.outcome.record.counts.completed, 100);
        let served = queue.end();
        assert_eq!((served.connections, served.greeted), (6, 6));
    }
}

#[test]
fn an_idle_connection_that_cannot_be_made_is_told_of_in_a_sentence() {
    let speaks_http1 = Queue::over(&Spoken::default().over_tls(), Service::Constant(0.0));
    let mut run = run(speaks_http1.address, Duration::from_secs(10));
    run.idle = 2;
    let why = go(Spoken::http2().over_tls().by(run))
        .err()
        .expect("another protocol");
    assert!(matches!(why, Error::Idle { made: 0, .. }), "{why}");
    assert!(why.to_string().contains("HTTP/2 (ALPN h2)"), "{why}");
    speaks_http1.end();
}
