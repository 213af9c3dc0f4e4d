//! The start of a run: connections that cannot be made yet do not hold it up.

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A server that accepts nobody; beyond two connections, the kernel lets attempts go unanswered.
#[test]
fn a_run_begins_although_connections_are_still_under_way() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    rustix::net::listen(&listener, 1).expect("a small backlog");
    let address = listener.local_addr().expect("its address");
    let mut run = support::run(address, Duration::from_millis(300));
    (run.clients, run.max_connections) = (20, 20);
    run.timeout = 7_000 * support::MS;
    let began = Instant::now();
    let done = support::go(run).expect("a run");
    // The start and the drain, each bounded; three attempts to connect, one after the other, would take 21 s alone.
    assert!(
        began.elapsed() < Duration::from_secs(18),
        "it took {:?}",
        began.elapsed()
    );
    assert_eq!(done.outcome.record.counts.completed, 0);
}
