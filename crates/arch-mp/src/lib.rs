//! MP, multi-process: a process for each connection (Flash, section 3.1).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: the listening socket and the page of counters. Every process has caches of its own, as in the paper,
//! each with the whole of `--name-cache` and `--content-cache`: the same file may be in memory many times, which is the
//! architecture's price, just as it is its strength that a process can die alone. The parent has one thread and serves
//! nobody; it replaces workers that die, at a bounded rate.
//!
//! A process belongs to its connection for as long as that lives, so more keep-alive clients than processes wait for each
//! other.
//!
//! Departures from the paper: there each process had caches cut to its share, 4 MB of files where the other servers had 128
//! (section 6); here each has the whole, so give `--content-cache` and `--name-cache` a thirty-second part to compare as
//! Flash did. Bytes leave by `sendfile`, not from a mapping. `--spawn connection` is the older form, before preforking.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::listener::{EXHAUSTED_PAUSE, Socket};
use arch::nature::{
    Behaviour, Carrier, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature,
    Overflow, Variant,
};
use arch::stop::ENDED_AT_ONCE;
use arch::{Accept, Architecture, ProcessContext, Refused, ServerSetup, blocking, context};
use meter::{Counters, Event, Gauge};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal as Kill, WaitOptions, getpid, getppid, kill_process, pidfd_open,
    pidfd_send_signal, set_parent_process_death_signal, waitpid,
};
use sys::process::{Fork, exit_now, fork};
use sys::signals::{self, Signal};

/// When processes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Spawn {
    /// All at the start; each accepts for itself.
    Prefork,
    /// One for each connection, when it comes.
    Connection,
}

/// The options of MP.
#[derive(Debug, Clone, clap::Args)]
pub struct Mp {
    /// Processes to make at the start, as in Flash; each serves one connection at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub processes: u32,
    /// When processes are made: all at the start, or one for each connection
    #[arg(long, value_name = "WHEN", default_value = "prefork")]
    pub spawn: Spawn,
}

impl Architecture for Mp {
    const NAME: &'static str = "mp";
    const SUMMARY: &'static str = "a process for each connection, each with caches of its own";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Processes,
        predecessors: &["iterative"],
        paper: "Pai, Druschel, Zwaenepoel: Flash, USENIX Annual Technical Conference, section 3.1",
        year: 1999,
        behaviour: Behaviour {
            concurrency: Concurrency::Workers {
                carrier: Carrier::Process,
                count: "--processes",
                queue: None,
                overflow: Overflow::Waits,
            },
            killed: Killed::Replaced,
            ..PROCESS_EACH
        },
        variants: &[Variant {
            options: "--spawn connection",
            behaviour: PROCESS_EACH,
        }],
        settings: &["--processes 1"],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        signals::take_over(&SIGNALS)?;
        let parent = Parent {
            counters: setup.meter.counters(),
            setup,
            spawn: self.spawn,
            workers: HashMap::new(),
            draining_until: None,
        };
        match self.spawn {
            Spawn::Prefork => parent.prefork(self.processes as usize, ready),
            Spawn::Connection => parent.process_per_connection(ready),
        }
    }
}

/// With a process for each connection, made when it comes.
const PROCESS_EACH: Behaviour = Behaviour {
    concurrency: Concurrency::OneEach(Carrier::Process),
    disk_wait: DiskWait::Connection,
    defect: Loss::Process,
    killed: Killed::Connection,
    idle_connection: IdleConnection::Worker,
};

const SIGNALS: [Signal; 5] = [
    Signal::Interrupt,
    Signal::Terminate,
    Signal::Quit,
    Signal::HangUp,
    Signal::Child,
];
/// The least time between two replacements, so that workers that cannot live do not take the machine.
const REPLACE_EVERY: Duration = Duration::from_millis(50);

/// Exit status of a worker with a defect.
const PANICKED: i32 = 101;

struct Parent {
    setup: ServerSetup,
    spawn: Spawn,
    counters: Counters,
    /// Each with a descriptor, by which it alone can be meant, where the kernel has one to give.
    workers: HashMap<Pid, Option<OwnedFd>>,
    draining_until: Option<Instant>,
}

impl Parent {
    /// Keeps `processes` workers alive until it is told to stop.
    fn prefork(mut self, processes: usize, ready: impl FnOnce()) -> std::io::Result<()> {
        let work = |process: std::io::Result<ProcessContext>| {
            let process = process?;
            let mut worker = process.worker();
            while !worker.is_stopping()
                && let Some(client) = process.listener.accept(&worker.counters)
            {
                blocking::serve(client, &mut worker);
            }
            Ok(())
        };
        for process in 1..=processes {
            if let Err(error) = self.fork(work) {
                self.end_all(Kill::KILL);
                let what =
                    format!("cannot start process {process} of {processes}; try fewer --processes");
                return Err(context(what)(error));
            }
        }
        ready();
        while self.draining_until.is_none() {
            let missing = self.workers.len() < processes;
            match signals::wait(&SIGNALS, missing.then_some(REPLACE_EVERY))? {
                Some(signal) => self.take(signal),
                // Others would find it shut as well.
                None if self.setup.listener.is_shut() => self.stop(),
                // Without a process to be had now, the next round tries again.
                None => {
                    if self.fork(work).is_ok() {
                        self.counters.count(Event::Replaced, 1);
                    }
                }
            }
        }
        self.drain()
    }

