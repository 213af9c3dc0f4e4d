//! Flux: a server that is written as flows of nodes, and run by whoever is chosen (Burns, Grimaldi, Kostadinov, Berger, Corner, USENIX
//! 2006).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! The program is [web.flux](../web.flux), its nodes are in `nodes`; the build script has the crate `flux` make Rust of it. The three
//! runtimes, in the crate `flux-runtime`, call the `step` that comes of that, and differ in nothing else.
//!
//! What is shared: the caches, behind their locks; the table of connections belongs to the source. What blocks: nodes that the program
//! says may wait, for the disk; whoever waits with them is the runtime's answer. No node waits for a client: where one has sent
//! nothing yet, or takes no more, the flow ends and the connection goes back to the source, which knows when it can go on.
//!
//! Departures from the paper: its compiler is of Java and prints C++; its event runtime finds out which calls would block by a library that
//! stands in front of them, where here the program says which nodes may wait. A flow that finds no thread runs in the source's.

mod nodes;
mod sockets;
mod visit;

/// What the compiler has made of the program.
mod flows {
    include!(concat!(env!("OUT_DIR"), "/flows.rs"));
}

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arch::architecture::Rule;
use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests,
    Stack, Variant,
};
use arch::{Architecture, ProcessContext, ServerSetup, Spin, Worker, context, threads_that_fit};
use flows::Flow;
use flux_runtime::{Flow as _, Host, Loop, Pool, Profile, Table, thread};
use sockets::Sockets;

/// Who calls the next step of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    /// A thread for each flow.
    Thread,
    /// One of a fixed number of threads, to the flow's end.
    Pool,
    /// One loop, for all flows in turn; helpers run nodes that may wait.
    Event,
}

/// The options of Flux.
#[derive(Debug, Clone, clap::Args)]
pub struct Flux {
    /// Who calls the next step of a flow: a thread of its own, one of a pool, or a loop with helpers
    #[arg(long, value_name = "WHO", default_value = "event")]
    pub runtime: Runtime,
    /// Threads of the pool, or helpers of the loop; not with --runtime thread
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub threads: u32,
    /// Count which paths flows take and how long nodes run, and write that to FILE at the end, for 'archbench flux profile'
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// How long a thread of the pool, or a helper of the loop, that finds its queue empty looks at it before it sleeps there, 10ms at most;
    /// not with --runtime thread
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = Spin::parse)]
    pub spin: Spin,
}

impl Architecture for Flux {
    const NAME: &'static str = "flux";
    const SUMMARY: &'static str =
        "flows of nodes, compiled; a thread for each, a pool, or a loop with helpers runs them";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["pool", "amped", "seda"],
        paper: "Burns, Grimaldi, Kostadinov, Berger, Corner: Flux, USENIX Annual Technical Conference",
        year: 2006,
        stack: Stack::Kernel,
        behaviour: WITH_THREADS,
        variants: &[
            Variant {
                options: "--runtime pool",
                behaviour: WITH_THREADS,
            },
            Variant {
                options: "--runtime thread",
                behaviour: Behaviour {
                    disk_wait: DiskWait::Connection,
                    ..WITH_THREADS
                },
            },
        ],
        settings: &[
            "--threads 1",
            "--runtime pool --threads 1",
            "--spin 50us",
            "--runtime pool --spin 50us",
        ],
    };
    const RULES: &'static [Rule] = &[
        Rule::Excludes("--threads", "--runtime thread"),
        Rule::Excludes("--spin", "--runtime thread"),
    ];

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let written = self.profile.as_deref().map(create).transpose()?;
        let profile = written
            .as_ref()
            .map(|_| Arc::new(Profile::new(Flow::PROGRAM)));
        self.run(&setup.open()?, profile.as_ref(), ready)?;
        match written.zip(profile) {
            Some(((path, mut file), profile)) => file
                .write_all(profile.lines().as_bytes())
                .map_err(context(format!("cannot write {}", path.display()))),
            None => Ok(()),
        }
    }
}

/// A file that is written at the end: now, for it would be a pity to hear only then that it cannot be.
fn create(path: &Path) -> std::io::Result<(PathBuf, File)> {
    let file = File::create(path).map_err(context(format!("cannot write {}", path.display())))?;
    Ok((path.to_owned(), file))
}

impl Flux {
    fn run(
        &self,
        process: &ProcessContext,
        profile: Option<&Arc<Profile>>,
        ready: impl FnOnce(),
    ) -> std::io::Result<()> {
        let table = Arc::new(Table::new(Flow::PROGRAM.constraints));
        let sockets = Sockets::new(process)?;
        let host = Arc::new(Server {
            process: process.clone(),
            spin: self.spin,
        });
        let threads = self.threads as usize;
        let few = || context("cannot start all threads; try fewer --threads");
        match self.runtime {
            Runtime::Thread => {
                ready();
                thread::run(threads_that_fit(), &host, vec![sockets], &table, profile)
            }
            Runtime::Pool => {
                let pool = Pool::start(threads, &host, &table, profile).map_err(few())?;
                ready();
                pool.run(vec![sockets])
            }
            Runtime::Event => {
                let event_loop = Loop::start(threads, &host, &table, profile, sockets.waker());
                let event_loop = event_loop.map_err(few())?;
                ready();
                event_loop.run(sockets)
            }
        }
    }
}

/// Of a pool, or of the loop's helpers.
const WITH_THREADS: Behaviour = Behaviour {
    concurrency: Concurrency::Any,
    disk_wait: DiskWait::Helper { count: "--threads" },
    defect: Loss::Answer,
    killed: Killed::Server,
    requests: Requests::InTurn,
    idle_connection: IdleConnection::Place,
};

/// What each thread has that runs nodes.
struct Server {
    process: ProcessContext,
    spin: Spin,
}

impl Host<Flow> for Server {
    fn context(&self) -> Worker {
        self.process.worker()
    }

    fn defect(&self) {
        self.process.count_replaced();
    }

    fn look(&self, is_there: &dyn Fn() -> bool) {
        self.spin.until(is_there);
    }
}
