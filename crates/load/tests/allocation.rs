//! A request allocates nothing: ten times as many requests make hardly more allocations.

mod support;

use std::time::Duration;
use support::peer::Spoken;
use support::queue::{Queue, Service};
use support::{go, open_loop, run};

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

/// The allocations of a whole run of `requests`, its server's not among them.
fn allocations(spoken: &Spoken, requests: u64, open: bool) -> u64 {
    let queue = Queue::over(spoken, Service::Constant(0.0));
    let before = sys::heap::allocations_of_all_threads();
    let mut run = match open {
        true => open_loop(queue.address, Duration::from_secs(30), 8000.0, true, 8),
        false => run(queue.address, Duration::from_secs(30)),
    };
    run.requests = Some(requests);
    let done = go(spoken.by(run)).expect("a run");
    assert_eq!(done.outcome.record.counts.completed, requests);
    let made = sys::heap::allocations_of_all_threads() - before;
    made - queue.end().allocations
}

#[test]
fn a_request_allocates_nothing() {
    // Of TLS, rustls allocates each record that it encrypts or decrypts: a request is one, and so is its answer.
    for (name, spoken, of_records) in [
        ("HTTP/1.1", Spoken::default(), 0),
        ("HTTP/2", Spoken::http2(), 0),
        ("HTTP/1.1 over TLS", Spoken::default().over_tls(), 2),
        ("HTTP/2 over TLS", Spoken::http2().over_tls(), 2),
    ] {
        for open in [false, true] {
            let few = allocations(&spoken, 500, open);
            let many = allocations(&spoken, 5_000, open);
            // Beside requests there are the seconds of the series.
            assert!(
                many < few + 150 + of_records * 4_500,
                "{name}, open: {open}; {few} allocations for 500 requests, {many} for 5,000"
            );
        }
    }
}
