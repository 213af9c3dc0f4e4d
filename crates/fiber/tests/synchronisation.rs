//! The mutex and the queue, on workers.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use fiber::{Fiber, Mutex, Queue};
use support::{run, start};

/// One at a time, though whoever has it parks meanwhile; nobody is forgotten.
#[test]
fn a_mutex_is_had_by_one_fiber_at_a_time() {
    const FIBERS: u64 = 50;
    const TIMES: u64 = 100;
    for workers in [1, 2, 3] {
        let sum = Arc::new(Mutex::new(0));
        let running = start(workers);
        for _ in 0..FIBERS {
            let sum = Arc::clone(&sum);
            running.spawn(move |fiber| {
                for _ in 0..TIMES {
                    let mut sum = sum.lock(fiber);
                    let before = *sum;
                    fiber.yield_now();
                    *sum = before + 1;
                }
            });
        }
        running.join();
        let check = Arc::clone(&sum);
        let found = Arc::new(AtomicU64::new(0));
        let tell = Arc::clone(&found);
        run(1, move |fiber| tell.store(*check.lock(fiber), SeqCst));
        assert_eq!(found.load(SeqCst), FIBERS * TIMES, "{workers} workers");
    }
}

#[test]
fn who_asks_for_a_mutex_first_has_it_first() {
    run(1, |fiber| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let held = order.lock(fiber);
        for number in 0..10 {
            let order = Arc::clone(&order);
            let ask = move |fiber: &Fiber<'_>| order.lock(fiber).push(number);
            fiber.spawn(ask).unwrap();
        }
        fiber.yield_now();
        drop(held);
        // It stands behind those that asked before.
        assert_eq!(*order.lock(fiber), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn a_mutex_outlives_a_panic_of_whoever_has_it() {
    let report = run(1, |fiber| {
        let value = Arc::new(Mutex::new(1));
        let other = Arc::clone(&value);
        let fail = move |fiber: &Fiber<'_>| {
            *other.lock(fiber) += 1;
            let _held = other.lock(fiber);
            panic!("a defect");
        };
        fiber.spawn(fail).unwrap();
        fiber.yield_now();
        assert_eq!(*value.lock(fiber), 2);
    });
    assert_eq!(report.panics, 1);
}

/// Every item comes out once, whatever the room for them.
#[test]
fn a_queue_loses_and_doubles_nothing() {
    const PRODUCERS: u64 = 8;
    const ITEMS: u64 = 500;
    for (workers, capacity) in [(1, 1), (1, 10), (2, 1), (2, 10), (3, 3)] {
        let queue = Arc::new(Queue::new(capacity));
        let counted: Arc<Vec<AtomicU64>> = Arc::new((0..PRODUCERS).map(|_| 0.into()).collect());
        let running = start(workers);
        for producer in 0..PRODUCERS {
            let pushed_to = Arc::clone(&queue);
            running.spawn(move |fiber| {
                for item in 0..ITEMS {
                    pushed_to.push(fiber, (producer, item));
                }
            });
            let (queue, counted) = (Arc::clone(&queue), Arc::clone(&counted));
            running.spawn(move |fiber| {
                for _ in 0..ITEMS {
                    let (producer, _) = queue.pop(fiber);
                    counted[producer as usize].fetch_add(1, SeqCst);
                }
            });
        }
        assert_eq!(running.join().panics, 0);
        for count in &*counted {
            assert_eq!(count.load(SeqCst), ITEMS, "{workers} workers, {capacity}");
        }
    }
}

#[test]
fn a_queue_is_first_in_first_out_for_items_and_for_those_who_wait() {
    run(1, |fiber| {
        let queue = Arc::new(Queue::new(2));
        let taken = Arc::new(Mutex::new(Vec::new()));
        for number in 0..5 {
            let (queue, taken) = (Arc::clone(&queue), Arc::clone(&taken));
            let pop = move |fiber: &Fiber<'_>| {
                let item: u64 = queue.pop(fiber);
                taken.lock(fiber).push((number, item));
            };
            fiber.spawn(pop).unwrap();
        }
        fiber.yield_now();
        for item in 0..5 {
            queue.push(fiber, item);
        }
        while taken.lock(fiber).len() < 5 {
            fiber.yield_now();
        }
        let expected: Vec<_> = (0..5).map(|number| (number, number)).collect();
        assert_eq!(*taken.lock(fiber), expected);
    });
}
