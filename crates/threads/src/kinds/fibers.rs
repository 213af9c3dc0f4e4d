//! Fibers on one worker, with queues of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use fiber::{Helper, Offload, Place, Queue, Runtime, Settings};

use super::{HELPERS, RandomReads};
use crate::file::ReadFile;
use crate::trial::Threads;

/// Who makes calls that block.
pub(crate) enum Fibers {
    /// Helpers, while the fiber parks.
    Offload,
    /// The worker.
    Inline,
}

static READ: Place = Place::new("read");

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

    fn readers(
        &self,
        readers: usize,
        file: &'static ReadFile,
        taken: &'static AtomicU64,
    ) -> io::Result<()> {
        let runtime = Self::runtime(readers)?;
        let helpers = match self {
            Self::Inline => None,
            Self::Offload => {
                let (helpers, helper) = Offload::new();
                for _ in 0..HELPERS {
                    let helper = helper.clone();
                    std::thread::Builder::new().spawn(|| Helper::run(helper))?;
                }
                Some(helpers)
            }
        };
        for number in 0..readers {
            let helpers = helpers.clone();
            runtime.spawn(move |fiber| {
                let mut reads = RandomReads::new(file, number);
                loop {
                    match &helpers {
                        None => {
                            taken.fetch_add(reads.read(), Relaxed);
                            fiber.yield_now();
                        }
                        Some(helpers) => {
                            reads = helpers.call(fiber, &READ, move || {
                                taken.fetch_add(reads.read(), Relaxed);
                                reads
                            });
                        }
                    }
                }
            })?;
        }
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
