//! A run from its first connection to its figures: threads are started, listened to, and put together.

use crate::address::Address;
use crate::clock::Nanos;
use crate::collect::{CollectedSecond, Collector, Mailbox, Observer, post};
use crate::cpu::{MachineTimes, ThreadTimes};
pub use crate::engine::Newcomers;
use crate::engine::{Ended, Engine, Storm};
use crate::failure::Failure;
use crate::fidelity::Fidelity;
use crate::idle::Idle;
use crate::record::Record;
use crate::run::{Control, Model, Run};
use crate::start::{Began, Start};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Everything that a run brought.
#[derive(Debug)]
pub struct Outcome {
    /// All records, merged.
    pub record: Record,
    /// The series by the second.
    pub seconds: Vec<CollectedSecond>,
    /// From the start to the end of the schedule, the gap behind the last of a number of arrivals included. In a closed loop that ends by
    /// number, and with sessions that do, to the last answer.
    pub window: Nanos,
    /// From the start to the end of the drain.
    pub elapsed: Nanos,
    /// Requests that were due.
    pub scheduled: u64,
    /// Under way when the drain ended.
    pub unfinished: u64,
    /// Never sent.
    pub unsent: u64,
    /// Connections in the end.
    pub connections: usize,
    /// How many were made to each address of the run.
    pub made: Vec<u64>,
    /// Connections that had not brought an answer when the last request had been made, though they were asked in the first half
    /// of the time until then.
    pub unheard: usize,
    /// Those who came and asked for nothing, if there were any.
    pub newcomers: Option<Newcomers>,
    /// When the last answer came, whatever it was.
    pub last_answer: Nanos,
    /// Of the requests answered well, how many each client's were; empty in an open loop.
    pub answered_of: Vec<u64>,
    /// Whether the run was given up because the server was gone.
    pub gave_up: bool,
    /// Whether it was ended before its time.
    pub interrupted: bool,
    /// The busiest loop's share of its core, spinning apart.
    pub busy: f64,
    /// The largest share of a loop's time in which it could have run and another thread did.
    pub starved: f64,
    /// The share of the machine's time that its owner took away.
    pub stolen: f64,
    /// Processor time of this process over the run, spinning included.
    pub cpu: Cpu,
    /// The test of the arrivals.
    pub fidelity: Option<Fidelity>,
    /// How it began; of several processes, each has its own.
    pub start: Option<Began>,
}

/// Processor time of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// In user mode.
    pub user: Duration,
    /// In the kernel.
    pub system: Duration,
    /// Of these, span away waiting for due times.
    pub spun: Duration,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be made.
    #[error("{0}")]
    Unreachable(String),
    /// It was ended from outside while connections were being made.
    #[error(
        "ended while connecting to {address}: {made} of {wanted} connections were made, and nothing was measured{}",
        why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
    )]
    EndedConnecting {
        /// The server.
        address: String,
        /// Connections that were there.
        made: u64,
        /// Connections that were to be there.
        wanted: usize,
        /// What came of an attempt to make another.
        why: Option<String>,
    },
    /// The idle connections could not all be made.
    #[error(
        "only {made} of {wanted} idle connections to {address} were made: {why}; use fewer (--idle), or let the server have more (--backlog, ulimit -n)"
    )]
    Idle {
        /// The server.
        address: String,
        /// Those that were made.
        made: usize,
        /// Those that were to be made.
        wanted: usize,
        /// What came of an attempt to make another.
        why: String,
    },
    /// The server closed idle connections before the end.
    #[error(
        "the server closed {closed} of {wanted} idle connections before the end: give it a longer idle time-out (archbench serve --idle-timeout)"
    )]
    IdleClosed {
        /// Those that it closed.
        closed: usize,
        /// All.
        wanted: usize,
    },
    /// The system refused something.
    #[error("the system refused what a load generator needs: {0}")]
    System(#[from] io::Error),
    /// A thread panicked.
    #[error("a thread of the load generator panicked; this is a defect")]
    Panicked,
}

