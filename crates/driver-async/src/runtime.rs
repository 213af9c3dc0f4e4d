//! The threads: who runs tasks, and who waits for the disk.

use std::io::{Error, Result};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::{Builder, available_parallelism};
use std::time::Duration;

use arch::process::ServingThread;
use arch::{ProcessContext, context};

use crate::acceptor::GRACE;

/// Which threads run tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheduler {
    /// One, in the order in which they become ready.
    Current,
    /// Several, which take tasks from each other.
    Multi,
}

/// The options of a runtime.
#[derive(Debug, Clone, clap::Args)]
pub struct RuntimeOptions {
    /// Who runs the tasks: one thread, or several that take tasks from each other
    #[arg(long, value_name = "RUNTIME", default_value = "current")]
    pub runtime: Scheduler,
    /// Threads that run tasks, with --runtime multi; one for each core if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub workers: Option<u32>,
}

/// A runtime whose threads are all there.
pub struct Runtime {
    runtime: tokio::runtime::Runtime,
    /// Those that run tasks, and the blocking pool's.
    _serving: Vec<ServingThread>,
}

/// How long a thread of the pool may take to begin.
const BEGIN: Duration = Duration::from_secs(10);

impl RuntimeOptions {
    /// Starts the threads: those that run tasks, and so many of the blocking pool, which is none where nobody will use it. They stay
    /// for as long as the runtime.
    ///
    /// # Errors
    /// That the system does not give so many, in words for the person who asked for them.
    pub fn start(&self, blocking_threads: u32, process: &ProcessContext) -> Result<Runtime> {
        let workers = match self.runtime {
            Scheduler::Current => 0,
            Scheduler::Multi => self.workers.unwrap_or_else(cores),
        };
        can_be_had(workers + blocking_threads)?;
        let mut builder = match self.runtime {
            Scheduler::Current => tokio::runtime::Builder::new_current_thread(),
            Scheduler::Multi => tokio::runtime::Builder::new_multi_thread(),
        };
        if workers > 0 {
            builder.worker_threads(workers as usize);
        }
        let runtime = builder
            .enable_io()
            .enable_time()
            .thread_name("task")
            .max_blocking_threads(blocking_threads.max(1) as usize)
            .thread_keep_alive(Duration::MAX)
            .build()
            .map_err(context("cannot start the runtime"))?;
        fill_pool(&runtime, blocking_threads)?;
        // With the current thread's scheduler it is that one that runs tasks.
        let serving = (0..workers.max(1) + blocking_threads).map(|_| process.serving_thread());
        Ok(Runtime {
            _serving: serving.collect(),
            runtime,
        })
    }
}

impl Runtime {
    /// Runs `task`, and whatever it spawns until it is over. What is left then is dropped; a thread that waits for the disk even so is
    /// not waited for.
    pub fn run(self, task: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
        let handle = self.runtime.spawn(task);
        let ended = self.runtime.block_on(handle);
        self.runtime.shutdown_timeout(GRACE);
        ended.map_err(Error::other)?
    }
}

fn cores() -> u32 {
    let cores = available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(1)
}

/// That the system gives so many threads: the runtime panics where it does not, or does with fewer.
fn can_be_had(threads: u32) -> Result<()> {
    let before = tasks();
    let gate = RwLock::new(());
    let shut = gate.write().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        // Opened where this ends, in whichever way.
        let _shut = shut;
        for thread in 1..=threads {
            let spawned = Builder::new().spawn_scoped(scope, || drop(gate.read()));
            spawned.map_err(context(format!(
                "cannot start thread {thread} of {threads}; try fewer --workers or --blocking-threads"
            )))?;
        }
        Ok::<_, Error>(())
    })?;
    // A thread that was joined counts against the limit until the kernel has buried it.
    while tasks() > before {
        std::thread::yield_now();
    }
    Ok(())
}

/// How many threads the kernel knows of this process.
fn tasks() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// Has the pool make all its threads now: it makes one only where none is idle, so that each gets something that lasts until all are
/// there.
fn fill_pool(runtime: &tokio::runtime::Runtime, threads: u32) -> Result<()> {
    let gate = Arc::new(RwLock::new(()));
    let shut = gate.write().unwrap_or_else(PoisonError::into_inner);
    let (begun, all) = mpsc::channel();
    for _ in 0..threads {
        let (begun, gate) = (begun.clone(), Arc::clone(&gate));
        runtime.spawn_blocking(move || {
            // Whoever waits for it has given up if it fails.
            let _ = begun.send(());
            drop(gate.read());
        });
    }
    for thread in 1..=threads {
        all.recv_timeout(BEGIN).map_err(|_| {
            Error::other(format!(
                "cannot start thread {thread} of the {threads} of the blocking pool; try fewer --blocking-threads"
            ))
        })?;
    }
    drop(shut);
    Ok(())
}
