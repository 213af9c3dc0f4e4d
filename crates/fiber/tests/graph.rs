//! The blocking graph: what fibers did is what it says.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::time::Duration;

use fiber::{Edge, Fiber, Graph, Place, Taken};
use support::start;

static FIRST: Place = Place::new("first");
static SECOND: Place = Place::new("second");

/// Goes to a place and from there on at once.
fn pass(fiber: &Fiber<'_>, place: &'static Place) {
    fiber.yield_at(place);
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
            let name = (edge.from.name(), edge.to.name());
            (name.0, name.1, edge.count / FIBERS, taken.descriptors)
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
        let ways = ways.iter().map(|(from, to, count, descriptors)| {
            (from.as_str(), to.as_str(), *count, *descriptors)
        });
        assert_eq!(ways.collect::<Vec<_>>(), expected, "{workers} workers");
    }
}

static OUTER: Place = Place::new("outer");
static INNER: Place = Place::new("inner");

/// The same place is told apart by the scopes that it lies in, which end in the reverse order of their beginnings, be it by a panic.
#[test]
fn a_place_is_known_with_the_scopes_around_it() {
    let running = start(1);
    running.spawn(|fiber| {
        pass(fiber, &FIRST);
        {
            let _outer = fiber.within(&OUTER);
            pass(fiber, &FIRST);
            let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _inner = fiber.within(&INNER);
                pass(fiber, &FIRST);
                fiber.yield_now();
                panic!("a defect");
            }));
            assert!(unwound.is_err());
            pass(fiber, &SECOND);
        }
        pass(fiber, &FIRST);
    });
    let runtime = running.runtime.clone();
    assert_eq!(running.join().panics, 0);
    let chain = [
        "start",
        "first",
        "outer › first",
        "outer › inner › first",
        "outer › inner › yield",
        "outer › second",
        "first",
        "end",
    ];
    let graph = runtime.graph();
    let ways = graph.edges.iter();
    let mut ways: Vec<_> = ways
        .map(|edge| (edge.from.name(), edge.to.name()))
        .collect();
    ways.sort();
    let mut expected: Vec<_> = chain
        .windows(2)
        .map(|way| (way[0].to_owned(), way[1].to_owned()))
        .collect();
    expected.sort();
    assert_eq!(ways, expected);
}

fn edge<'a>(graph: &'a Graph, from: &str, to: &str) -> &'a Edge {
    let is_it = |edge: &&Edge| (edge.from.name(), edge.to.name()) == (from.into(), to.into());
    graph.edges.iter().find(is_it).unwrap()
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
    let time = |from, to| edge(&graph, from, to).time;
    let (slow, quick) = (time("first", "second"), time("second", "first"));
    assert!(slow.unwrap() >= Duration::from_micros(200), "{slow:?}");
    assert!(quick < slow, "{quick:?}");
}
