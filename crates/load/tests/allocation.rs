//! A request allocates nothing: ten times as many requests make hardly more allocations.

mod support;

use std::time::Duration;
use support::queue::{Queue, Service};
use support::{go, open_loop, run};

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

/// The allocations of a whole run of `requests`, its server's among them.
fn allocations(requests: u64, open: bool) -> u64 {
    let queue = Queue::new(Service::Constant(0.0), 1);
    let before = sys::heap::allocations_of_all_threads();
    let mut run = match open {
        true => open_loop(queue.address, Duration::from_secs(30), 8000.0, true, 8),
        false => run(queue.address, Duration::from_secs(30)),
    };
    run.requests = Some(requests);
    let done = go(run).expect("a run");
    assert_eq!(done.outcome.record.counts.completed, requests);
    let made = sys::heap::allocations_of_all_threads() - before;
    queue.end();
    made
}

#[test]
fn a_request_allocates_nothing() {
    for open in [false, true] {
        let (few, many) = (allocations(500, open), allocations(5_000, open));
        // Beside requests there are the seconds of the series, and the server's own list.
        assert!(
            many < few + 150,
            "open: {open}; {few} allocations for 500 requests, {many} for 5,000"
        );
    }
}
