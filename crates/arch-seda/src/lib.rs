//! SEDA, staged event-driven: stages joined by bounded queues, each with a pool of threads and its controllers (Welsh,
//! Culler and Brewer, SOSP 2001; the web server of section 5.1).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What blocks: the threads of `load` wait for the disk, and nobody else does. What is shared: the caches, behind their
//! locks, and the queues. A request has one owner at a time: it goes from stage to stage on a tray of its own, with what
//! was read and what is to be sent, so that no stage copies anything.
//!
//! When a queue is full, the event is rejected, and whoever enqueues decides: `sockets` stops reading, so that the queue
//! grows in the network; `parse` and `find` answer 503; an answer that is ready waits for `send`. Admission
//! ([`controllers`], after Welsh and Culler, USITS 2003) turns requests away in front of `find`, where it is known that
//! there is one, with the same 503.
//!
//! Departures from the paper: one stage of sockets instead of three, for accepting, reading and writing; a client that does
//! not read sends its session back there. `find` serves from memory without asking anybody; whatever is not in the content
//! cache goes to `load`, which asks the kernel whether it is in memory, as AMPED does, instead of keeping a cache of its
//! own. The pool's threshold is not a number of events but grows with the threads.

pub mod controllers;
mod sockets;
mod stage;
mod task;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arch::{Architecture, Blocked, Desk, Site, Step, Steps, Workplace, context};
use controllers::{Admission, Admit, Limits};
use sockets::{Returns, Sockets, WayBack, Ways};
use stage::{Controlled, Handler, Outlet, Plan, Stage};
use task::{Miss, Outcome, Task};

/// The options of SEDA.
#[derive(Debug, Clone, clap::Args)]
pub struct Seda {
    /// Events that may wait for each stage
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub stage_queue: u32,
    /// Threads of each stage that only computes and sends: 'off' for one, a number, or MIN..MAX for the controller
    #[arg(long, value_name = "RANGE", default_value = "1..4", value_parser = Limits::parse)]
    pub stage_threads: Limits,
    /// Threads of the stage that waits for the disk: 'off' for one, a number, or MIN..MAX for the controller
    #[arg(long, value_name = "RANGE", default_value = "1..16", value_parser = Limits::parse)]
    pub load_threads: Limits,
    /// Events that a thread takes at a time: 'off' for one, a number, or MIN..MAX for the controller
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
}

impl Architecture for Seda {
    const NAME: &'static str = "seda";
    const SUMMARY: &'static str =
        "stages joined by bounded queues, each with a pool and controllers";
    const DIAGRAM: &'static str = include_str!("diagram.txt");

    fn serve(self, site: Site) -> std::io::Result<()> {
        let workplace = site.open()?;
        let [at_sockets, at_parse, at_find, at_load, at_send] =
            workplace.stages(["sockets", "parse", "find", "load", "send"])?;
        let sockets = Sockets::new(&workplace, at_sockets)?;
        let hall = Hall {
            returns: Arc::clone(sockets.returns()),
            gate: Arc::new(Gate::new(self.admission)),
            workplace,
        };

        // The figure, from right to left: a stage is made when those that it sends its events to are there.
        let (computing, one) = (self.stage_threads, Limits { least: 1, most: 1 });
        let send = self.stage(&hall, "send", computing, self.batch, at_send, |hall| {
            Sender {
                desk: hall.workplace.desk(),
                back: WayBack::to(&hall.returns),
                gate: Arc::clone(&hall.gate),
                responses: Vec::new(),
            }
        })?;
        let load = self.stage(&hall, "load", self.load_threads, one, at_load, {
            let send = Arc::clone(&send);
            move |hall| Loader {
                desk: hall.workplace.desk(),
                send: Outlet::to(&send),
                back: WayBack::to(&hall.returns),
            }
        })?;
        let find = self.stage(&hall, "find", computing, self.batch, at_find, {
            let (load, send) = (Arc::clone(&load), Arc::clone(&send));
            move |hall| Finder {
                desk: hall.workplace.desk(),
                load: Outlet::to(&load),
                send: Outlet::to(&send),
                back: WayBack::to(&hall.returns),
            }
        })?;
        let parse = self.stage(&hall, "parse", computing, self.batch, at_parse, {
            let (find, send) = (Arc::clone(&find), Arc::clone(&send));
            move |hall| Parser {
                desk: hall.workplace.desk(),
                gate: Arc::clone(&hall.gate),
                find: Outlet::to(&find),
                send: Outlet::to(&send),
                back: WayBack::to(&hall.returns),
            }
        })?;

        let stages: [Arc<dyn Controlled>; 4] =
            [parse.clone(), find.clone(), load.clone(), send.clone()];
        self.control(stages.to_vec())?;
        sockets.run(Ways {
            parse: Outlet::to(&parse),
            load: Outlet::to(&load),
            send: Outlet::to(&send),
        })?;
        stages.iter().for_each(|stage| stage.close());
        Ok(())
    }
}

/// What every stage has a way to.
#[derive(Clone)]
struct Hall {
    workplace: Workplace,
    returns: Arc<Returns>,
    gate: Arc<Gate>,
}