    /// Accepts, and makes a process for each connection, until it is told to stop.
    fn process_per_connection(mut self, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = self.setup.open_unwatched()?;
        process.listener.never_block()?;
        let mut acceptor = process.worker();
        let mut refused = Refused::default();
        let pending = signals::descriptor(&SIGNALS)?;
        let most = self.setup.options.max_connections;
        let mut exhausted = false;
        ready();
        while self.draining_until.is_none() {
            let full = most > 0 && self.workers.len() >= most;
            let descriptors = &mut [
                PollFd::new(&pending, PollFlags::IN),
                PollFd::new(&process.listener, PollFlags::IN),
            ];
            let watched = if full || exhausted { 1 } else { 2 };
            let pause = exhausted.then_some(EXHAUSTED_PAUSE);
            let pause = pause.into_iter().chain(refused.poll_timeout()).min();
            let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());
            rustix::io::retry_on_intr(|| poll(&mut descriptors[..watched], pause.as_ref()))?;
            refused.sweep(Instant::now());
            while let Some(signal) = signals::wait(&SIGNALS, Some(Duration::ZERO))? {
                self.take(signal);
            }
            exhausted = false;
            if full || self.draining_until.is_some() {
                continue;
            }
            match process
                .listener
                .try_accept(Socket::Blocking, &acceptor.counters)
            {
                Accept::Client(client) => {
                    let client = Arc::new(client);
                    let work = |process: std::io::Result<ProcessContext>| {
                        // Those who linger are the parent's.
                        refused = Refused::default();
                        match process {
                            Ok(process) => {
                                blocking::serve(Arc::clone(&client), &mut process.worker());
                            }
                            Err(_) => {
                                refused.add(Arc::clone(&client), &mut acceptor);
                                refused.wait_until_gone();
                            }
                        }
                        Ok(())
                    };
                    if self.fork(work).is_err() {
                        refused.add(client, &mut acceptor);
                    }
                }
                Accept::Full => exhausted = true,
                Accept::Stopped => self.stop(),
                Accept::Nobody => {}
            }
        }
        self.drain()
    }

    /// Makes a process that does `work`, with the setup open if it can be opened, and ends.
    fn fork(
        &mut self,
        work: impl FnOnce(std::io::Result<ProcessContext>) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let parent = getpid();
        match fork()? {
            Fork::Parent(worker) => {
                let descriptor = pidfd_open(worker, PidfdFlags::empty()).ok();
                self.workers.insert(worker, descriptor);
                self.setup.meter.rise(Gauge::Processes);
                Ok(())
            }
            Fork::Child => {
                // Workers whose parent is gone would serve for ever.
                let _ = set_parent_process_death_signal(Some(Kill::INT));
                if getppid() != Some(parent) {
                    // It went before it could be asked for.
                    exit_now(ENDED_AT_ONCE);
                }
                let setup = &self.setup;
                // A panic must not go on into what was the parent's business.
                let served = catch_unwind(AssertUnwindSafe(|| work(setup.open_as_worker())));
                exit_now(match served {
                    Ok(Ok(())) => 0,
                    Ok(Err(_)) => 1,
                    Err(_) => PANICKED,
                })
            }
        }
    }

    fn take(&mut self, signal: Signal) {
        match signal {
            Signal::Child => self.reap(),
            _ if self.draining_until.is_some() => {
                self.end_all(Kill::KILL);
                exit_now(ENDED_AT_ONCE);
            }
            _ => self.stop(),
        }
    }

    /// Lets nobody else in. Also where a worker has shut the listener that all share, as one does that is interrupted alone.
    fn stop(&mut self) {
        self.draining_until = Some(Instant::now() + self.setup.options.drain_timeout);
        self.setup.listener.shut();
        self.end_all(Kill::TERM);
    }

    /// Takes note of the workers that have ended.
    fn reap(&mut self) {
        while let Ok(Some((worker, status))) = waitpid(None, WaitOptions::NOHANG) {
            self.workers.remove(&worker);
            self.setup.meter.fall(Gauge::Processes);
            if status.signaled() || status.exit_status() == Some(ENDED_AT_ONCE) {
                // It had no time to take its thread off the count.
                self.setup.meter.fall(Gauge::Threads);
            }
            if status.signaled() && self.spawn == Spawn::Connection && self.draining_until.is_none()
            {
                // Nor to say that its connection went with it.
                self.counters.count(Event::Broken, 1);
            }
        }
    }

    /// Waits for the workers' last answers; they keep to the drain deadline themselves, unless they cannot.
    fn drain(mut self) -> std::io::Result<()> {
        const GRACE: Duration = Duration::from_millis(500);
        while !self.workers.is_empty() {
            let left = self
                .draining_until
                .map(|until| (until + GRACE).saturating_duration_since(Instant::now()));
            match signals::wait(&SIGNALS, left)? {
                Some(signal) => self.take(signal),
                None => {
                    self.end_all(Kill::KILL);
                    self.draining_until = None;
                }
            }
        }
        Ok(())
    }

    fn end_all(&self, signal: Kill) {
        for (&worker, descriptor) in &self.workers {
            // It fails only for a worker that has ended already. One that nobody has waited for yet keeps its number.
            let _ = match descriptor {
                Some(descriptor) => pidfd_send_signal(descriptor, signal),
                None => kill_process(worker, signal),
            };
        }
    }
}
