//! What fibers cost: a switch to another and back, and one that is started and ends, on one worker.

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
