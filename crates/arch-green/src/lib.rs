//! Green threads: a user-level thread for each connection (Capriccio), on one kernel thread or several (Go's M:N).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! The code of a connection is MT's, call by call: the blocking driver, on a socket that parks its fiber where a blocking
//! one has its thread wait. What parks and wakes fibers, and the stacks that they have, is the crate `fiber`.
//!
//! What is shared: the caches, behind their locks, and the workers. A fiber has its stack and its buffers for as long as its connection
//! lives, and a worker only from one parking to the next: with `--workers 2` it may go on in the other one in the midst of an answer.
//!
//! What blocks: with `--disk inline`, a worker, for the disk, and with one worker the whole server; otherwise a helper. A
//! fiber that computes without end keeps its worker, for nobody interrupts it; the summary says so, and where it parked last.
//!
//! Departures from Capriccio: its stacks grow by links, put in by its compiler where a call graph says that one may be needed. That
//! takes a compiler; in their place each stack is a piece of one mapping, of a fixed size that costs nothing before it is touched, with a
//! guard below it, and the summary says how much of it was touched. The disk is waited for by helpers, as glibc's asynchronous I/O did it
//! for Capriccio on disks without it. Which way a fiber is about to go is known from named scopes, not from its stack, which is never
//! walked; and `--schedule resource` looks one way ahead, as the paper does, but on limits that it is told, where the paper finds out
//! from page faults and the like where each is. From Go: a worker that has nothing to run takes half of another's; but no worker is made for one that is stalled, and no fiber is
//! interrupted.

mod graph;
mod socket;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread::Builder;
use std::time::{Duration, Instant};

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests,
    Stack, Variant,
};
use arch::{
    Acceptor, Architecture, Client, ProcessContext, Refused, Remarks, Rule, ServerSetup, Spin,
    Worker, blocking, context,
};
use fiber::{Fiber, Limits, Look, Offload, Place, Runtime, Settings, Taken, Watched};
use graph::GraphFile;
use rustix::process::{Resource, getrlimit};
use socket::ParkingSocket;

/// Who waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Disk {
    /// Helper threads, while the fiber parks.
    Offload,
    /// The worker that the fiber is in.
    Inline,
}

/// In which order fibers run that can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Schedule {
    /// First in, first out.
    Fifo,
    /// By what each kind of fiber is about to use of what is scarce: processor time, memory, descriptors.
    Resource,
}

impl From<Schedule> for fiber::Schedule {
    fn from(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Fifo => Self::Fifo,
            Schedule::Resource => Self::Resource,
        }
    }
}

/// The options of green threads.
#[derive(Debug, Clone, clap::Args)]
pub struct Green {
    /// Kernel threads that run fibers; with more than one, those that have nothing to run take half of another's
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub workers: u32,
    /// Who waits for the disk: helper threads while the fiber parks, or the worker, and all fibers that it has to run
    #[arg(long, value_name = "WHO", default_value = "offload")]
    pub disk: Disk,
    /// Threads that wait for the disk, with --disk offload
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub helpers: u32,
    /// Stack of each fiber; address space is reserved at once, memory used as it is touched
    #[arg(long, value_name = "SIZE", default_value = "256k", value_parser = arch::options::stack_size)]
    pub stack_size: usize,
    /// Who of those that can run is next: who has waited longest, or, where something is scarce, who gives it back before who takes it;
    /// clients are let in when there is enough for them
    #[arg(long, value_name = "ORDER", default_value = "fifo")]
    pub schedule: Schedule,
    /// Memory that connections may take together, counted at 16 KiB each, with --schedule resource; by default as much as there is
    #[arg(long, value_name = "SIZE", value_parser = arch::options::memory)]
    pub connection_memory: Option<u64>,
    /// Write the blocking graph at the end: where connections wait, how often they go from one such place to another, and what they take
    /// on the way; FILE.svg is a picture, FILE.dot for Graphviz
    #[arg(long, value_name = "FILE", value_parser = graph::file)]
    pub graph: Option<GraphFile>,
    /// Before a worker or a helper sleeps
    #[command(flatten)]
    pub spin: Spin,
}

