//! Actors: whoever has state has it alone, and is told of everything else by messages (Hewitt, Bishop and Steiger, IJCAI 1973;
//! Armstrong's thesis, 2003, for supervision as OTP has it).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! Who sends what to whom:
//!
//! | from | to | message | what it owns |
//! | --- | --- | --- | --- |
//! | acceptor | supervisor | connected | the connection |
//! | connection | file actors | a job | the work, and the address that is to have it back |
//! | file actor | connection | the work, done | what was found or read |
//! | any, as it ends | supervisor | exited | why |
//! | the runtime | whoever is concerned | signals: ready, due, a place, stopping | nothing |
//!
//! What blocks: a file actor, for the disk, on a thread of its own; nobody else. What is shared: the caches of files and the
//! counters, as in every architecture, and no state of an actor's: while a worker runs an actor it has it, and nobody else does.
//!
//! # Nobody waits in a circle
//!
//! Every mailbox has `--mailbox` places, and no actor ever sleeps for one. A message that finds none is given back, and its sender
//! is told when there is a place; meanwhile it takes other messages. What cannot be refused needs no place that others could take:
//! a connection asks for no more than its own mailbox has room to be answered, and the supervisor has one end to come of each that
//! it has started. Signals are flags beside the mailbox. So a file actor can always answer and an actor can always end, whatever
//! is full: file actors and the supervisor wait for no mailbox, connections wait for file actors only, and the acceptor for the
//! supervisor only; there is no way back.
//!
//! # What a defect costs
//!
//! Whoever panics is gone, with all that it owned. The request that a file actor had is answered 500, and another takes its place;
//! with a connection's actor its connection ends. Restarts are bounded as in OTP: after `--restart-intensity` of them within
//! `--restart-period`, the next defect ends the supervisor, and so the server, with an error.
//!
//! # Our own actors, not a crate's
//!
//! kameo (0.22) has bounded mailboxes and restart policies, and an actor there is a task of tokio: its scheduler, its readiness and
//! its timers would be what is measured, and each message there is boxed, and so is the future that handles it. Who runs when is
//! what an architecture is, so here it can be read, in `cell` and `scheduler`; reading, sending and the kernel's `epoll` are those
//! of the siblings. In steady state a request costs no allocation (`tests/allocations.rs` counts them): a message lies in its
//! mailbox, and mailboxes and the run queue keep the memory that they had at their longest.
//!
//! A message is moved, and what is in it has a new owner; `--message copied` and `--message encoded` show what that saves. Encoded is what it
//! would have to be for an actor on another machine, of which an open file could not be a part: it stays behind, and a number would
//! stand for it. Then whatever the caches do not hold goes through a file actor twice, to find and to load, with `--message owned` too.
//!
//! Departures from OTP: file actors share one mailbox, as in Akka's balancing pool, so that nobody waits behind a slow file while
//! another is free; what else is in it survives the one that ends. An actor is not preempted, but takes few messages at a time,
//! and a session's turn is bounded.

mod acceptor;
mod cell;
mod connection;
mod file_actor;
mod mailbox;
mod message;
mod restarts;
mod scheduler;
mod supervisor;

use std::sync::Arc;
use std::time::Duration;

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests,
    Stack, Variant,
};
use arch::{Architecture, ProcessContext, Rule, ServerSetup, Spin, context};
use cell::{Cell, Run, Signals};
use connection::Known;
use file_actor::FileActors;
use mailbox::Kind;
pub use message::Carriage;
use restarts::Restarts;
use scheduler::Scheduler;
use supervisor::{Plan, Supervisor};

