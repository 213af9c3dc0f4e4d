//! Green threads on one worker, with queues of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use fiber::{Queue, Runtime, Settings};

use crate::trial::Threads;

pub(crate) struct Fibers;

/// What a fiber here needs is a fraction of it.
const STACK_BYTES: usize = 16 << 10;

impl Fibers {
    fn runtime(fibers: usize) -> io::Result<Runtime> {
        let settings = Settings::new(fibers, STACK_BYTES);
        let (runtime, workers, _) = Runtime::new(&settings)?;
        for worker in workers {
            std::thread::Builder::new().spawn(|| worker.run())?;
        }
        Ok(runtime)
    }
}

impl Threads for Fibers {
    fn pairs(&self, pairs: usize, taken: &'static AtomicU64) -> io::Result<()> {
        let runtime = Self::runtime(2 * pairs)?;
        for _ in 0..pairs {
            let queue = Arc::new(Queue::new(1));
            let items = Arc::clone(&queue);
            runtime.spawn(move |fiber| {
                loop {
                    queue.push(fiber, ());
                }
            })?;
            runtime.spawn(move |fiber| {
                loop {
                    items.pop(fiber);
                    taken.fetch_add(1, Relaxed);
                }
            })?;
        }
        // It is never closed.
        std::mem::forget(runtime);
        Ok(())
    }

    fn ring(&self, busy: usize, idle: usize, taken: &'static AtomicU64) -> io::Result<()> {
        let runtime = Self::runtime(busy + idle)?;
        for _ in 0..idle {
            runtime.spawn(|fiber| Queue::new(1).pop(fiber))?;
        }
        let places: Arc<[Queue<()>]> = (0..busy).map(|_| Queue::new(1)).collect();
        for number in 0..busy {
            let places = Arc::clone(&places);
            runtime.spawn(move |fiber| {
                if number == 0 {
                    places[0].push(fiber, ());
                }
                loop {
                    places[number].pop(fiber);
                    taken.fetch_add(1, Relaxed);
                    places[(number + 1) % places.len()].push(fiber, ());
                }
            })?;
        }
        std::mem::forget(runtime);
        Ok(())
    }
}