impl Architecture for Green {
    const NAME: &'static str = "green";
    const SUMMARY: &'static str =
        "a user-level thread for each connection; it parks where a thread would wait";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Threads,
        predecessors: &["mt", "sped"],
        paper: "von Behren, Condit, Zhou, Necula, Brewer: Capriccio, SOSP",
        year: 2003,
        stack: Stack::Kernel,
        behaviour: OFFLOADING,
        variants: &[
            Variant {
                options: "--workers 2",
                behaviour: OFFLOADING,
            },
            Variant {
                options: "--disk inline",
                behaviour: Behaviour {
                    disk_wait: DiskWait::Server,
                    defect: Loss::Connection,
                    ..OFFLOADING
                },
            },
        ],
        settings: &[
            "--stack-size 64k",
            "--helpers 1",
            "--workers 2 --disk inline",
            "--schedule resource",
            "--workers 2 --schedule resource --connection-memory 1g",
            "--workers 2 --spin 50us",
        ],
    };
    const RULES: &'static [Rule] = &[
        Rule::Needs("--helpers", "--disk offload"),
        Rule::Needs("--connection-memory", "--schedule resource"),
    ];

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> io::Result<()> {
        let graph = self.graph.as_ref().map(GraphFile::create).transpose()?;
        let process = setup.open()?;
        let (runtime, workers, watchdog) = self.runtime(&process)?;
        let server = Server {
            helpers: self.start_helpers(&process)?,
            process,
            is_planned: self.schedule == Schedule::Resource,
        };
        let (tell, told) = mpsc::channel();
        let count = workers.len();
        for (number, worker) in workers.into_iter().enumerate() {
            let (serving, failed) = (server.process.serving_thread(), tell.clone());
            let work = move || {
                let _serving = serving;
                if let Err(error) = worker.run() {
                    // It ends the server.
                    let _ = failed.send(Err(error));
                }
            };
            start("worker", work).map_err(context(format!(
                "cannot start worker {} of {count}; try fewer --workers",
                number + 1
            )))?;
        }
        start("watchdog", || watchdog.run()).map_err(context("cannot start the watchdog"))?;
        let process = server.process.clone();
        ready();
        runtime.spawn(move |fiber| {
            let accepted = catch_unwind(AssertUnwindSafe(|| server.accept(fiber)));
            let accepted = accepted
                .unwrap_or_else(|_| Err(io::Error::other("the fiber that accepts has a defect")));
            // The main thread waits for it.
            let _ = tell.send(accepted);
        })?;
        told.recv().unwrap_or(Ok(()))?;
        process.wait_until_empty();
        tell_of(&runtime, &setup.remarks);
        let edges = graph::edges(&runtime.graph());
        if let Some(graph) = graph {
            graph.write(&edges)?;
        }
        setup.remarks.tell_blocking_graph(edges);
        Ok(())
    }
}

/// What fibers have taken of their stacks, and those that did not yield.
fn tell_of(runtime: &Runtime, remarks: &Remarks) {
    let report = runtime.report();
    let deepest_kib = report.deepest_stack_bytes >> 10;
    remarks.make("deepest stack", format!("{deepest_kib} KiB"));
    let longest = report.stuck.iter().max_by_key(|(_, (time, _))| *time);
    if let Some((node, (time, _))) = longest {
        let times: u64 = report.stuck.values().map(|(_, times)| times).sum();
        let text = format!(
            "{times} times a fiber kept its worker; the longest {} ms or more, after '{node}'",
            time.as_millis()
        );
        remarks.make("did not yield", text);
    }
}

/// With helpers, on however many workers.
const OFFLOADING: Behaviour = Behaviour {
    concurrency: Concurrency::Any,
    disk_wait: DiskWait::Helper { count: "--helpers" },
    defect: Loss::Answer,
    killed: Killed::Server,
    requests: Requests::InTurn,
    idle_connection: IdleConnection::Worker,
};

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name(name.into()).spawn(work).map(drop)
}

impl Green {
    /// Fibers for as many connections as there can be, and one that accepts them.
    fn runtime(
        &self,
        process: &ProcessContext,
    ) -> io::Result<(Runtime, Vec<fiber::Worker>, fiber::Watchdog)> {
        /// More connections than anybody will try.
        const MOST: usize = 1 << 20;
        let descriptors = getrlimit(Resource::Nofile).current;
        let mut settings = Settings {
            workers: self.workers as usize,
            stacks: 1 + match process.options.max_connections {
                0 => descriptors.map_or(MOST, |most| most.min(MOST as u64) as usize),
                most => most.min(MOST),
            },
            stack_bytes: self.stack_size,
            guards: None,
            schedule: self.schedule.into(),
            limits: Limits {
                memory_bytes: self.connection_memory,
                descriptors,
            },
            look: self.look(),
        };
        loop {
            match Runtime::new(&settings) {
                // Where address space is limited there are as many as have room.
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory && settings.stacks > 2 => {
                    settings.stacks /= 2;
                }
                made => return made.map_err(context("cannot make fibers")),
            }
        }
    }