/// The options of actors.
#[derive(Debug, Clone, clap::Args)]
pub struct Actor {
    /// Threads that run actors, of which none waits
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub workers: u32,
    /// Actors that wait for the disk, each on a thread of its own; 0: a connection's actor waits itself, on a worker
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub file_actors: u32,
    /// Messages that may wait in each mailbox
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub mailbox: u32,
    /// Have file actors find and load whatever is in no cache of ours, though it may be in memory, and messages to them and back carried so:
    /// 'owned' by whoever receives them, 'copied', or 'encoded' into bytes, as to another machine. Shows what that costs; not with
    /// --file-actors 0
    #[arg(long, value_name = "HOW")]
    pub message: Option<Carriage>,
    /// Restarts after defects, within --restart-period, that the supervisor bears; one more ends the server
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub restart_intensity: u32,
    /// In which time restarts are counted
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = arch::options::time_out)]
    pub restart_period: Duration,
    /// Before a worker sleeps at the run queue
    #[command(flatten)]
    pub spin: Spin,
}

const BEHAVIOUR: Behaviour = Behaviour {
    concurrency: Concurrency::Any,
    disk_wait: DiskWait::Helper {
        count: "--file-actors",
    },
    defect: Loss::Answer,
    killed: Killed::Server,
    requests: Requests::AtOnce,
    idle_connection: IdleConnection::Place,
};

impl Architecture for Actor {
    const NAME: &'static str = "actor";
    const SUMMARY: &'static str =
        "an actor for each connection, with a mailbox; file actors; a supervisor";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Actors,
        predecessors: &["mt", "amped"],
        paper: "Armstrong: Making reliable distributed systems in the presence of software errors, thesis, KTH",
        year: 2003,
        stack: Stack::Kernel,
        behaviour: BEHAVIOUR,
        variants: &[Variant {
            options: "--file-actors 0",
            behaviour: Behaviour {
                disk_wait: DiskWait::Connection,
                defect: Loss::Connection,
                requests: Requests::InTurn,
                ..BEHAVIOUR
            },
        }],
        settings: &[
            "--mailbox 1 --file-actors 1 --workers 1",
            "--spin 50us",
            "--message owned",
            "--message copied",
            "--message encoded",
        ],
    };
    const RULES: &'static [Rule] = &[Rule::Excludes("--message", "--file-actors 0")];

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let [at_acceptor, at_supervisor, at_connection, at_file] =
            process.stages(["acceptor", "supervisor", "connection", "file"])?;
        let (workers, count) = (self.workers as usize, self.file_actors as usize);
        let places = self.mailbox as usize;
        let scheduler = Scheduler::new(workers, self.spin)?;
        let files = Kind::new(at_file, count);
        let file_actors =
            (count > 0).then(|| FileActors::new(places, self.message, Arc::clone(&files)));
        let supervisor = Supervisor::new(Plan {
            process: process.clone(),
            known: Arc::new(Known {
                scheduler: Arc::clone(&scheduler),
                file_actors: file_actors.clone(),
                places,
                carriage: self.message,
            }),
            places,
            acceptors: Kind::new(at_acceptor, 1),
            connections: Kind::new(at_connection, workers),
            file_actors: files,
            restarts: Restarts::new(self.restart_intensity as usize, self.restart_period),
        });
        let kind = Kind::new(at_supervisor, 1);
        let supervisor =
            scheduler.add(|number| Cell::new(supervisor, number, places, &kind, &scheduler, None));
        scheduler.set_root(Arc::clone(&supervisor) as Arc<dyn Run>);
        if let Some(file_actors) = &file_actors {
            file_actors.start(count, &process, &supervisor)?;
        }
        start_workers(workers, &process, &scheduler)?;
        supervisor.signal(Signals::GO_ON);
        ready();
        scheduler.wait_for_the_end()
    }
}

fn start_workers(
    count: usize,
    process: &ProcessContext,
    scheduler: &Arc<Scheduler>,
) -> std::io::Result<()> {
    for number in 1..=count {
        let (mut worker, scheduler) = (process.worker(), Arc::clone(scheduler));
        std::thread::Builder::new()
            .name("worker".into())
            .spawn(move || scheduler.work(&mut worker))
            .map_err(context(format!(
                "cannot start worker {number} of {count}; try fewer --workers"
            )))?;
    }
    Ok(())
}
