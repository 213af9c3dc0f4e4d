//! What fibers cost: a switch to another and back, and one that is started and ends, on one worker.
//!
//! A switch to another and back is two turns of the worker's loop and two changes of stacks each. By where a profiler found the
//! processor, before and after each step, most of it was none of the work:
//!
//! | what | why | what was done |
//! | --- | --- | --- |
//! | returns behind a change of stacks | a processor expects each to go to whoever called last, which was on the other stack; that was three in each turn on the fiber's side, and one on the worker's | `yield_now` is part of whoever calls it, and has no call on its way to the change |
//! | a suspended fiber moved by value, in and out of the queue and across the change | reads of sixteen bytes that were just written as eight, or of eight that were two, wait until the writes have reached the cache | a queue holds boxes; why a fiber stops is one word in a register |
//! | the poller, asked every 64 turns | 330 ns each time | it is asked again after 20 µs at the soonest, and the clock is read instead |
//! | queue, counters of the graph, the watchdog's word | loads and stores of the worker's own lines, no lock with one worker and no atomic addition | left; a fiber that yields is queued and the next one taken under one borrow, or one lock where there are several workers |
//!
//! Medians of three, interleaved, on a machine that others used as well: 469 ns before, 234 ns with all of this but the last call on
//! the way to the change, 60 ns without that. The ratios are what to go by; how much each row has of the first step was not measured
//! apart. What is left beside the change of stacks is the loop itself and the clock, a tenth of the time: three readings in 64 turns,
//! for a look for news and a way that is measured.

#![allow(missing_docs, reason = "what the macros make has none")]

use std::sync::mpsc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use fiber::{Fiber, Runtime, Settings};

/// Has a fiber measure something, in a runtime of its own.
fn measured(measure: impl FnOnce(&Fiber<'_>) -> Duration + Send + 'static) -> Duration {
    let settings = Settings::new(16, 64 << 10);
    let (runtime, workers, _) = Runtime::new(&settings).expect("address space for 16 stacks");
    let workers = workers.into_iter();
    let workers: Vec<_> = workers
        .map(|worker| std::thread::spawn(|| worker.run()))
        .collect();
    let (tell, told) = mpsc::channel();
    let measure = move |fiber: &Fiber<'_>| {
        // It is received as long as this is measured.
        let _ = tell.send(measure(fiber));
    };
    runtime.spawn(measure).expect("a stack");
    let time = told.recv().expect("a time");
    runtime.close();
    for worker in workers {
        worker.join().expect("a worker").expect("a poller");
    }
    time
}

fn fibers(criterion: &mut Criterion) {
    criterion.bench_function("fiber: a switch to another and back", |bencher| {
        bencher.iter_custom(|times| {
            measured(move |fiber| {
                let other = move |fiber: &Fiber<'_>| {
                    for _ in 0..times {
                        fiber.yield_now();
                    }
                };
                fiber.spawn(other).expect("a stack");
                let since = Instant::now();
                for _ in 0..times {
                    fiber.yield_now();
                }
                since.elapsed()
            })
        });
    });
    criterion.bench_function("fiber: one is started and ends", |bencher| {
        bencher.iter_custom(|times| {
            measured(move |fiber| {
                let since = Instant::now();
                for _ in 0..times {
                    fiber.spawn(|_| ()).expect("a stack");
                    fiber.yield_now();
                }
                since.elapsed()
            })
        });
    });
}

criterion_group!(benches, fibers);
criterion_main!(benches);
