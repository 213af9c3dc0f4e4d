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

use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::listener::{EXHAUSTED_PAUSE, Socket};
use arch::nature::{
    Behaviour, Carrier, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature,
    Overflow, Requests, Stack, Variant,
};
use arch::processes::{Parent, SIGNALS};
use arch::{Accept, Architecture, ProcessContext, Refused, Rule, ServerSetup, blocking};
use meter::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sys::signals;

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
    /// Processes to make at the start, as in Flash, with --spawn prefork; each serves one connection at a time
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
        stack: Stack::Kernel,
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
    const RULES: &'static [Rule] = &[Rule::Needs("--processes", "--spawn prefork")];

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let parent = Parent::new(setup)?;
        match self.spawn {
            Spawn::Prefork => parent.keep(self.processes as usize, "--processes", serve, ready),
            Spawn::Connection => process_per_connection(parent, ready),
        }
    }
}

/// With a process for each connection, made when it comes.
const PROCESS_EACH: Behaviour = Behaviour {
    concurrency: Concurrency::OneEach(Carrier::Process),
    disk_wait: DiskWait::Connection,
    defect: Loss::Process,
    killed: Killed::Connection,
    requests: Requests::InTurn,
    idle_connection: IdleConnection::Worker,
};

/// What a worker does that was made at the start: one connection after the other.
fn serve(_: usize, process: ProcessContext) -> std::io::Result<()> {
    let mut worker = process.worker();
    while !worker.is_stopping()
        && let Some(client) = process.listener.accept(&worker.counters)
    {
        blocking::serve(client, &mut worker);
    }
    Ok(())
}

/// Accepts, and makes a process for each connection, until it is told to stop.
fn process_per_connection(mut parent: Parent, ready: impl FnOnce()) -> std::io::Result<()> {
    let process = parent.setup.open_unwatched()?;
    process.listener.never_block()?;
    let mut acceptor = process.worker();
    let mut refused = Refused::default();
    let pending = signals::descriptor(&SIGNALS)?;
    let most = parent.setup.options.max_connections;
    let mut exhausted = false;
    ready();
    while !parent.is_stopping() {
        let full = most > 0 && parent.workers() >= most;
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
            let killed = parent.take(signal);
            if !parent.is_stopping() {
                // None had time to say that its connection went with it.
                acceptor.counters.count(Event::Broken, killed);
            }
        }
        exhausted = false;
        if full || parent.is_stopping() {
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
                if parent.fork(0, work).is_err() {
                    refused.add(client, &mut acceptor);
                }
            }
            Accept::Full => exhausted = true,
            Accept::Stopped => parent.stop(),
            Accept::Nobody => {}
        }
    }
    parent.drain()
}
