//! SEDA, staged event-driven: stages joined by bounded queues, each with a pool of threads and its controllers (Welsh,
//! Culler and Brewer, SOSP 2001; the web server of section 5.1).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What blocks: the threads of `load` wait for the disk, and nobody else does. What is shared: the caches, behind their
//! locks, and the queues. A request has one owner at a time: it goes from stage to stage in buffers of its own, with what was
//! read and what is to be sent, so that no stage copies anything.
//!
//! Over HTTP/2 a session has many requests. What is in memory is answered in the session's own event, as of HTTP/1.1; a request
//! that has to wait for the disk leaves it, as an event of its own, and the session goes on with the others. What came of it meets its
//! session again at `sockets`.
//!
//! When a queue is full, the event is rejected, and whoever enqueues decides: `sockets` stops reading, so that the queue
//! grows in the network; `parse` and `find` answer 503; an answer that is ready waits for `send`. Admission
//! ([`controllers`], after Welsh and Culler, USITS 2003) turns requests away in front of `find`, where it is known that
//! there is one, with the same 503.
//!
//! A thread that finds its queue empty lets those that share its processor have a turn and looks once more before it sleeps, and so does
//! `sockets` before it waits. With few connections, where a batch is small and each stage would have to be woken for it, that saves
//! most of the wake-ups: how many, and what is left, is what `bench-configs/seda-wake-ups.toml` measures.
//!
//! Departures from the paper: one stage of sockets instead of three, for accepting, reading and writing; a client that does
//! not read sends its session back there. `find` serves from memory without asking anybody; whatever is not in the content
//! cache goes to `load`, which asks the kernel whether it is in memory, as AMPED does, instead of keeping a cache of its
//! own. The pool's threshold is not a number of events but grows with the threads.

pub mod controllers;
mod gate;
mod handlers;
mod sockets;
mod stage;
mod task;

use std::sync::Arc;
use std::time::Duration;

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests, Stack,
};
use arch::{Architecture, ProcessContext, ServerSetup, Spin, context};
use controllers::{Admit, Limits};
use gate::Gate;
use handlers::{Finder, Loader, Parser, Sender};
use sockets::{CompletionSender, Completions, Sinks, Sockets};
use stage::{Controlled, Handler, Plan, Sink, Stage};

/// The options of SEDA.
#[derive(Debug, Clone, clap::Args)]
pub struct Seda {
    /// Events that may wait for each stage
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub stage_queue: u32,
    /// Threads of each of parse, find and send: 'off' for one, a number, or MIN..MAX for the controller
    #[arg(long, value_name = "RANGE", default_value = "1..4", value_parser = Limits::parse)]
    pub stage_threads: Limits,
    /// Threads of load, which waits for the disk: 'off' for one, a number, or MIN..MAX for the controller
    #[arg(long, value_name = "RANGE", default_value = "1..16", value_parser = Limits::parse)]
    pub load_threads: Limits,
    /// Events that a thread of parse, find or send takes at a time (of load, one): 'off' for one, a number, or MIN..MAX for the controller
    #[arg(long, value_name = "RANGE", default_value = "16..128", value_parser = Limits::parse)]
    pub batch: Limits,
    /// Requests let in, the others being answered 503: 'off' for all, a rate like 2000/s, or a target like p90<100ms for the
    /// controller
    #[arg(long, value_name = "WHOM", default_value = "off", value_parser = Admit::parse)]
    pub admission: Admit,
    /// How often the controllers look at pools and batches
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = controllers::interval)]
    pub control_interval: Duration,
    /// How long a thread waits for work before the controller ends it
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = controllers::interval)]
    pub retire_after: Duration,
    /// Before a thread sleeps at its queue
    #[command(flatten)]
    pub spin: Spin,
}

