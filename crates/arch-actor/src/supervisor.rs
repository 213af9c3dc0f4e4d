//! The supervisor: starts all others, is told of their ends, and decides what becomes of it.
//!
//! A connection's actor is temporary, as OTP calls it: its connection ends with it, and nobody is started again. The acceptor and
//! the file actors are permanent: they are started again, but no more often than the intensity allows. Whatever is broken more often
//! is not mended by starting it again: the supervisor ends, and the server with it.

use std::any::Any;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::{Client, ProcessContext};
use meter::Event;

use crate::acceptor::Acceptor;
use crate::cell::{Actor, Cell, Context, Received, Run, Signals, Then};
use crate::connection::{Connection, Known};
use crate::file_actor::Restart;
use crate::mailbox::Kind;
use crate::restarts::Restarts;
use crate::scheduler::Number;

/// How an actor ended.
pub(crate) enum Exit {
    /// It had nothing more to do.
    Normal,
    /// It panicked, with these words.
    Defect(String),
}

impl Exit {
    /// From what it panicked with.
    pub(crate) fn defect(panic: &(dyn Any + Send)) -> Self {
        Self::Defect(words(panic))
    }
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "it did not say why".into())
}

/// Whoever is told of the end of those that it has started.
pub(crate) trait Parent: Send + Sync {
    /// One of them has ended; not a file actor.
    fn exited(&self, number: Number, exit: Exit);
}

/// The supervisor's address, for its children.
pub(crate) struct Children(pub(crate) Arc<Cell<Supervisor>>);

impl Parent for Children {
    fn exited(&self, number: Number, exit: Exit) {
        self.0.send_expected(ToSupervisor::Exited { number, exit });
    }
}

/// What the supervisor is told.
pub(crate) enum ToSupervisor {
    /// By the acceptor: this connection is to have an actor.
    Connected(Client),
    /// By the runtime: the acceptor, or a connection's actor, has ended.
    Exited { number: Number, exit: Exit },
    /// By a file actor's thread: it has ended, and can be started again.
    FileActorExited { words: String, restart: Restart },
}

/// How those that the supervisor starts are to be.
pub(crate) struct Plan {
    pub(crate) process: ProcessContext,
    pub(crate) known: Arc<Known>,
    pub(crate) places: usize,
    pub(crate) acceptors: Arc<Kind>,
    pub(crate) connections: Arc<Kind>,
    pub(crate) file_actors: Arc<Kind>,
    pub(crate) restarts: Restarts,
}

/// The actor that all others are children of.
pub(crate) struct Supervisor {
    plan: Plan,
    has_begun: bool,
    acceptor: Option<Number>,
    connections: u64,
    /// Connections that have not ended by then are not waited for.
    gives_up: Option<Instant>,
    children: Option<Arc<dyn Parent>>,
}

/// How long connections take to notice that the drain deadline has passed, unless they wait for the disk.
const GRACE: Duration = Duration::from_millis(500);

