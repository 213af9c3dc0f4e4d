//! What the threads of each stage do with an event.

use std::sync::Arc;
use std::time::Duration;

use arch::{Blocked, Desk, Step, Steps};

use crate::gate::Gate;
use crate::sockets::WayBack;
use crate::stage::{Handler, Outlet};
use crate::task::{Miss, Outcome, Task};

/// Makes requests of the bytes that came.
pub(crate) struct Parser {
    pub(crate) desk: Desk,
    pub(crate) gate: Arc<Gate>,
    pub(crate) find: Outlet<Box<Task>>,
    pub(crate) send: Outlet<Box<Task>>,
    pub(crate) back: WayBack,
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
pub(crate) struct Finder {
    pub(crate) desk: Desk,
    pub(crate) load: Outlet<Miss>,
    pub(crate) send: Outlet<Box<Task>>,
    pub(crate) back: WayBack,
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
pub(crate) struct Loader {
    pub(crate) desk: Desk,
    pub(crate) send: Outlet<Box<Task>>,
    pub(crate) back: WayBack,
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
pub(crate) struct Sender {
    pub(crate) desk: Desk,
    pub(crate) back: WayBack,
    pub(crate) gate: Arc<Gate>,
    /// Of the requests of a batch that were let in.
    pub(crate) responses: Vec<Duration>,
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
