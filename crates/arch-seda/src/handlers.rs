//! What the threads of each stage do with an event.

use std::sync::Arc;
use std::time::Duration;

use arch::{Done, Endpoint, Next, Step, Work, Worker};

use crate::gate::Gate;
use crate::sockets::CompletionSender;
use crate::stage::{Handler, Sink};
use crate::task::{Either, Event, Loading, Task};

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
    pub(crate) load: Sink<Loading>,
    pub(crate) send: Sink<Event>,
    pub(crate) back: CompletionSender,
}

impl Handler<Event> for Finder {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, mut task: Event) {
        let (steps, load) = ([Step::Find, Step::Load], &mut self.load);
        let next =
            task.do_kept_and_send_off(&steps, &mut self.worker, |request| load.push(request));
        self.pass_on(task.needing(next));
    }

    fn hand_over(&mut self) {
        self.load.hand_over();
        while let Some(rejected) = self.load.rejected() {
            let mut task = match rejected {
                Either::Session(task) => task,
                Either::Request(token, work) => {
                    self.back.push_request(token, work.refuse());
                    continue;
                }
            };
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
            next @ Next::Work(_) => self.load.push(Either::Session(task.needing(next))),
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

impl Handler<Loading> for Loader {
    fn begin(&mut self) {
        self.worker.tick();
    }

    fn handle(&mut self, loading: Loading) {
        match loading {
            Either::Session(task) => self.load_for(task),
            Either::Request(token, work) => {
                let done = self.load(*work);
                self.back.push_request(token, done);
            }
        }
    }

    fn hand_over(&mut self) {
        self.send.hand_over_all();
        self.back.hand_over();
    }
}

impl Loader {
    /// Does a work, and waits for the disk where it has to.
    fn load(&self, mut work: Work) -> Done {
        loop {
            match work.try_run(&self.worker.files, self.worker.now) {
                Ok(done) => return done,
                Err(missing) => work = missing.prepare(&self.worker.files),
            }
        }
    }

    /// Does the works of a session until it needs something else.
    fn load_for(&mut self, mut task: Event) {
        loop {
            match task.take_next() {
                Next::Work(work) => {
                    let done = self.load(work);
                    task.step(&mut self.worker, |endpoint, worker| {
                        endpoint.done(done, worker);
                    });
                }
                next @ Next::Send(_) => return self.send.push(task.needing(next)),
                next => return self.back.push(task.needing(next)),
            }
        }
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
