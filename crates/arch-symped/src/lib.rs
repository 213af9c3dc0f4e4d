//! SYMPED, symmetric multi-process event-driven: copies of SPED's loop side by side (Pariag, Brecht, Harji, Buhr, Shukla, Cheriton:
//! "Comparing the Performance of Web Server Architectures", EuroSys 2007).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What blocks: a loop, for the disk, and with it those of its connections that could go on; the kernel runs another loop meanwhile.
//! So one loop for each core is enough while everything is in memory, and many more hide the disk: a loop that waits is what a helper
//! is in AMPED, with the connections of a whole loop behind it.
//!
//! What is shared: the page of counters and, with `--accept shared` and `exclusive`, the listening socket. With `--share nothing` each
//! loop is a process with caches of its own, each of which has the whole of `--name-cache` and `--content-cache`; a parent replaces
//! those that die. With `--share caches` the loops are threads of one process with one set of caches, behind their locks. Caches that
//! several *processes* share, as the paper's had in one of its versions, are not built: what that would add to the threads is that
//! loops die one at a time.
//!
//! Who gets a connection decides how even the load is, for it stays with its loop:
//!
//! | `--accept` | how | what comes of it |
//! | --- | --- | --- |
//! | `shared` | one listening socket wakes all loops that are idle, and the first takes the connection | the others have been woken for nothing; whoever is busy gets none |
//! | `exclusive` | the kernel wakes one idle loop (`EPOLLEXCLUSIVE`) | nobody is woken for nothing; the same few loops are preferred |
//! | `reuseport` | each loop has a listening socket, and the kernel deals connections out by a hash of their addresses | an even share for all; those dealt to a loop that is stuck are stuck with it |
//!
//! Departures from the paper: `epoll`, edge-triggered, instead of `select` and `poll`. Bytes leave by `sendfile`, of which what is not in
//! memory is found and read first, so that it is always found or read that a loop waits in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, available_parallelism};

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests,
    Stack, Variant,
};
use arch::processes::Parent;
use arch::{Architecture, ProcessContext, ServerSetup, Sockets, Worker, context};
use reactor::{Due, Epoll, Reactor, Token};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// What the loops share beside the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Share {
    /// Each is a process, with caches of its own.
    Nothing,
    /// They are threads of one process, with one set of caches.
    Caches,
}

/// Which loop a connection comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Accepting {
    /// One socket wakes all that are idle, and the first takes it.
    Shared,
    /// One socket wakes one that is idle.
    Exclusive,
    /// Each has a socket, and the kernel deals connections out.
    Reuseport,
}

/// The options of SYMPED.
#[derive(Debug, Clone, clap::Args)]
pub struct Symped {
    /// Loops; one for each core by default, more where they wait for the disk
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=meter::MOST_LOOPS as i64))]
    pub loops: Option<u32>,
    /// What the loops share: nothing, as processes; or the caches, as threads
    #[arg(long, value_name = "WHAT", default_value = "nothing")]
    pub share: Share,
    /// Which loop a connection comes to
    #[arg(long, value_name = "HOW", default_value = "shared")]
    pub accept: Accepting,
    /// Keep each loop to a core: to those that this process may run on, in turn
    #[arg(long)]
    pub pin: bool,
}

impl Architecture for Symped {
    const NAME: &'static str = "symped";
    const SUMMARY: &'static str =
        "several event loops side by side, one a core or more; a slow disk stops one";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["sped"],
        paper: "Pariag, Brecht, Harji, Buhr, Shukla, Cheriton: Comparing the Performance of Web Server Architectures, EuroSys",
        year: 2007,
        stack: Stack::Kernel,
        behaviour: Behaviour {
            killed: Killed::LoopReplaced,
            ..THREADS
        },
        variants: &[Variant {
            options: "--share caches",
            behaviour: THREADS,
        }],
        settings: &[
            "--loops 1",
            "--loops 3 --pin --accept exclusive",
            "--accept reuseport",
            "--share caches --loops 3 --accept reuseport",
        ],
    };

    fn sockets(&self) -> Sockets {
        match self.accept {
            Accepting::Reuseport => Sockets {
                count: self.count(),
                otherwise: "--accept shared",
            },
            Accepting::Shared | Accepting::Exclusive => Sockets::ONE,
        }
    }

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        setup.meter.loops(self.count())?;
        match self.share {
            Share::Nothing => self.processes(setup, ready),
            Share::Caches => self.threads(&setup.open()?, ready),
        }
    }
}