/// Runs it.
///
/// # Errors
/// When there is no server to be measured, or the system gives too little to measure it.
pub fn measure(
    run: Arc<Run>,
    control: &Arc<Control>,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let idle = Idle::connect(&run)?;
    let (mailboxes, post) = post(run.threads);
    let start = Arc::new(Start::new(run.threads));
    let offered_until = run.offered_until();
    // Requests of sessions follow answers, which may come later.
    let window_end = match run.model {
        Model::Open(_) => offered_until.unwrap_or(run.window_end()),
        Model::Closed | Model::PartlyOpen(..) => run.window_end(),
    };
    let (waking, wakers) = channel();
    let threads = mailboxes
        .into_iter()
        .enumerate()
        .map(|(thread, mailbox)| {
            let (run, control) = (run.clone(), control.clone());
            let (start, waking) = (start.clone(), waking.clone());
            std::thread::Builder::new()
                .name(format!("load-{thread}"))
                .spawn(move || {
                    loop_thread(run, control, (thread, mailbox, window_end), &start, waking)
                })
        })
        .collect::<io::Result<Vec<_>>>()?;
    drop(waking);
    let machine = MachineTimes::now();
    let before = sys::usage::usage(sys::usage::Who::Process)?;
    let mut collector = Collector::new(&run);
    let mut waker = Wakers::new(wakers);
    let mut told_start = false;
    let mut storm = None;
    loop {
        if !told_start && let Some(began) = start.began() {
            observer.began(began);
            told_start = true;
            storm = Storm::begin(&run)?;
        }
        match post.parcels.recv_timeout(Duration::from_millis(50)) {
            Ok(parcel) => collector.take(parcel, &post, observer),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
        }
        waker.wake_if(control.stop_requests());
    }
    collector.finish(observer);
    let newcomers = match storm.map(Storm::end) {
        Some(ended) => Some(ended.ok_or(Error::Panicked)??),
        None => None,
    };
    let after = sys::usage::usage(sys::usage::Who::Process)?;
    let ended = join(threads)?;
    if ended.is_empty() {
        return Err(without_start(&run, &collector.total, control));
    }
    idle.are_all_there()?;
    let spun = ended.iter().map(|ended| ended.spun).sum();
    let cpu = Cpu {
        user: after.user - before.user,
        system: after.system - before.system,
        spun: Duration::from_nanos(spun),
    };
    let mut outcome = outcome(&run, offered_until, collector, ended, cpu, machine);
    outcome.interrupted = control.is_interrupted();
    outcome.newcomers = newcomers;
    outcome.start = start.began().copied();
    Ok(outcome)
}

/// None: this thread could make no connection.
type ThreadOutcome = io::Result<Option<Ended>>;

fn loop_thread(
    run: Arc<Run>,
    control: Arc<Control>,
    (thread, mailbox, window_end): (usize, Mailbox, Nanos),
    start: &Start,
    waking: Sender<mio::Waker>,
) -> ThreadOutcome {
    let starting = run.clone();
    // Every thread must come to the barrier, whatever happens to it before.
    let ready = settle(&run, thread).and_then(|()| {
        let (mut engine, waker) = Engine::new(run, control.clone(), thread, mailbox, window_end)?;
        let _ = waking.send(waker);
        let connected = engine.connect()?;
        Ok((engine, connected))
    });
    let Began { at, stopped, .. } = start.wait(&starting, &control);
    let (engine, connected) = ready?;
    if !connected || stopped {
        engine.give_up();
        return Ok(None);
    }
    engine.run(at).map(Some)
}

/// A thread that is to be punctual: on its core, and woken without slack (prctl(2), PR_SET_TIMERSLACK).
fn settle(run: &Run, thread: usize) -> io::Result<()> {
    if !run.cores.is_empty() {
        let mut set = rustix::thread::CpuSet::new();
        set.set(run.cores[thread % run.cores.len()]);
        rustix::thread::sched_setaffinity(None, &set)?;
    }
    rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1))?;
    Ok(())
}

fn join(threads: Vec<JoinHandle<ThreadOutcome>>) -> Result<Vec<Ended>, Error> {
    let mut all = Vec::with_capacity(threads.len());
    for thread in threads {
        all.extend(thread.join().map_err(|_| Error::Panicked)??);
    }
    Ok(all)
}

/// Wakes the loops when the run is to end.
struct Wakers {
    coming: std::sync::mpsc::Receiver<mio::Waker>,
    here: Vec<mio::Waker>,
    woken_for: u32,
}

impl Wakers {
    fn new(coming: std::sync::mpsc::Receiver<mio::Waker>) -> Self {
        Self {
            coming,
            here: Vec::new(),
            woken_for: 0,
        }
    }