    fn look(&self) -> Look {
        let spin = self.spin;
        match spin.is_off() {
            true => Look::NONE,
            false => Look::by(move |is_there| {
                spin.until(is_there);
            }),
        }
    }

    fn start_helpers(&self, process: &ProcessContext) -> io::Result<Option<Offload>> {
        if self.disk == Disk::Inline {
            return Ok(None);
        }
        let (offload, helper) = Offload::looking(self.look());
        for number in 1..=self.helpers {
            let (serving, helper) = (process.serving_thread(), helper.clone());
            let help = move || {
                let _serving = serving;
                helper.run();
            };
            start("helper", help).map_err(context(format!(
                "cannot start helper {number} of {}; try fewer --helpers",
                self.helpers
            )))?;
        }
        Ok(Some(offload))
    }
}

/// What a connection takes for as long as it lives: its socket, and its stack, its buffer and what the kernel has for it. Who accepts it
/// takes that, for a connection that is there cannot be held back.
const CONNECTION: Taken = Taken {
    memory_bytes: 16 << 10,
    descriptors: 1,
};

static ACCEPTOR: Place = Place::new("acceptor");
static ACCEPT: Place = Place::new("accept");
static CONNECTED: Place = Place::new("connection");

/// What all fibers have.
#[derive(Clone)]
struct Server {
    process: ProcessContext,
    helpers: Option<Offload>,
    /// Whether fibers run by what they are about to use.
    is_planned: bool,
}

impl Server {
    /// The life of the fiber that accepts: it starts another for each connection.
    fn accept(&self, fiber: &Fiber<'_>) -> io::Result<()> {
        let _acceptor = fiber.within(&ACCEPTOR);
        let mut acceptor = Acceptor::new(Arc::clone(&self.process.listener))?;
        let listening = Watched::readable(fiber, &*self.process.listener)?;
        let mut worker = self.process.uncounted_worker();
        let mut refused = Refused::default();
        while !worker.is_stopping() {
            if let Some(client) = acceptor.admit(&worker.counters) {
                self.start(fiber, client, &mut worker, &mut refused);
                if self.is_planned {
                    // Each client is a way of its own, before which there may be too little for it.
                    fiber.yield_at(&ACCEPT);
                }
                continue;
            }
            match sooner(acceptor.poll_timeout(), refused.poll_timeout()) {
                None => fiber.park(&ACCEPT),
                Some(Duration::ZERO) => fiber.yield_now(),
                Some(time) => fiber.park_until(&ACCEPT, Instant::now() + time),
            }
            if listening.news().is_some() {
                acceptor.notify();
            }
            if refused.poll_timeout().is_some() {
                refused.sweep(Instant::now());
            }
        }
        Ok(())
    }

    fn start(&self, fiber: &Fiber<'_>, client: Client, worker: &mut Worker, refused: &mut Refused) {
        let client = Arc::new(client);
        let (server, own) = (self.clone(), Arc::clone(&client));
        let started = fiber.spawn(move |fiber| server.serve(fiber, own));
        match started {
            Ok(()) => fiber.take(CONNECTION),
            Err(_) => refused.add(client, worker),
        }
    }

    /// The life of a connection's fiber, as it is that of a thread in MT.
    fn serve(&self, fiber: &Fiber<'_>, client: Arc<Client>) {
        let Self {
            process, helpers, ..
        } = self;
        let _connection = fiber.within(&CONNECTED);
        let mut worker = process.uncounted_worker();
        blocking::serve_over(client, &mut worker, |client| {
            let files = Arc::clone(&process.files);
            ParkingSocket::new(fiber, client, &process.options, files, helpers.clone())
        });
        fiber.take(Taken {
            memory_bytes: -CONNECTION.memory_bytes,
            descriptors: -CONNECTION.descriptors,
        });
    }
}

/// The shorter of two times, either of which may be for ever.
fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