/// With loops that are threads.
const THREADS: Behaviour = Behaviour {
    concurrency: Concurrency::Any,
    disk_wait: DiskWait::Loop { count: "--loops" },
    defect: Loss::Loop,
    killed: Killed::Server,
    requests: Requests::InTurn,
    idle_connection: IdleConnection::Place,
};

impl Symped {
    fn count(&self) -> usize {
        let cores = || available_parallelism().map_or(1, usize::from);
        let count = self.loops.map_or_else(cores, |loops| loops as usize);
        count.min(meter::MOST_LOOPS)
    }

    fn processes(&self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let work = |number, process: ProcessContext| {
            self.place(number)?;
            self.event_loop(&process.for_loop(number))?.run()
        };
        Parent::new(setup)?.keep(self.count(), "--loops", work, ready)
    }

    fn threads(&self, process: &ProcessContext, ready: impl FnOnce()) -> std::io::Result<()> {
        let serve = |process: ProcessContext, mut event_loop: EventLoop, number| {
            self.place(number)?;
            loop {
                match catch_unwind(AssertUnwindSafe(|| event_loop.run())) {
                    Ok(ended) => return ended,
                    // A loop that a defect has ended begins anew, without its connections.
                    Err(_) => process.count_replaced(),
                }
                event_loop = self.event_loop(&process)?;
            }
        };
        let contexts = (0..self.count()).map(|number| process.for_loop(number));
        let loops = contexts.map(|process| Ok((self.event_loop(&process)?, process)));
        let loops: Vec<_> = loops.collect::<std::io::Result<_>>()?;
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (number, (event_loop, own)) in loops.into_iter().enumerate() {
                let thread = Builder::new().name("loop".into());
                match thread.spawn_scoped(scope, move || serve(own, event_loop, number)) {
                    Ok(thread) => threads.push(thread),
                    Err(error) => {
                        process.stop();
                        return Err(context("cannot start a loop; try fewer --loops")(error));
                    }
                }
            }
            ready();
            let ended = threads.into_iter().map(|thread| thread.join());
            ended.filter_map(Result::ok).collect()
        })
    }

    /// Keeps the calling thread to the core of the loop with this number, if it is to be kept to one.
    fn place(&self, number: usize) -> std::io::Result<()> {
        if !self.pin {
            return Ok(());
        }
        let allowed = sched_getaffinity(None)?;
        let cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        let core = cores.cycle().nth(number);
        let mut own = CpuSet::new();
        own.set(core.unwrap_or(0));
        sched_setaffinity(None, &own).map_err(|error| {
            context(format!(
                "cannot keep loop {number} to a core; leave --pin out"
            ))(error.into())
        })
    }

    fn event_loop(&self, process: &ProcessContext) -> std::io::Result<EventLoop> {
        let epoll = match self.accept {
            Accepting::Exclusive => Epoll::exclusive()?,
            Accepting::Shared | Accepting::Reuseport => Epoll::new()?,
        };
        Ok(EventLoop {
            reactor: Reactor::new(process, Box::new(epoll))?,
            worker: process.worker(),
        })
    }
}

/// What SPED has one of.
struct EventLoop {
    reactor: Reactor,
    worker: Worker,
}

impl EventLoop {
    fn run(mut self) -> std::io::Result<()> {
        while let Some(due) = self.reactor.next(&mut self.worker)? {
            match due {
                Due::Session(token) => self.serve(token),
                // No loop has anything to tell another.
                Due::Notice => {}
            }
        }
        Ok(())
    }

    /// Runs one session until it has to wait for its client.
    fn serve(&mut self, token: Token) {
        while let Some(work) = self.reactor.advance(token, &mut self.worker) {
            // All connections of this loop wait here, and no others: for the name, or for the bytes.
            let done = work.run(&self.worker.files, self.worker.now);
            self.reactor.done(token, done, &mut self.worker);
        }
    }
}
