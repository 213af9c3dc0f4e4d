//! What the threads of each stage do with an event.

use std::sync::Arc;
use std::time::Duration;

use arch::{Blocked, Step, Steps, Worker};

use crate::gate::Gate;
use crate::sockets::CompletionSender;
use crate::stage::{Handler, Sink};
use crate::task::{Miss, Outcome, Task};

/// Makes requests of the bytes that came.
pub(crate) struct Parser {
    pub(crate) worker: Worker,
    pub(crate) gate: Arc<Gate>,
    pub(crate) find: Sink<Box<Task>>,
    pub(crate) send: Sink<Box<Task>>,
    pub(crate) back: CompletionSender,
}

impl Handler<Box<Task>> for Parser {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Box<Task>) {
        let outcome = task.run(Step::Parse.into(), &mut self.worker);
        if !matches!(outcome, Ok(Step::Find)) {
            self.pass_on(task, outcome);
        } else if self.gate.admits(self.worker.now) {
            task.admitted = Some(self.worker.now);
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
            task.refuse(&mut self.worker);
            outcome = task.run(Step::Parse.into(), &mut self.worker);
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
pub(crate) struct Finder {
    pub(crate) worker: Worker,
    pub(crate) load: Sink<Miss>,
    pub(crate) send: Sink<Box<Task>>,
    pub(crate) back: CompletionSender,
}

impl Handler<Box<Task>> for Finder {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Box<Task>) {
        let outcome = task.run(Step::Find | Step::Load, &mut self.worker);
        self.pass_on(task, outcome);
    }

    fn hand_over(&mut self) {
        self.load.hand_over();
        while let Some(Miss { mut task, .. }) = self.load.rejected() {
            task.refuse(&mut self.worker);
            let outcome = task.run(Steps::NONE, &mut self.worker);
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
pub(crate) struct Loader {
    pub(crate) worker: Worker,
    pub(crate) send: Sink<Box<Task>>,
    pub(crate) back: CompletionSender,
}

impl Handler<Miss> for Loader {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, Miss { mut task, missing }: Miss) {
        let mut outcome = Err(missing);
        while let Err(missing @ (Blocked::Find | Blocked::Load(..))) = outcome {
            task.fetch(missing, &mut self.worker);
            outcome = task.run(Step::Find | Step::Load, &mut self.worker);
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
pub(crate) struct Sender {
    pub(crate) worker: Worker,
    pub(crate) back: CompletionSender,
    pub(crate) gate: Arc<Gate>,
    /// Of the requests of a batch that were let in.
    pub(crate) responses: Vec<Duration>,
}

impl Handler<Box<Task>> for Sender {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Box<Task>) {
        let outcome = task.run(Step::Send | Step::Load, &mut self.worker);
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
