//! Pool: one thread accepts, a fixed number of workers serve what it queues.
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: the queue, and the caches behind their locks. A worker belongs to its connection for as long as that
//! lives: with more keep-alive clients than workers, the rest wait in the queue, and those beyond its bound in the
//! kernel's backlog. That is what SEDA (section 5.1) blames for the tail of Apache's latencies: a bounded pool pushes its
//! queue into the network.
//!
//! What blocks: a worker, for its client and for the disk; the acceptor, for a place in the queue.
//!
//! The pool is the `threadpool` crate's. Its own queue knows no bound and cannot be looked at, so the bound stands at the acceptor, and with
//! `--spin` a worker looks at a queue in front of it. Departures from what
//! SEDA measured: Apache 1.3's pool is of processes, each of which accepts; here one thread accepts for all.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use arch::nature::{
    Behaviour, Carrier, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature,
    Overflow, Requests, Stack, Variant,
};
use arch::{
    Architecture, Client, HandOver, ProcessContext, Refused, ServerSetup, Spin, Worker, blocking,
};
use threadpool::ThreadPool;

/// What happens to a connection for which there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WhenFull {
    /// It waits at the acceptor, and the ones after it in the backlog.
    Wait,
    /// It is answered 503 and closed.
    Refuse,
}

/// The options of the pool.
#[derive(Debug, Clone, clap::Args)]
pub struct Pool {
    /// Workers; each serves one connection at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub threads: u32,
    /// Accepted connections that may wait for a worker
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub queue: u32,
    /// What happens when the queue is full: the next connection waits, or is refused with 503
    #[arg(long, value_name = "WHAT", default_value = "wait")]
    pub when_full: WhenFull,
    /// Before a worker sleeps
    #[command(flatten)]
    pub spin: Spin,
}

impl Architecture for Pool {
    const NAME: &'static str = "pool";
    const SUMMARY: &'static str =
        "one thread accepts, a bounded queue, a fixed pool of threads serves";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Threads,
        predecessors: &["mt"],
        paper: "Welsh, Culler, Brewer: SEDA, SOSP, section 2.1, bounded thread pools",
        year: 2001,
        stack: Stack::Kernel,
        behaviour: bounded(Overflow::Waits),
        variants: &[Variant {
            options: "--when-full refuse",
            behaviour: bounded(Overflow::IsRefused),
        }],
        settings: &["--threads 1", "--queue 1 --threads 1", "--spin 50us"],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = Arc::new(setup.open()?);
        let pool = start(self.threads)?;
        let _serving: Vec<_> = (0..self.threads)
            .map(|_| process.serving_thread())
            .collect();
        let queue = Arc::new(Queue::new(self.queue));
        let clients = Arc::new(HandOver::new(self.spin));
        let mut acceptor = process.worker();
        let mut refused = Refused::default();
        ready();
        while let Some(client) = refused.accept(&process.listener, &acceptor.counters) {
            if !queue.enter(self.when_full) {
                refused.add(Arc::new(client), &mut acceptor);
                continue;
            }
            if !clients.push(client) {
                continue;
            }
            let (process, queue) = (Arc::clone(&process), Arc::clone(&queue));
            let clients = Arc::clone(&clients);
            pool.execute(move || {
                clients.work(|client| {
                    queue.leave();
                    // The crate would replace a thread that panics, and panic itself where there is no thread to be had.
                    if catch_unwind(AssertUnwindSafe(|| serve(client, &process))).is_err() {
                        WORKER.take();
                        process.count_replaced();
                    }
                });
            });
        }
        pool.join();
        Ok(())
    }
}

const fn bounded(overflow: Overflow) -> Behaviour {
    Behaviour {
        concurrency: Concurrency::Workers {
            carrier: Carrier::Thread,
            count: "--threads",
            queue: Some("--queue"),
            overflow,
        },
        disk_wait: DiskWait::Connection,
        defect: Loss::Connection,
        killed: Killed::Server,
        requests: Requests::InTurn,
        idle_connection: IdleConnection::Worker,
    }
}

/// The workers. The crate's only answer to a thread that cannot be had is to panic.
fn start(threads: u32) -> std::io::Result<ThreadPool> {
    arch::fit(threads, "--threads")?;
    let pool = threadpool::Builder::new()
        .num_threads(threads as usize)
        .thread_name("worker".into());
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let started = std::panic::catch_unwind(|| pool.build());
    std::panic::set_hook(loud);
    started.map_err(|_| {
        let why = format!(
            "cannot start {threads} threads: the system gives no more; try fewer --threads"
        );
        std::io::Error::other(why)
    })
}

thread_local! {
    /// What this thread needs to serve, made with its first connection.
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// Serves a connection with what its thread has for that.
fn serve(client: Client, process: &ProcessContext) {
    WORKER.with_borrow_mut(|worker| {
        blocking::serve(
            client,
            worker.get_or_insert_with(|| process.uncounted_worker()),
        )
    });
}

/// The bound of the pool's queue: counts who waits in it.
struct Queue {
    places: u32,
    waiting: Mutex<u32>,
    left: Condvar,
}

impl Queue {
    fn new(places: u32) -> Self {
        Self {
            places,
            waiting: Mutex::new(0),
            left: Condvar::new(),
        }
    }

    /// Takes a place; waits for one, or says that there is none.
    fn enter(&self, when_full: WhenFull) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting >= self.places {
            if when_full == WhenFull::Refuse {
                return false;
            }
            waiting = self
                .left
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *waiting += 1;
        true
    }

    fn leave(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.left.notify_one();
    }
}
