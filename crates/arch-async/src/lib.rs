//! Async, a task for each connection: written as for a thread, run as by a loop (Adya et al., USENIX 2002).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! Adya et al. take apart what is taken for one thing. How do tasks yield: whenever the scheduler likes (*preemptive*), or where they
//! say so (*cooperative*)? Who keeps what a task needs while it waits: the compiler, on a stack (*automatic*), or the programmer, in
//! structures of his own (*manual*)? A thread is preemptive and automatic, a hand-written loop cooperative and manual. The third
//! place in that table is here: a task yields at each `.await` and nowhere else, and the compiler keeps its variables, in a structure
//! that it derives from the text. Three texts for the same session, a thread's ([`arch::blocking`]), a task's (this crate) and a loop's
//! (AMPED):
//!
//! ```text
//! loop {                               loop {                                    fn advance(token) -> Progress {
//!   match session.next() {               match connection.advance() {              let session = &mut table[token];
//!     Receive => receive(),                Receive => receive().await,             loop {
//!     Send(output) => send(output),        Send(output) => send(output).await,       match session.next() {
//!     Work(work) => done(work.run()),      Work(work) => done(prepare(work).await),    Receive => if !receive() { return Waits },
//!     Yield => {}                          Yield => give_way().await,                  Send(output) => if !send(output) { return Waits },
//!     Closed => return,                    Closed => return,                           Work(work) => return Work(work),
//!   }                                    }                                             Yield => return Yields,
//! }                                    }                                               Closed => return Closed,
//!                                                                                }}}
//!                                                                                while let Some(due) = reactor.next() {
//!                                                                                  match due {
//!                                                                                    Session(token) => advance(token), and place its work
//!                                                                                    Notice => for (token, work) in notices {
//!                                                                                      done(token, work), advance(token), and so on
//!                                                                                }}}
//! ```
//!
//! That is what *stack ripping* means: where the loop's text would wait it has to return, and somebody else calls it again later.
//! Whatever both halves need, a token names in a table; at which place they were cut, a field says. The thread's text and the task's
//! differ in one word, and that tells what a thread's does not: between two `.await` nobody else runs.
//!
//! What blocks: nothing, with `--disk pool`, but a thread of the pool for the disk. With `--disk inline` a task waits in the call, and
//! with it its thread, and whoever would be run there: all of them, or with several threads those that find no other. No type
//! says which call does that; it is the price of tasks that look like threads. Who waits: the task that asked.
//!
//! Over HTTP/2 a client has many requests under way. What each waits for is a future by itself, and the task awaits whichever is there
//! first, a file that the pool has prepared or its client: the text stays one, and has no more threads of its own than before.
//!
//! What is shared: the caches, behind their locks, between the threads that run tasks and those of the pool; buffers, between all
//! tasks of a thread, one after the other, since none awaits with something in them. Von Behren et al. (HotOS 2003) found nothing in
//! events that threads could not have as cheaply, given a compiler that keeps just what lives across a wait: that is what an `async fn`
//! is, and an idle connection takes about as much as in a loop's table.
//!
//! What is allocated: for a connection a few times, once and for all, among them its task and its timer, and its socket's place with the
//! runtime, which one for a single request is over without; for a request nothing, as in the loops, unless the disk has to be asked. A
//! work that goes to the pool costs two allocations: it is a task there, and the buffer of its path stays there, as with AMPED's helpers;
//! where several can be out, also the place of each among those that are awaited. `tests/allocations.rs` counts all of these.
//!
//! There is no `--spin`, which the rooms with queues of their own have: how long a thread looks before it sleeps is the runtime's, and it
//! has no word for that.
//!
//! Departures: the paper's tasks run on fibers with stacks of their own, and its point is that both kinds of text can call each
//! other; here all are compiled into structures, and nothing is adapted. A server that stops shuts the reading side of each
//! connection, as for threads: there is no loop that could tell its sessions. "Readable" counts from when the task runs, as the
//! runtime does not say when it heard of it. The clock is looked at for each wake-up, in place of once for each batch of events.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests,
    Stack, Variant,
};
use arch::{Architecture, Next, ProcessContext, Rule, ServerSetup};
use driver_async::acceptor::Admitted;
use driver_async::disk::{try_run, wait_for};
use driver_async::{Acceptor, Connection, RuntimeOptions};

