//! The actor of a connection, which alone has its session.

use std::sync::Arc;

use arch::{ASIDE, Client, Endpoint, Progress, Step, Work, Worker};

use crate::cell::{Actor, Context, Received, Then};
use crate::file_actor::{FileActors, Job};
use crate::message::{Carriage, Envelope};
use crate::scheduler::{Number, Scheduler};

/// Whom a connection's actor knows.
pub(crate) struct Known {
    pub(crate) scheduler: Arc<Scheduler>,
    /// Where there are none, each connection finds and loads for itself.
    pub(crate) file_actors: Option<Arc<FileActors>>,
    /// Answers that may be on their way to one connection, which is what its mailbox has places for.
    pub(crate) places: usize,
    /// How works are carried to file actors and back, if all of them are.
    pub(crate) carriage: Option<Carriage>,
}

/// The actor of a connection.
pub(crate) struct Connection {
    endpoint: Endpoint,
    number: Number,
    known: Arc<Known>,
    /// Jobs that file actors have of it.
    out: usize,
    /// What is to be loaded, while the file actors have no place for it: nothing more is read meanwhile.
    held: Option<Work>,
    is_watched: bool,
    /// It lingers, and is not watched meanwhile.
    is_aside: bool,
}

impl Connection {
    pub(crate) fn new(client: Client, number: Number, known: &Arc<Known>, worker: &Worker) -> Self {
        Self {
            endpoint: Endpoint::new(Arc::new(client), worker),
            number,
            known: Arc::clone(known),
            out: 0,
            held: None,
            is_watched: false,
            is_aside: false,
        }
    }

    /// Does what is known to need no waiting, unless all works are file actors', and asks one for the rest.
    fn work(&mut self, work: Work, context: &mut Context<'_, Self>) {
        let worker = &mut *context.worker;
        let carriage = self.known.carriage;
        let work = match carriage.filter(|_| work.step().is_some()) {
            Some(_) => work.in_memory(),
            None => match work.try_run(&worker.files, worker.now) {
                Ok(done) => return self.endpoint.done(done, worker),
                Err(work) => work,
            },
        };
        let Some(file_actors) = &self.known.file_actors else {
            let done = self
                .known
                .scheduler
                .blocking(|| work.run(&worker.files, worker.now));
            worker.tick();
            return self.endpoint.done(done, worker);
        };
        let is_find = work.step() == Some(Step::Find);
        let asker = Arc::clone(context.own);
        // Whoever is turned away does not wait.
        let work = Envelope::seal(work, carriage);
        match file_actors.send(Job { work, asker }, !is_find) {
            Ok(()) => self.out += 1,
            Err(job) if is_find => self.endpoint.done(job.work.open().refuse(), worker),
            // An answer that was begun is finished: it waits for a place.
            Err(job) => self.held = Some(job.work.open()),
        }
    }

    /// Goes on until it has to wait, for its client or for a file actor.
    fn advance(&mut self, context: &mut Context<'_, Self>) -> Then {
        while self.held.is_none() && self.out < self.known.places {
            match self.endpoint.advance(context.worker) {
                Progress::Work(work) => self.work(work, context),
                Progress::Yields => return Then::Yields,
                Progress::Closed => return Then::Ends,
                Progress::Lingers if !self.is_watched && self.endpoint.may_stay() => {
                    self.is_aside = true;
                    return Then::Waits(Some(context.worker.now + ASIDE));
                }
                Progress::Waits | Progress::Lingers => break,
            }
        }
        // Not before: a connection for one request may be over by now.
        if !std::mem::replace(&mut self.is_watched, true) {
            let socket = self.endpoint.socket();
            if self.known.scheduler.watch(socket, self.number).is_err() {
                // It would never hear of its client again.
                return Then::Ends;
            }
        }
        Then::Waits(self.endpoint.next_look(context.worker))
    }
}

impl Actor for Connection {
    /// What a file actor has made of a job.
    type Message = Envelope;

    fn receive(&mut self, received: Received<Envelope>, context: &mut Context<'_, Self>) -> Then {
        match received {
            Received::Message(work) => {
                self.out -= 1;
                self.work(work.open(), context);
            }
            Received::Signals(signals) => {
                self.endpoint.ready(signals.readiness);
                if signals.is_overdue {
                    self.held = None;
                    self.out = 0;
                    self.endpoint.abandon(context.worker);
                } else if std::mem::take(&mut self.is_aside) {
                    self.endpoint.look_for_end();
                } else if signals.is_due {
                    self.endpoint.look(context.worker);
                }
                if signals.has_room
                    && let Some(work) = self.held.take()
                {
                    self.work(work, context);
                }
            }
        }
        self.advance(context)
    }

    fn died(worker: &mut Worker) {
        worker.defect();
    }
}
