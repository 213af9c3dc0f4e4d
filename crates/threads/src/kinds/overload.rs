//! Requests that hold memory across the disk: an open loop, offered more than can be served.
//!
//! A request takes a buffer, reads 4 KB, needs another buffer for a moment to work out its answer, and gives both back. There are so many
//! buffers and no more. Who finds none when he comes is refused, which costs nothing; who finds none when he is back from the disk is lost,
//! with what was done for him.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use std::time::{Duration, Instant};

use fiber::{Fiber, Helper, Limits, Offload, Place, Runtime, Schedule, Settings, Taken};
use rand_distr::{Distribution, Exp};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::{HELPERS, RandomReads};
use crate::file::{self, ReadFile};

/// Buffers that there are: the limit on memory is 16 MiB.
const BUFFERS: usize = 64;
const BUFFER_BYTES: usize = 256 << 10;
/// Requests at a time; those beyond are refused.
const STACKS: usize = 4000;
const STACK_BYTES: usize = 16 << 10;

static ARRIVED: Place = Place::new("arrived");
static READ: Place = Place::new("read");

/// What becomes of requests.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Or, of other workloads, whatever was done.
    pub(crate) answered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) lost: AtomicU64,
}

impl Counts {
    pub(crate) const fn none() -> Self {
        Self {
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }
}

/// The buffers that are free, by their number.
#[derive(Debug)]
struct Pool(AtomicUsize);

/// A buffer, which goes back to the pool.
struct Buffer {
    pool: Arc<Pool>,
    bytes: Vec<u8>,
}

impl Pool {
    fn take(self: &Arc<Self>) -> Option<Buffer> {
        let less = |free: usize| free.checked_sub(1);
        self.0.fetch_update(SeqCst, SeqCst, less).ok()?;
        Some(Buffer {
            pool: Arc::clone(self),
            // It is touched, as one that is used.
            bytes: vec![1; BUFFER_BYTES],
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.0.fetch_add(1, SeqCst);
    }
}

/// Has requests come, so many in a second at random, until the process ends.
pub(crate) fn start(
    schedule: Schedule,
    per_s: usize,
    file: &Path,
    counts: &'static Counts,
) -> io::Result<()> {
    let settings = Settings {
        schedule,
        limits: Limits {
            memory_bytes: Some((BUFFERS * BUFFER_BYTES) as u64),
            descriptors: None,
        },
        ..Settings::new(STACKS, STACK_BYTES)
    };
    let (runtime, workers, _) = Runtime::new(&settings)?;
    for worker in workers {
        std::thread::Builder::new().spawn(|| worker.run())?;
    }
    let (helpers, helper) = Offload::new();
    for _ in 0..HELPERS {
        let helper = helper.clone();
        std::thread::Builder::new().spawn(|| Helper::run(helper))?;
    }
    let file = file::open(file).map_err(io::Error::other)?;
    let requests = Requests {
        helpers,
        pool: Arc::new(Pool(AtomicUsize::new(BUFFERS))),
        file,
        counts,
    };
    runtime.spawn(move |fiber| requests.come(fiber, per_s))?;
    std::mem::forget(runtime);
    Ok(())
}

#[derive(Clone)]
struct Requests {
    helpers: Offload,
    pool: Arc<Pool>,
    file: &'static ReadFile,
    counts: &'static Counts,
}

impl Requests {
    /// A Poisson process. What was due while others had the worker comes at once.
    fn come(&self, fiber: &Fiber<'_>, per_s: usize) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let Ok(gaps) = Exp::new(per_s as f64) else {
            return;
        };
        let mut due = Instant::now();
        for number in 0.. {
            due += Duration::from_secs_f64(gaps.sample(&mut random));
            fiber.sleep(due.saturating_duration_since(Instant::now()));
            let request = self.clone();
            let started = fiber.spawn(move |fiber| request.serve(fiber, number));
            if started.is_err() {
                self.counts.refused.fetch_add(1, Relaxed);
            }
        }
    }

    fn serve(&self, fiber: &Fiber<'_>, number: usize) {
        // Here one is held back, if one is.
        fiber.yield_at(&ARRIVED);
        let Some(held) = self.pool.take() else {
            self.counts.refused.fetch_add(1, Relaxed);
            return;
        };
        fiber.take(memory(BUFFER_BYTES as i64));
        let mut reads = RandomReads::new(self.file, number);
        self.helpers.call(fiber, &READ, move || reads.read());
        let outcome = match self.pool.take() {
            Some(mut answer) => {
                answer.bytes.copy_from_slice(&held.bytes);
                std::hint::black_box(&answer.bytes);
                &self.counts.answered
            }
            None => &self.counts.lost,
        };
        outcome.fetch_add(1, Relaxed);
        drop(held);
        fiber.take(memory(-(BUFFER_BYTES as i64)));
    }
}

fn memory(memory_bytes: i64) -> Taken {
    Taken {
        memory_bytes,
        descriptors: 0,
    }
}
