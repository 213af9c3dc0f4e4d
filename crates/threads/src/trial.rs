//! One trial: so many threads of one kind do something for a while, and what they did is counted.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use workload::units;

use crate::kinds::{fibers, kernel, tasks};

/// A kind of thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Of the crate `fiber`, on one worker.
    Fibers,
    /// The kernel's.
    Kernel,
    /// Tasks of tokio's, on its loop of one thread.
    Tasks,
}

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Workload {
    /// Half of them produce, each for one who consumes, with room for one item between them.
    ProducerConsumer,
    /// Ten pass a token around, and all others wait.
    Token,
}

/// Makes threads of one kind, which never end: the process does. Each counts what it has taken from another.
pub(crate) trait Threads {
    /// So many pairs of a producer and a consumer.
    fn pairs(&self, pairs: usize, taken: &'static AtomicU64) -> io::Result<()>;
    /// A ring of so many with one token, and others who wait for what never comes.
    fn ring(&self, busy: usize, idle: usize, taken: &'static AtomicU64) -> io::Result<()>;
}

/// Those who pass the token.
pub(crate) const BUSY: usize = 10;

/// Do one trial, and print what came of it
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which kind of threads
    #[arg(long)]
    pub(crate) kind: Kind,
    /// What they do
    #[arg(long)]
    pub(crate) workload: Workload,
    /// How many there are; of a token, how many wait
    #[arg(long, value_name = "N")]
    pub(crate) threads: usize,
    /// How long they are watched
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = units::duration)]
    pub(crate) duration: Duration,
}

/// What came of a trial.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Items or tokens that were taken.
    pub(crate) taken: u64,
    /// In so long, in seconds.
    pub(crate) window_s: f64,
    /// Memory that the threads have taken, in bytes.
    pub(crate) resident_bytes: u64,
    /// Processor time meanwhile, in seconds.
    pub(crate) cpu_s: f64,
}

/// Does it and exits, for no thread ever ends.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let threads: &dyn Threads = match arguments.kind {
        Kind::Fibers => &fibers::Fibers,
        Kind::Kernel => &kernel::Kernel,
        Kind::Tasks => &tasks::Tasks,
    };
    let before = resident_bytes()?;
    let made = match arguments.workload {
        Workload::ProducerConsumer => threads.pairs((arguments.threads / 2).max(1), &TAKEN),
        Workload::Token => threads.ring(BUSY, arguments.threads, &TAKEN),
    };
    made.map_err(|error| error.to_string())?;
    // Until all have begun, and caches are warm.
    while TAKEN.load(Relaxed) < arguments.threads as u64 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (since, first, cpu) = (Instant::now(), TAKEN.load(Relaxed), cpu());
    std::thread::sleep(arguments.duration);
    // On a machine that is busy with other things none of them may have had a turn.
    while TAKEN.load(Relaxed) == first {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (window, last) = (since.elapsed(), TAKEN.load(Relaxed));
    let outcome = Outcome {
        taken: last - first,
        window_s: window.as_secs_f64(),
        resident_bytes: resident_bytes()?.saturating_sub(before),
        cpu_s: (self::cpu() - cpu).as_secs_f64(),
    };
    println!(
        "{}",
        serde_json::to_string(&outcome).map_err(|error| error.to_string())?
    );
    std::process::exit(0);
}

fn resident_bytes() -> Result<u64, String> {
    let statm = std::fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    let pages: u64 = pages.ok_or("/proc/self/statm is not as it should be")?;
    Ok(pages * rustix::param::page_size() as u64)
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