    fn wake_if(&mut self, stop_requests: u32) {
        self.here.extend(self.coming.try_iter());
        if stop_requests > self.woken_for {
            self.woken_for = stop_requests;
            for waker in &self.here {
                // A loop that cannot be woken looks by itself within a second.
                let _ = waker.wake();
            }
        }
    }
}

/// Why no thread began.
fn without_start(run: &Run, record: &Record, control: &Control) -> Error {
    if control.stop_requests() == 0 {
        return Error::Unreachable(unreachable(run, record));
    }
    Error::EndedConnecting {
        address: addresses(run),
        made: record.counts.connected,
        wanted: run.clients,
        why: record.examples.first().map(|example| example.words.clone()),
    }
}

fn addresses(run: &Run) -> String {
    let all: Vec<_> = run.addresses.iter().map(Address::to_string).collect();
    all.join(" and ")
}

fn unreachable(run: &Run, record: &Record) -> String {
    let why = match record.examples.first() {
        Some(example) => example.words.clone(),
        None => format!("connecting to {}: failed", addresses(run)),
    };
    let hint = if record.counts.of(Failure::ConnectRefused) > 0 {
        "; is the server running, and does it listen there?"
    } else {
        ""
    };
    let classes = record.counts.by_class(|_| true);
    let classes: Vec<_> = classes
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    format!(
        "no connection could be made: {why}{hint} (failures: {})",
        classes.join(", ")
    )
}

fn outcome(
    run: &Run,
    offered_until: Option<Nanos>,
    collector: Collector,
    ended: Vec<Ended>,
    cpu: Cpu,
    machine: MachineTimes,
) -> Outcome {
    let share = |part: Nanos, times: &ThreadTimes| part as f64 / times.wall.max(1) as f64;
    let most = |of: &dyn Fn(&Ended) -> f64| ended.iter().map(of).fold(0.0, f64::max);
    let sum = |of: &dyn Fn(&Ended) -> u64| ended.iter().map(of).sum::<u64>();
    let elapsed = ended.iter().map(|ended| ended.at).max().unwrap_or(0);
    let mut fidelity: Option<Fidelity> = None;
    for other in ended.iter().filter_map(|ended| ended.fidelity.as_ref()) {
        match &mut fidelity {
            None => fidelity = Some(other.clone()),
            Some(all) => all.merge(other),
        }
    }
    let stopped_at = ended.iter().map(|ended| ended.stopped_at).min();
    let end = stopped_at.unwrap_or(Nanos::MAX);
    Outcome {
        window: match (&run.model, offered_until) {
            (Model::Open(_), Some(_)) => end,
            _ if run.ends_by_time() => end,
            (_, offered_until) => elapsed.max(offered_until.unwrap_or(0)).min(end),
        },
        elapsed,
        scheduled: sum(&|ended| ended.scheduled),
        unfinished: sum(&|ended| ended.unfinished),
        unsent: sum(&|ended| ended.unsent),
        connections: ended.iter().map(|ended| ended.connections).sum(),
        made: made(run, &ended),
        unheard: ended.iter().map(|ended| ended.unheard).sum(),
        last_answer: ended
            .iter()
            .map(|ended| ended.last_answer)
            .max()
            .unwrap_or(0),
        answered_of: answered_of(run, &ended),
        gave_up: ended.iter().any(|ended| ended.gave_up),
        interrupted: false,
        newcomers: None,
        start: None,
        busy: most(&|ended| share(ended.times.cpu.saturating_sub(ended.spun), &ended.times)),
        starved: most(&|ended| share(ended.times.runnable, &ended.times)),
        stolen: MachineTimes::now().stolen_since(&machine),
        cpu,
        fidelity,
        record: collector.total,
        seconds: collector.seconds,
    }
}

/// How many connections were made to each address.
fn made(run: &Run, ended: &[Ended]) -> Vec<u64> {
    let of = |number: usize| ended.iter().map(|ended| ended.made[number]).sum();
    (0..run.addresses.len()).map(of).collect()
}

/// What each client got. Those of a thread that could make no connection got nothing.
fn answered_of(run: &Run, ended: &[Ended]) -> Vec<u64> {
    if !run.is_closed_loop() {
        return Vec::new();
    }
    let parts = ended.iter().flat_map(|ended| &ended.answered_of);
    let mut all: Vec<u64> = parts.copied().collect();
    all.resize(run.clients, 0);
    all
}
