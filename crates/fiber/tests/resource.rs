//! Scheduling by what is scarce, on workers: what is held stays below its limit, and nobody waits for ever.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use fiber::{Fiber, Limits, Place, Schedule, Settings, Taken};
use support::{Running, SETTINGS, start_with};

static ABOUT_TO_TAKE: Place = Place::new("about to take");

const LIMIT: i64 = 100;

fn memory(memory_bytes: i64) -> Taken {
    Taken {
        memory_bytes,
        descriptors: 0,
    }
}

fn descriptors(descriptors: i64) -> Taken {
    Taken {
        memory_bytes: 0,
        descriptors,
    }
}

fn start(workers: usize, schedule: Schedule) -> Running {
    start_with(&Settings {
        workers,
        schedule,
        limits: Limits {
            memory_bytes: Some(LIMIT as u64),
            descriptors: Some(LIMIT as u64),
        },
        ..SETTINGS
    })
}

/// Takes one and holds it for a while; the most that were held at a time.
fn hold(fiber: &Fiber<'_>, taken: fn(i64) -> Taken, held: &AtomicI64, most: &AtomicI64) {
    fiber.unparker().unpark();
    fiber.park(&ABOUT_TO_TAKE);
    fiber.take(taken(1));
    most.fetch_max(held.fetch_add(1, SeqCst) + 1, SeqCst);
    fiber.sleep(Duration::from_millis(5));
    held.fetch_sub(1, SeqCst);
    fiber.take(taken(-1));
}

/// How many were held at the most by many fibers that take one each, after some have shown what they do.
fn most_held(workers: usize, schedule: Schedule, taken: fn(i64) -> Taken) -> i64 {
    const FIBERS: usize = 2000;
    let (held, most) = (Arc::<AtomicI64>::default(), Arc::<AtomicI64>::default());
    let running = start(workers, schedule);
    let (all, peak) = (Arc::clone(&held), Arc::clone(&most));
    running.spawn(move |fiber| {
        let start = |fiber: &Fiber<'_>| {
            let (held, most) = (Arc::clone(&all), Arc::clone(&peak));
            let body = move |fiber: &Fiber<'_>| hold(fiber, taken, &held, &most);
            fiber.spawn(body).unwrap();
        };
        for _ in 0..20 {
            start(fiber);
            fiber.sleep(Duration::from_millis(3));
        }
        (0..FIBERS).for_each(|_| start(fiber));
    });
    assert_eq!(running.join().panics, 0);
    assert_eq!(held.load(SeqCst), 0, "somebody waits for ever");
    most.load(SeqCst)
}

#[test]
fn who_takes_what_is_scarce_is_held_back_until_others_have_given_it_back() {
    for workers in [1, 2] {
        for taken in [memory, descriptors] {
            let most = most_held(workers, Schedule::Resource, taken);
            // Those who were held back for long enough come on top.
            assert!(most <= LIMIT + LIMIT / 5, "{most}, {workers} workers");
        }
    }
    let most = most_held(1, Schedule::Fifo, memory);
    assert!(
        most > 5 * LIMIT,
        "first in, first out holds nobody back: {most}"
    );
}

/// What is scarce is never given back, and nobody is forgotten for it.
#[test]
fn who_is_held_back_goes_on_in_the_end() {
    for workers in [1, 2] {
        let running = start(workers, Schedule::Resource);
        let ended = Arc::new(AtomicUsize::new(0));
        let all = Arc::clone(&ended);
        running.spawn(move |fiber| {
            let most = AtomicI64::new(0);
            for _ in 0..20 {
                hold(fiber, memory, &AtomicI64::new(0), &most);
            }
            fiber.take(memory(LIMIT));
            for _ in 0..3 {
                let ended = Arc::clone(&all);
                let body = move |fiber: &Fiber<'_>| {
                    hold(fiber, memory, &AtomicI64::new(0), &AtomicI64::new(0));
                    ended.fetch_add(1, SeqCst);
                };
                fiber.spawn(body).unwrap();
            }
            // It keeps what it has until they have come to their end.
            while all.load(SeqCst) < 3 {
                fiber.sleep(Duration::from_millis(5));
            }
        });
        running.join();
        assert_eq!(ended.load(SeqCst), 3, "{workers} workers");
    }
}
