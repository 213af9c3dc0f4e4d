//! One trial: so many threads of one kind do something for a while, and what they did is counted.

use std::io;
use std::path::PathBuf;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};
use workload::units;

use crate::file::{self, ReadFile};
use crate::kinds::Kind;
use crate::kinds::fibers::Fibers;
use crate::kinds::kernel::Kernel;
use crate::kinds::overload::{self, Counts};
use crate::kinds::tasks::Tasks;

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// Half of them produce, each for one who consumes, with room for one item between them.
    ProducerConsumer,
    /// Ten pass a token around, and all others wait.
    Token,
    /// Each reads 4 KB of a file in one random place after the other.
    Reads,
    /// Requests come at a rate, each with a thread of its own, and hold memory across a read.
    Overload,
}

impl std::fmt::Display for Workload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Makes threads of one kind, which never end: the process does. Each counts what it has taken from another.
pub(crate) trait Threads {
    /// So many pairs of a producer and a consumer.
    fn pairs(&self, pairs: usize, taken: &'static AtomicU64) -> io::Result<()>;
    /// So many that read a file in random places.
    fn readers(
        &self,
        readers: usize,
        file: &'static ReadFile,
        taken: &'static AtomicU64,
    ) -> io::Result<()>;
    /// A ring of so many with one token, and others who wait for what never comes.
    fn ring(&self, busy: usize, idle: usize, taken: &'static AtomicU64) -> io::Result<()>;
}

/// How long it takes until the disk has the first reads of all threads, which come at once.
const UNTIL_QUEUED: Duration = Duration::from_millis(200);
/// How long it takes until all memory is in use, if it comes to that.
const UNTIL_FULL: Duration = Duration::from_millis(500);

/// Locked as long as threads are made, for those that are not to begin before.
pub(crate) static MAKING: RwLock<()> = RwLock::new(());

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
    /// How many there are; of a token, how many wait; under overload, how many requests come in a second
    #[arg(long, value_name = "N")]
    pub(crate) threads: usize,
    /// The file that is read
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// How long they are watched
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = units::duration)]
    pub(crate) duration: Duration,
}

/// What came of a trial.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Items or tokens that were taken, reads that were made, requests that were answered.
    pub(crate) taken: u64,
    /// Requests that were refused at once, or lost with what was done for them.
    pub(crate) refused: u64,
    pub(crate) lost: u64,
    /// In so long, in seconds.
    pub(crate) window_s: f64,
    /// Memory that the threads have taken, in bytes.
    pub(crate) resident_bytes: u64,
    /// Processor time meanwhile, in seconds.
    pub(crate) cpu_s: f64,
}

/// Does it and exits, for no thread ever ends.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    static COUNTS: Counts = Counts::none();
    let before = resident_bytes()?;
    let making = MAKING.write();
    start_there(arguments, &COUNTS)?;
    drop(making);
    let taken = || COUNTS.answered.load(Relaxed);
    // Until all have begun, and caches are warm; of those that wait for a disk, as many as say that it is at work.
    let begun = match arguments.workload {
        Workload::ProducerConsumer | Workload::Token => arguments.threads,
        Workload::Reads | Workload::Overload => arguments.threads.min(32),
    };
    while taken() < begun as u64 {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(match arguments.workload {
        Workload::ProducerConsumer | Workload::Token => Duration::ZERO,
        Workload::Reads => UNTIL_QUEUED,
        Workload::Overload => UNTIL_FULL,
    });
    let all = || [&COUNTS.answered, &COUNTS.refused, &COUNTS.lost].map(|count| count.load(Relaxed));
    let (since, first, cpu) = (Instant::now(), all(), cpu());
    std::thread::sleep(arguments.duration);
    // On a machine that is busy with other things none of them may have had a turn.
    while taken() == first[0] {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (window, last) = (since.elapsed(), all());
    let [taken, refused, lost] = std::array::from_fn(|count| last[count] - first[count]);
    let outcome = Outcome {
        taken,
        refused,
        lost,
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

/// Makes the threads where this process was put, and leaves: a thread that has but to look at a clock would wait for those that it made.
fn start_there(arguments: &Arguments, counts: &'static Counts) -> Result<(), String> {
    std::thread::scope(|scope| {
        let makes = scope.spawn(|| start(arguments, counts));
        let mut all = CpuSet::new();
        (0..CpuSet::MAX_CPU).for_each(|core| all.set(core));
        // Where that is forbidden it stays, and takes longer.
        let _ = sched_setaffinity(None, &all);
        makes
            .join()
            .unwrap_or_else(|_| Err("a defect in making threads".into()))
    })
}

/// Makes the threads.
fn start(arguments: &Arguments, counts: &'static Counts) -> Result<(), String> {
    let taken = &counts.answered;
    let threads: &dyn Threads = match arguments.kind {
        Kind::Fibers | Kind::FibersResource => &Fibers::Offload,
        Kind::FibersInline => &Fibers::Inline,
        Kind::Kernel => &Kernel,
        Kind::Tasks => &Tasks,
    };
    let path = || {
        arguments
            .file
            .as_deref()
            .ok_or("a workload that reads takes --file")
    };
    if !arguments.kind.does(arguments.workload) {
        return Err(format!("{} do not do this workload", arguments.kind));
    }
    let made = match arguments.workload {
        Workload::ProducerConsumer => threads.pairs((arguments.threads / 2).max(1), taken),
        Workload::Token => threads.ring(BUSY, arguments.threads, taken),
        Workload::Reads => threads.readers(arguments.threads, file::open(path()?)?, taken),
        Workload::Overload => {
            let schedule = match arguments.kind {
                Kind::FibersResource => fiber::Schedule::Resource,
                _ => fiber::Schedule::Fifo,
            };
            overload::start(schedule, arguments.threads, path()?, counts)
        }
    };
    made.map_err(|error| error.to_string())
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
