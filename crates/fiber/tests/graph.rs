//! The blocking graph: what fibers did is what it says.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::time::Duration;

use fiber::{Fiber, Place, Taken};
use support::start;

static FIRST: Place = Place::new("first");
static SECOND: Place = Place::new("second");

/// Goes to a place and from there on at once.
fn pass(fiber: &Fiber<'_>, place: &'static Place) {
    fiber.unparker().unpark();
    fiber.park(place);
}

#[test]
fn every_way_is_counted_with_what_was_taken_on_it() {
    const FIBERS: u64 = 200;
    for workers in [1, 2] {
        let running = start(workers);
        for _ in 0..FIBERS {
            running.spawn(|fiber| {
                let descriptors = |descriptors| Taken {
                    memory_bytes: 1000 * descriptors,
                    descriptors,
                };
                fiber.take(descriptors(2));
                pass(fiber, &FIRST);
                for _ in 0..3 {
                    pass(fiber, &SECOND);
                    pass(fiber, &FIRST);
                }
                fiber.yield_now();
                fiber.take(descriptors(-1));
                fiber.take(descriptors(-1));
            });
        }
        let runtime = running.runtime.clone();
        running.join();
        let graph = runtime.graph();
        let ways = graph.edges.iter().map(|edge| {
            let taken = edge.taken;
            assert_eq!(taken.memory_bytes, 1000 * taken.descriptors);
            (edge.from, edge.to, edge.count / FIBERS, taken.descriptors)
        });
        let taken = 2 * FIBERS as i64;
        let mut expected = vec![
            ("start", "first", 1, taken),
            ("first", "second", 3, 0),
            ("second", "first", 3, 0),
            ("first", "yield", 1, 0),
            ("yield", "end", 1, -taken),
        ];
        expected.sort_unstable();
        let mut ways: Vec<_> = ways.collect();
        ways.sort_unstable();
        assert_eq!(ways, expected, "{workers} workers");
        let dot = graph.dot();
        assert!(
            dot.contains("\"first\" -> \"second\" [label=\"600"),
            "{dot}"
        );
        assert!(dot.contains("-400 descriptors"), "{dot}");
    }
}

/// One in so many is measured, and the longest way is seen to be so.
#[test]
fn the_time_of_a_way_is_that_for_which_it_keeps_its_worker() {
    let running = start(1);
    running.spawn(|fiber| {
        for _ in 0..600 {
            pass(fiber, &FIRST);
            std::thread::sleep(Duration::from_micros(200));
            pass(fiber, &SECOND);
        }
    });
    let runtime = running.runtime.clone();
    running.join();
    let graph = runtime.graph();
    let time = |from, to| {
        let edge = graph
            .edges
            .iter()
            .find(|edge| (edge.from, edge.to) == (from, to));
        edge.unwrap().time
    };
    let (slow, quick) = (time("first", "second"), time("second", "first"));
    assert!(slow.unwrap() >= Duration::from_micros(200), "{slow:?}");
    assert!(quick < slow, "{quick:?}");
}
