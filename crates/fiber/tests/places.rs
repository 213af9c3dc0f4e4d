//! What becomes of places when there are too many: by itself, as places are known to all of a process.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use fiber::Place;
use support::start;

/// More places than are told apart: the rest is one, and nothing is lost.
#[test]
fn places_beyond_those_that_are_told_apart_are_one() {
    let running = start(1);
    running.spawn(|fiber| {
        for _ in 0..100 {
            // In the code there are never so many.
            let place = Box::leak(Box::new(Place::new("one of many")));
            fiber.unparker().unpark();
            fiber.park(place);
        }
    });
    let runtime = running.runtime.clone();
    running.join();
    let graph = runtime.graph();
    let ways: u64 = graph.edges.iter().map(|edge| edge.count).sum();
    assert_eq!(ways, 101);
    assert!(graph.edges.iter().any(|edge| edge.to.name() == "others"));
}