/// Who waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Disk {
    /// A thread of the blocking pool, while the task awaits it.
    Pool,
    /// The task itself, in the call, and with it the thread that runs it.
    Inline,
}

/// The options of async.
#[derive(Debug, Clone, clap::Args)]
pub struct Async {
    #[command(flatten)]
    runtime: RuntimeOptions,
    /// Who waits for the disk: a thread of the blocking pool, or the task and with it the thread that runs it
    #[arg(long, value_name = "WHERE", default_value = "pool")]
    pub disk: Disk,
    /// Threads of the blocking pool, with --disk pool
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub blocking_threads: u32,
}

impl Architecture for Async {
    const NAME: &'static str = "async";
    const SUMMARY: &'static str =
        "a task for each connection on tokio; a pool of threads waits for the disk";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["mt", "sped"],
        paper: "Adya, Howell, Theimer, Bolosky, Douceur: Cooperative Task Management without Manual Stack Management, USENIX Annual \
                Technical Conference",
        year: 2002,
        stack: Stack::Kernel,
        behaviour: POOL,
        variants: &[
            Variant {
                options: "--runtime multi",
                behaviour: POOL,
            },
            Variant {
                options: "--disk inline",
                behaviour: Behaviour {
                    disk_wait: DiskWait::Server,
                    // The task's, which ends with its connection.
                    defect: Loss::Connection,
                    requests: Requests::InTurn,
                    ..POOL
                },
            },
        ],
        settings: &[
            "--blocking-threads 1",
            "--runtime multi --workers 1 --blocking-threads 1",
            "--runtime multi --workers 3 --disk inline",
        ],
    };
    const RULES: &'static [Rule] = &[
        Rule::Needs("--workers", "--runtime multi"),
        Rule::Needs("--blocking-threads", "--disk pool"),
    ];

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let pool = match self.disk {
            Disk::Pool => self.blocking_threads,
            Disk::Inline => 0,
        };
        let runtime = self.runtime.start(pool, &process)?;
        ready();
        runtime.run(accept(Arc::new(process), self.disk))
    }
}

/// With a pool that waits for the disk.
const POOL: Behaviour = Behaviour {
    concurrency: Concurrency::Any,
    disk_wait: DiskWait::Helper {
        count: "--blocking-threads",
    },
    defect: Loss::Answer,
    killed: Killed::Server,
    requests: Requests::AtOnce,
    idle_connection: IdleConnection::Place,
};

/// The task that lets connections in, and makes one for each.
async fn accept(process: Arc<ProcessContext>, disk: Disk) -> std::io::Result<()> {
    let mut acceptor = Acceptor::new(&process)?;
    while let Some(admitted) = acceptor.accept().await {
        tokio::spawn(serve(admitted, Arc::clone(&process), disk));
    }
    acceptor.wait_until_empty().await;
    Ok(())
}

/// A connection's task, from its first byte to its last.
async fn serve(admitted: Admitted, process: Arc<ProcessContext>, disk: Disk) {
    let mut connection = Connection::new(&admitted.client, &process);
    loop {
        match connection.advance() {
            Next::Receive => connection.receive().await,
            Next::Send(output) => connection.send(output).await,
            Next::Work(work) if disk == Disk::Inline => {
                // Others wait as well: those whom this thread would run.
                let done = connection.run(work);
                connection.done(done);
            }
            // What is known to need no waiting is done here, and the pool prepares the rest.
            Next::Work(work) => match try_run(work, &process) {
                Ok(done) => connection.done(done),
                // Only this request waits: the task goes on with others of its client's.
                Err(work) if connection.is_multiplexed() => {
                    connection.begin(wait_for(work, Arc::clone(&process)));
                }
                // Only this task waits.
                Err(work) => {
                    let waiting = pin!(wait_for(work, Arc::clone(&process)));
                    let done = connection.awaiting(waiting).await;
                    connection.done(done);
                }
            },
            Next::ShutdownWrite => connection.shutdown_write().await,
            Next::Yield => connection.give_way().await,
            // For the pool: a file's body has no other source.
            Next::Wait => connection.wait(pin!(pending())).await,
            Next::Closed => return,
        }
    }
}