impl Supervisor {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            has_begun: false,
            acceptor: None,
            connections: 0,
            gives_up: None,
            children: None,
        }
    }

    /// The address that children tell of their end.
    fn parent(&mut self, own: &Arc<Cell<Self>>) -> Arc<dyn Parent> {
        let children = self
            .children
            .get_or_insert_with(|| Arc::new(Children(Arc::clone(own))));
        Arc::clone(children)
    }

    fn start_acceptor(&mut self, own: &Arc<Cell<Self>>) -> io::Result<()> {
        let acceptor = Acceptor::new(&self.plan.process, Arc::clone(own))?;
        let parent = self.parent(own);
        let scheduler = &self.plan.known.scheduler;
        let make = |number| {
            let (places, kind) = (self.plan.places, &self.plan.acceptors);
            Cell::new(acceptor, number, places, kind, scheduler, Some(parent))
        };
        let cell = match self.acceptor {
            Some(number) => {
                let cell = make(number);
                scheduler.replace(number, &cell);
                cell
            }
            None => {
                let mut added = None;
                let cell = scheduler.add(|number| {
                    added = Some(number);
                    make(number)
                });
                if let Some(number) = added {
                    self.acceptor = Some(number);
                    let listener = self.plan.process.listener.as_fd();
                    scheduler.watch(listener, number)?;
                }
                cell
            }
        };
        cell.signal(Signals::GO_ON);
        Ok(())
    }

    fn start_connection(&mut self, client: Client, context: &mut Context<'_, Self>) {
        let parent = self.parent(context.own);
        let plan = &self.plan;
        let scheduler = &plan.known.scheduler;
        let cell = scheduler.add(|number| {
            let actor = Connection::new(client, number, &plan.known, context.worker);
            Cell::new(
                actor,
                number,
                plan.places,
                &plan.connections,
                scheduler,
                Some(parent),
            )
        });
        self.connections += 1;
        cell.signal(Signals::GO_ON);
    }

    /// Whether a child may be started again; otherwise all ends.
    fn may_restart(&mut self, kind: &str, words: &str, now: Instant) -> bool {
        let is_allowed = self.plan.restarts.allow(now);
        if !is_allowed {
            let error = format!(
                "the supervisor gives up: a {kind} has had a defect once more ({words}) after {}; mend it, or allow more by \
                 --restart-intensity and --restart-period",
                self.plan.restarts
            );
            self.plan.known.scheduler.shut(Err(io::Error::other(error)));
        }
        is_allowed
    }

    fn exited(&mut self, number: Number, exit: Exit, context: &mut Context<'_, Self>) {
        let is_acceptor = self.acceptor == Some(number);
        match exit {
            Exit::Defect(words) if is_acceptor => {
                if self.may_restart("acceptor", &words, context.worker.now) {
                    self.plan.acceptors.counters.restarted();
                    context.worker.counters.count(Event::Replaced, 1);
                    if let Err(error) = self.start_acceptor(context.own) {
                        self.plan.known.scheduler.shut(Err(error));
                    }
                }
                return;
            }
            Exit::Normal if is_acceptor => self.acceptor = None,
            Exit::Normal | Exit::Defect(_) => self.connections -= 1,
        }
        self.plan.known.scheduler.remove(number);
    }

    /// What it does then.
    fn then(&mut self, context: &mut Context<'_, Self>) -> Then {
        let now = context.worker.now;
        let is_over = self.connections == 0 && self.acceptor.is_none();
        if context.worker.is_stopping()
            && (is_over || self.gives_up.is_some_and(|then| now >= then))
        {
            let abandoned = self.connections;
            context.worker.counters.count(Event::Abandoned, abandoned);
            if let Some(file_actors) = &self.plan.known.file_actors {
                file_actors.close();
            }
            return Then::Ends;
        }
        Then::Waits(self.gives_up)
    }
}

impl Actor for Supervisor {
    type Message = ToSupervisor;

    fn receive(
        &mut self,
        received: Received<ToSupervisor>,
        context: &mut Context<'_, Self>,
    ) -> Then {
        match received {
            Received::Message(ToSupervisor::Connected(client)) => {
                self.start_connection(client, context);
            }
            Received::Message(ToSupervisor::Exited { number, exit }) => {
                self.exited(number, exit, context);
            }
            Received::Message(ToSupervisor::FileActorExited { words, restart }) => {
                if self.may_restart("file actor", &words, context.worker.now) {
                    self.plan.file_actors.counters.restarted();
                    // Its thread waits for nothing else.
                    let _ = restart.try_send(());
                }
            }
            Received::Signals(signals) => {
                if !std::mem::replace(&mut self.has_begun, true)
                    && let Err(error) = self.start_acceptor(context.own)
                {
                    self.plan.known.scheduler.shut(Err(error));
                }
                if signals.is_overdue {
                    self.gives_up = Some(context.worker.now + GRACE);
                }
                if signals.is_stopping || signals.is_overdue {
                    let signals = Signals {
                        is_stopping: signals.is_stopping,
                        is_overdue: signals.is_overdue,
                        ..Signals::none()
                    };
                    let scheduler = &self.plan.known.scheduler;
                    scheduler.signal_others(context.own.number(), signals);
                }
            }
        }
        self.then(context)
    }
}
