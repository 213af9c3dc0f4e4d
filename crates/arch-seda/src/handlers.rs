//! What the threads of each stage do with an event.

use std::sync::Arc;
use std::time::Duration;

use arch::{Endpoint, Next, Step, Worker};

use crate::gate::Gate;
use crate::sockets::CompletionSender;
use crate::stage::{Handler, Sink};
use crate::task::{Event, Task};

/// Makes requests of the bytes that came.
pub(crate) struct Parser {
    pub(crate) worker: Worker,
    pub(crate) gate: Arc<Gate>,
    pub(crate) find: Sink<Event>,
    pub(crate) send: Sink<Event>,
    pub(crate) back: CompletionSender,
}

impl Handler<Event> for Parser {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Event) {
        let next = match task.take_next() {
            Next::Receive => {
                task.step(&mut self.worker, Endpoint::parse);
                task.take_next()
            }
            next => next,
        };
        if next.step() != Some(Step::Find) {
            self.pass_on(task.needing(next));
        } else if self.gate.admits(self.worker.now) {
            task.admitted = Some(self.worker.now);
            self.find.push(task.needing(next));
        } else {
            self.find.count_rejected(1);
            self.refuse(task.needing(next));
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
    fn refuse(&mut self, mut task: Event) {
        loop {
            match task.take_next() {
                Next::Work(work) => {
                    task.admitted = None;
                    task.step(&mut self.worker, |endpoint, worker| {
                        endpoint.done(work.refuse(), worker);
                    });
                }
                Next::Receive if task.has_rest() => task.step(&mut self.worker, Endpoint::parse),
                next => return self.pass_on(task.needing(next)),
            }
        }
    }

    fn pass_on(&mut self, mut task: Event) {
        match task.take_next() {
            next @ Next::Send(_) => self.send.push(task.needing(next)),
            next => self.back.push(task.needing(next)),
        }
    }
}

/// Knows which file is meant, and has it at hand, if that is known in memory.
pub(crate) struct Finder {
    pub(crate) worker: Worker,
    pub(crate) load: Sink<Event>,
    pub(crate) send: Sink<Event>,
    pub(crate) back: CompletionSender,
}

impl Handler<Event> for Finder {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Event) {
        let next = task.do_kept(&[Step::Find, Step::Load], &mut self.worker);
        self.pass_on(task.needing(next));
    }

    fn hand_over(&mut self) {
        self.load.hand_over();
        while let Some(mut task) = self.load.rejected() {
            if let Next::Work(work) = task.take_next() {
                task.step(&mut self.worker, |endpoint, worker| {
                    endpoint.done(work.refuse(), worker);
                });
            }
            self.pass_on(task);
        }
        self.send.hand_over_all();
        self.back.hand_over();
    }
}

impl Finder {
    fn pass_on(&mut self, mut task: Event) {
        match task.take_next() {
            next @ Next::Send(_) => self.send.push(task.needing(next)),
            next @ Next::Work(_) => self.load.push(task.needing(next)),
            next => self.back.push(task.needing(next)),
        }
    }
}

/// Waits for the disk.
pub(crate) struct Loader {
    pub(crate) worker: Worker,
    pub(crate) send: Sink<Event>,
    pub(crate) back: CompletionSender,
}

impl Handler<Event> for Loader {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Event) {
        loop {
            match task.take_next() {
                Next::Work(mut work) => {
                    let done = loop {
                        match work.try_run(&self.worker.files, self.worker.now) {
                            Ok(done) => break done,
                            Err(missing) => work = missing.prepare(&self.worker.files),
                        }
                    };
                    task.step(&mut self.worker, |endpoint, worker| {
                        endpoint.done(done, worker);
                    });
                }
                next @ Next::Send(_) => return self.send.push(task.needing(next)),
                next => return self.back.push(task.needing(next)),
            }
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

impl Handler<Event> for Sender {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Event) {
        let next = self.send(&mut task);
        if let Some(admitted) = task.admitted.take()
            && !self.gate.off
        {
            self.responses.push(admitted.elapsed());
        }
        self.back.push(task.needing(next));
    }

    fn hand_over(&mut self) {
        self.back.hand_over();
        self.gate.observe(&mut self.responses);
    }
}

impl Sender {
    /// Sends all that is at hand and that the socket takes; what is next then is for others.
    fn send(&mut self, task: &mut Task) -> Next {
        loop {
            match task.do_kept(&[Step::Load], &mut self.worker) {
                Next::Send(output) => task.advance(&mut self.worker, |endpoint, worker| {
                    match endpoint.send(output, worker) {
                        true => endpoint.next(worker),
                        // The sockets' stage waits until there is room.
                        false => Next::Wait,
                    }
                }),
                Next::ShutdownWrite => {
                    task.step(&mut self.worker, |endpoint, _| endpoint.shutdown_write());
                }
                next => return next,
            }
        }
    }
}