impl Architecture for Seda {
    const NAME: &'static str = "seda";
    const SUMMARY: &'static str =
        "stages joined by bounded queues, each with a pool and controllers";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Stages,
        predecessors: &["pool", "amped"],
        paper: "Welsh, Culler, Brewer: SEDA, SOSP, section 5.1",
        year: 2001,
        stack: Stack::Kernel,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Helper {
                count: "--load-threads",
            },
            defect: Loss::Answer,
            killed: Killed::Server,
            requests: Requests::AtOnce,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &[
            "--load-threads 1 --stage-threads 1 --batch 1",
            "--spin 50us",
        ],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let [at_sockets, at_parse, at_find, at_load, at_send] =
            process.stages(["sockets", "parse", "find", "load", "send"])?;
        let sockets = Sockets::new(&process, at_sockets, self.spin)?;
        let context = StageContext {
            completions: Arc::clone(sockets.completions()),
            gate: Arc::new(Gate::new(self.admission)),
            process,
        };

        // The figure, from right to left: a stage is made when those that it sends its events to are there.
        let (computing, one) = (self.stage_threads, Limits { least: 1, most: 1 });
        let send = self.stage(
            &context,
            "send",
            computing,
            self.batch,
            at_send,
            |context| Sender {
                worker: context.process.worker(),
                back: CompletionSender::to(&context.completions),
                gate: Arc::clone(&context.gate),
                responses: Vec::new(),
            },
        )?;
        let load = self.stage(&context, "load", self.load_threads, one, at_load, {
            let send = Arc::clone(&send);
            move |context| Loader {
                worker: context.process.worker(),
                send: Sink::to(&send),
                back: CompletionSender::to(&context.completions),
            }
        })?;
        let find = self.stage(&context, "find", computing, self.batch, at_find, {
            let (load, send) = (Arc::clone(&load), Arc::clone(&send));
            move |context| Finder {
                worker: context.process.worker(),
                load: Sink::to(&load),
                send: Sink::to(&send),
                back: CompletionSender::to(&context.completions),
            }
        })?;
        let parse = self.stage(&context, "parse", computing, self.batch, at_parse, {
            let (find, send) = (Arc::clone(&find), Arc::clone(&send));
            move |context| Parser {
                worker: context.process.worker(),
                gate: Arc::clone(&context.gate),
                find: Sink::to(&find),
                send: Sink::to(&send),
                back: CompletionSender::to(&context.completions),
            }
        })?;

        let stages: [Arc<dyn Controlled>; 4] =
            [parse.clone(), find.clone(), load.clone(), send.clone()];
        self.control(stages.to_vec())?;
        ready();
        sockets.run(Sinks {
            parse: Sink::to(&parse),
            load: Sink::to(&load),
            send: Sink::to(&send),
        })?;
        stages.iter().for_each(|stage| stage.close());
        Ok(())
    }
}

/// What every stage has a way to.
#[derive(Clone)]
struct StageContext {
    process: ProcessContext,
    completions: Arc<Completions>,
    gate: Arc<Gate>,
}

impl Seda {
    fn stage<In: Send + 'static, H: Handler<In> + 'static>(
        &self,
        stage_context: &StageContext,
        name: &'static str,
        threads: Limits,
        batch: Limits,
        counters: meter::StageCounters,
        handler: impl Fn(&StageContext) -> H + Send + Sync + 'static,
    ) -> std::io::Result<Arc<Stage<In>>> {
        let plan = Plan {
            name,
            places: self.stage_queue as usize,
            threads,
            retire_after: self.retire_after,
            spin: self.spin,
            batch,
            counters,
        };
        let stage_context = stage_context.clone();
        Stage::start(plan, move || handler(&stage_context)).map_err(context(format!(
            "cannot start the {} threads of stage {name}; try fewer --stage-threads and --load-threads",
            threads.least
        )))
    }

    /// Starts the thread that runs the controllers.
    fn control(&self, stages: Vec<Arc<dyn Controlled>>) -> std::io::Result<()> {
        let interval = self.control_interval;
        let control = move || {
            loop {
                std::thread::sleep(interval);
                for stage in &stages {
                    Arc::clone(stage).control(interval);
                }
            }
        };
        std::thread::Builder::new()
            .name("controllers".into())
            .spawn(control)
            .map(drop)
            .map_err(context("cannot start the thread of the controllers"))
    }
}
