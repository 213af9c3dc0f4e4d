//! MT, multi-threaded: a thread for each connection (Flash, section 3.2).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: the caches, behind their locks, and the address space. A thread belongs to its connection for as long
//! as that lives, so with `--spawn prefork` more keep-alive clients than threads wait for each other.
//!
//! What blocks: a thread, for its client and for the disk; the others run meanwhile.
//!
//! Departures from the paper: Flash's MT had 64 threads, made at the start (section 6), which is `--spawn prefork`; a thread
//! made for each connection is the default here. Bytes leave by `sendfile`, not from a mapping.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;

use arch::nature::{
    Behaviour, Carrier, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature,
    Overflow, Requests, Stack, Variant,
};
use arch::{
    Architecture, ProcessContext, Refused, Rule, ServerSetup, blocking, context, fit,
    threads_that_fit,
};

/// When threads are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Spawn {
    /// One for each connection, when it comes.
    Connection,
    /// All at the start; each accepts for itself.
    Prefork,
}

/// The options of MT.
#[derive(Debug, Clone, clap::Args)]
pub struct Mt {
    /// When threads are made: one for each connection, or all at the start
    #[arg(long, value_name = "WHEN", default_value = "connection")]
    pub spawn: Spawn,
    /// Threads to make at the start, with --spawn prefork
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub threads: u32,
    /// Stack of each thread; reserved at once, used as it is touched
    #[arg(long, value_name = "SIZE", default_value = "256k", value_parser = arch::options::stack_size)]
    pub stack_size: usize,
}

impl Architecture for Mt {
    const NAME: &'static str = "mt";
    const SUMMARY: &'static str = "a thread for each connection; the kernel's scheduler decides";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Threads,
        predecessors: &["mp"],
        paper: "Pai, Druschel, Zwaenepoel: Flash, USENIX Annual Technical Conference, section 3.2",
        year: 1999,
        stack: Stack::Kernel,
        behaviour: THREAD_EACH,
        variants: &[Variant {
            options: "--spawn prefork",
            behaviour: Behaviour {
                concurrency: Concurrency::Workers {
                    carrier: Carrier::Thread,
                    count: "--threads",
                    queue: None,
                    overflow: Overflow::Waits,
                },
                ..THREAD_EACH
            },
        }],
        settings: &["--stack-size 64k", "--spawn prefork --threads 1"],
    };
    const RULES: &'static [Rule] = &[Rule::Needs("--threads", "--spawn prefork")];

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        match self.spawn {
            Spawn::Connection => self.thread_per_connection(&process, ready),
            Spawn::Prefork => self.prefork(&process, ready),
        }
    }
}

/// With a thread for each connection, made when it comes.
const THREAD_EACH: Behaviour = Behaviour {
    concurrency: Concurrency::OneEach(Carrier::Thread),
    disk_wait: DiskWait::Connection,
    defect: Loss::Connection,
    killed: Killed::Server,
    requests: Requests::InTurn,
    idle_connection: IdleConnection::Worker,
};

impl Mt {
    fn thread_per_connection(
        &self,
        process: &ProcessContext,
        ready: impl FnOnce(),
    ) -> std::io::Result<()> {
        let mut acceptor = process.worker();
        let mut refused = Refused::default();
        let most = threads_that_fit();
        let threads = Arc::new(());
        ready();
        while let Some(client) = refused.accept(&process.listener, &acceptor.counters) {
            let client = Arc::new(client);
            let work = {
                let (client, process) = (Arc::clone(&client), process.clone());
                let thread = Arc::clone(&threads);
                move || {
                    let _alive = thread;
                    blocking::serve(client, &mut process.worker());
                }
            };
            let fits = Arc::strong_count(&threads) <= most + 1;
            if !fits || self.builder().spawn(work).is_err() {
                refused.add(client, &mut acceptor);
            }
        }
        process.wait_until_empty();
        Ok(())
    }

    fn prefork(&self, process: &ProcessContext, ready: impl FnOnce()) -> std::io::Result<()> {
        let serve = || {
            let mut worker = process.uncounted_worker();
            while let Some(client) = process.listener.accept(&worker.counters) {
                blocking::serve(client, &mut worker);
            }
        };
        // A thread that a defect has ended begins anew.
        let work = || {
            while catch_unwind(AssertUnwindSafe(serve)).is_err() {
                process.count_replaced();
            }
        };
        fit(self.threads, "--threads")?;
        std::thread::scope(|scope| {
            for thread in 1..=self.threads {
                let serving = process.serving_thread();
                let spawned = self.builder().spawn_scoped(scope, move || {
                    let _serving = serving;
                    work();
                });
                if let Err(error) = spawned {
                    process.listener.shut();
                    let what = format!(
                        "cannot start thread {thread} of {}; try fewer --threads",
                        self.threads
                    );
                    return Err(context(what)(error));
                }
            }
            ready();
            Ok(())
        })
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .name("connection".into())
            .stack_size(self.stack_size)
    }
}