impl Seda {
    fn stage<In: Send + 'static, H: Handler<In> + 'static>(
        &self,
        hall: &Hall,
        name: &'static str,
        threads: Limits,
        batch: Limits,
        counters: meter::Stage,
        handler: impl Fn(&Hall) -> H + Send + Sync + 'static,
    ) -> std::io::Result<Arc<Stage<In>>> {
        let plan = Plan {
            name,
            places: self.stage_queue as usize,
            threads,
            retire_after: self.retire_after,
            batch,
            counters,
        };
        let hall = hall.clone();
        Stage::start(plan, move || handler(&hall)).map_err(context(format!(
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

/// Makes requests of the bytes that came.
struct Parser {
    desk: Desk,
    gate: Arc<Gate>,
    find: Outlet<Box<Task>>,
    send: Outlet<Box<Task>>,
    back: WayBack,
}

impl Handler<Box<Task>> for Parser {
    fn begin(&mut self) {
        self.desk.tick();
    }

    fn handle(&mut self, mut task: Box<Task>) {
        let outcome = task.run(Step::Parse.into(), &mut self.desk);
        if !matches!(outcome, Ok(Step::Find)) {
            self.pass_on(task, outcome);
        } else if self.gate.admits(self.desk.now) {
            task.admitted = Some(self.desk.now);
            self.find.push(task);
        } else {
            self.find.count_rejected(1);
            self.refuse(task);
        }
    }

    fn hand_over(&mut self) {
        self.find.hand_over();
        while let Some(task) = self.find.rejected() {
            self.refuse(task);
        }
        self.send.hand_over_all();
        self.back.hand_over();
    }
}

impl Parser {
    /// Answers 503, and so each request behind it that has come already: it would not be let in either.
    fn refuse(&mut self, mut task: Box<Task>) {
        let mut outcome = Ok(Step::Find);
        while let Ok(Step::Find) = outcome {
            task.admitted = None;
            task.refuse(&mut self.desk);
            outcome = task.run(Step::Parse.into(), &mut self.desk);
        }
        self.pass_on(task, outcome);
    }

    fn pass_on(&mut self, task: Box<Task>, outcome: Outcome) {
        match outcome {
            Ok(Step::Send) => self.send.push(task),
            outcome => self.back.push(task, outcome),
        }
    }
}

/// Knows which file is meant, and has it at hand, if that is known in memory.
struct Finder {
    desk: Desk,
    load: Outlet<Miss>,
    send: Outlet<Box<Task>>,
    back: WayBack,
}

impl Handler<Box<Task>> for Finder {
    fn begin(&mut self) {
        self.desk.tick();
    }

    fn handle(&mut self, mut task: Box<Task>) {
        let outcome = task.run(Step::Find | Step::Load, &mut self.desk);
        self.pass_on(task, outcome);
    }

    fn hand_over(&mut self) {
        self.load.hand_over();
        while let Some(Miss { mut task, .. }) = self.load.rejected() {
            task.refuse(&mut self.desk);
            let outcome = task.run(Steps::NONE, &mut self.desk);
            self.pass_on(task, outcome);
        }
        self.send.hand_over_all();
        self.back.hand_over();
    }
}

impl Finder {
    fn pass_on(&mut self, task: Box<Task>, outcome: Outcome) {
        match outcome {
            Ok(Step::Send) => self.send.push(task),
            Err(missing @ (Blocked::Find | Blocked::Load(..))) => {
                self.load.push(Miss { task, missing });
            }
            outcome => self.back.push(task, outcome),
        }
    }
}

/// Waits for the disk.
struct Loader {
    desk: Desk,
    send: Outlet<Box<Task>>,
    back: WayBack,
}

impl Handler<Miss> for Loader {
    fn begin(&mut self) {
        self.desk.tick();
    }

    fn handle(&mut self, Miss { mut task, missing }: Miss) {
        let mut outcome = Err(missing);
        while let Err(missing @ (Blocked::Find | Blocked::Load(..))) = outcome {
            task.fetch(missing, &mut self.desk);
            outcome = task.run(Step::Find | Step::Load, &mut self.desk);
        }
        match outcome {
            Ok(Step::Send) => self.send.push(task),
            outcome => self.back.push(task, outcome),
        }
    }

    fn hand_over(&mut self) {
        self.send.hand_over_all();
        self.back.hand_over();
    }
}

/// Puts answers on their sockets.
struct Sender {
    desk: Desk,
    back: WayBack,
    gate: Arc<Gate>,
    /// Of the requests of a batch that were let in.
    responses: Vec<Duration>,
}

impl Handler<Box<Task>> for Sender {
    fn begin(&mut self) {
        self.desk.tick();
    }

    fn handle(&mut self, mut task: Box<Task>) {
        let outcome = task.run(Step::Send | Step::Load, &mut self.desk);
        if let Some(admitted) = task.admitted.take()
            && !self.gate.off
        {
            self.responses.push(admitted.elapsed());
        }
        self.back.push(task, outcome);
    }

    fn hand_over(&mut self) {
        self.back.hand_over();
        self.gate.observe(&mut self.responses);
    }
}

/// Admission, for all threads that ask and tell.
struct Gate {
    /// Everybody is let in.
    off: bool,
    started: Instant,
    admission: Mutex<Admission>,
}

impl Gate {
    fn new(admit: Admit) -> Self {
        Self {
            off: admit == Admit::All,
            started: Instant::now(),
            admission: Mutex::new(Admission::new(admit)),
        }
    }

    fn admits(&self, now: Instant) -> bool {
        self.off || self.admission().admits(now - self.started)
    }

    fn observe(&self, responses: &mut Vec<Duration>) {
        if responses.is_empty() {
            return;
        }
        let (mut admission, now) = (self.admission(), self.started.elapsed());
        for response in responses.drain(..) {
            admission.observe(now, response);
        }
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
