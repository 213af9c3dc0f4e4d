//! What an actor is, and the cell that it lives in: its mailbox, and whether it runs.
//!
//! A cell gives its actor away to the worker that runs it, and has it back when it comes to rest; so two workers can never have one
//! actor, and what an actor owns needs no lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arch::{Readiness, Worker};

use crate::mailbox::{Kind, Mailbox, Waiter};
use crate::scheduler::{NEVER, Number, Scheduler};
use crate::supervisor::{Exit, Parent};

/// Whoever owns its state alone and is told one thing at a time.
pub(crate) trait Actor: Sized + Send + 'static {
    /// What others tell it.
    type Message: Send;

    /// Takes one message, or the signals that have come, and says what it does then. It never waits here.
    fn receive(
        &mut self,
        received: Received<Self::Message>,
        context: &mut Context<'_, Self>,
    ) -> Then;

    /// One has had a defect and is over: what it has left with the worker that ran it is mended.
    fn died(_: &mut Worker) {}
}

/// What an actor receives.
pub(crate) enum Received<M> {
    /// From another actor: whatever is in it belongs to the receiver.
    Message(M),
    /// From the runtime.
    Signals(Signals),
}

/// What the runtime has to say. Two signals of one kind are one: they need no place in a mailbox, and none is ever lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signals {
    /// The socket that it is watched with is ready.
    pub(crate) readiness: Readiness,
    /// The time that it waited for has come.
    pub(crate) is_due: bool,
    /// A mailbox that was full has a place.
    pub(crate) has_room: bool,
    /// It begins, or others have had their turn.
    pub(crate) is_to_go_on: bool,
    /// The server is stopping.
    pub(crate) is_stopping: bool,
    /// The drain deadline has passed.
    pub(crate) is_overdue: bool,
}

impl Signals {
    /// To begin, or to go on.
    pub(crate) const GO_ON: Self = Self {
        is_to_go_on: true,
        ..Self::none()
    };

    pub(crate) const fn none() -> Self {
        Self {
            readiness: Readiness {
                readable: false,
                writable: false,
                is_ended: false,
                is_urgent: false,
            },
            is_due: false,
            has_room: false,
            is_to_go_on: false,
            is_stopping: false,
            is_overdue: false,
        }
    }

    fn add(&mut self, other: Self) {
        self.readiness.add(other.readiness);
        self.is_due |= other.is_due;
        self.has_room |= other.has_room;
        self.is_to_go_on |= other.is_to_go_on;
        self.is_stopping |= other.is_stopping;
        self.is_overdue |= other.is_overdue;
    }
}

/// What an actor does when it has received something.
pub(crate) enum Then {
    /// It waits for more, until then at the latest.
    Waits(Option<Instant>),
    /// It could go on but lets others go first.
    Yields,
    /// It is over.
    Ends,
}

/// What an actor has while it runs.
pub(crate) struct Context<'a, A: Actor> {
    /// The thread that runs it, with what that has for whoever it runs.
    pub(crate) worker: &'a mut Worker,
    /// Its own address, to be sent along where an answer is wanted.
    pub(crate) own: &'a Arc<Cell<A>>,
}

/// An actor with its mailbox, as others know it: its address.
pub(crate) struct Cell<A: Actor> {
    inside: Mutex<Inside<A>>,
    /// When it is to be signalled that time has passed, in milliseconds since the scheduler was made.
    deadline_ms: AtomicU64,
    number: Number,
    kind: Arc<Kind>,
    scheduler: Arc<Scheduler>,
    /// Who is told of its end; nobody of the supervisor's.
    parent: Option<Arc<dyn Parent>>,
}

struct Inside<A: Actor> {
    mailbox: Mailbox<A::Message>,
    signals: Signals,
    /// Not here while it runs, nor when it is over.
    actor: Option<Box<A>>,
    /// It runs or stands in the run queue, so that whatever comes will be seen; or it is over, and nothing will.
    is_scheduled: bool,
    is_over: bool,
}

/// Messages that an actor takes before others have their turn.
const TURN: usize = 16;

impl<A: Actor> Cell<A> {
    pub(crate) fn new(
        actor: A,
        number: Number,
        places: usize,
        kind: &Arc<Kind>,
        scheduler: &Arc<Scheduler>,
        parent: Option<Arc<dyn Parent>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            inside: Mutex::new(Inside {
                mailbox: Mailbox::new(places, Arc::clone(kind)),
                signals: Signals::none(),
                actor: Some(Box::new(actor)),
                is_scheduled: false,
                is_over: false,
            }),
            deadline_ms: AtomicU64::new(NEVER),
            number,
            kind: Arc::clone(kind),
            scheduler: Arc::clone(scheduler),
            parent,
        })
    }

    pub(crate) fn number(&self) -> Number {
        self.number
    }

    /// Sends it a message.
    ///
    /// # Errors
    /// The message, where its mailbox is full; `sender` is told when there is a place.
    pub(crate) fn send(
        self: &Arc<Self>,
        message: A::Message,
        sender: Arc<dyn Waiter>,
    ) -> Result<(), A::Message> {
        let mut inside = self.inside();
        inside.mailbox.put(message, Some(sender))?;
        self.schedule(inside);
        Ok(())
    }

    /// Sends it what it expects: see [`Mailbox::put_expected`]. One that is over has no use for it.
    pub(crate) fn send_expected(self: &Arc<Self>, message: A::Message) {
        let mut inside = self.inside();
        if !inside.is_over {
            inside.mailbox.put_expected(message);
            self.schedule(inside);
        }
    }

    fn schedule(self: &Arc<Self>, mut inside: MutexGuard<'_, Inside<A>>) {
        let is_scheduled = std::mem::replace(&mut inside.is_scheduled, true);
        drop(inside);
        if !is_scheduled {
            self.scheduler.push(Arc::clone(self) as Arc<dyn Run>);
        }
    }

    /// What it is to receive next; where there is nothing, the actor comes to rest.
    fn next(&self, actor: &mut Option<Box<A>>) -> Option<Received<A::Message>> {
        let mut inside = self.inside();
        if inside.signals != Signals::none() {
            let signals = std::mem::replace(&mut inside.signals, Signals::none());
            return Some(Received::Signals(signals));
        }
        let Some((message, waiter)) = inside.mailbox.take() else {
            inside.actor = actor.take();
            inside.is_scheduled = false;
            return None;
        };
        drop(inside);
        if let Some(waiter) = waiter {
            waiter.has_room();
        }
        Some(Received::Message(message))
    }

    /// It has had its turn, and stands in the run queue again.
    fn requeue(self: &Arc<Self>, actor: Option<Box<A>>) {
        let mut inside = self.inside();
        inside.actor = actor;
        inside.signals.is_to_go_on = true;
        drop(inside);
        self.scheduler.push(Arc::clone(self) as Arc<dyn Run>);
    }

    /// What is still in its mailbox is dropped, and so is the actor, before anybody is told.
    fn end(&self, actor: Option<Box<A>>, exit: Exit) {
        self.deadline_ms.store(NEVER, SeqCst);
        drop(actor);
        let mut inside = self.inside();
        inside.is_over = true;
        let mailbox =
            std::mem::replace(&mut inside.mailbox, Mailbox::new(0, Arc::clone(&self.kind)));
        drop(inside);
        drop(mailbox);
        match &self.parent {
            Some(parent) => parent.exited(self.number, exit),
            None => self.scheduler.ended(exit),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside<A>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cell in the run queue, whatever actor is in it.
pub(crate) trait Run: Send + Sync {
    /// Runs its actor until that has nothing to do or has had its turn.
    fn run(self: Arc<Self>, worker: &mut Worker);
    /// Signals it something.
    fn signal(self: Arc<Self>, signals: Signals);
    /// When time will have passed for it.
    fn deadline_ms(&self) -> u64;
}

impl<A: Actor> Run for Cell<A> {
    fn run(self: Arc<Self>, worker: &mut Worker) {
        worker.tick();
        let started = worker.now;
        let mut actor = self.inside().actor.take();
        let mut handled = 0;
        while let Some(received) = self.next(&mut actor) {
            let Some(present) = &mut actor else {
                // Never: whoever is scheduled is in its cell.
                return;
            };
            handled += 1;
            let mut context = Context { worker, own: &self };
            // Nothing of what the actor owns is looked at after a panic.
            let then = catch_unwind(AssertUnwindSafe(|| present.receive(received, &mut context)));
            match then {
                Ok(Then::Waits(deadline)) => {
                    let deadline_ms = self.scheduler.note_deadline(deadline);
                    // In this order: either a sweep sees it here, or it is seen there that one has begun.
                    self.deadline_ms.store(deadline_ms, SeqCst);
                    self.scheduler.expect(deadline_ms);
                    if handled >= TURN {
                        self.requeue(actor.take());
                        break;
                    }
                }
                Ok(Then::Yields) => {
                    self.requeue(actor.take());
                    break;
                }
                Ok(Then::Ends) => {
                    self.end(actor.take(), Exit::Normal);
                    break;
                }
                Err(panic) => {
                    A::died(worker);
                    self.end(actor.take(), Exit::defect(&*panic));
                    break;
                }
            }
        }
        self.kind.count_handled(handled, started.elapsed());
    }

    fn signal(self: Arc<Self>, signals: Signals) {
        let mut inside = self.inside();
        if !inside.is_over {
            inside.signals.add(signals);
            self.schedule(inside);
        }
    }

    fn deadline_ms(&self) -> u64 {
        self.deadline_ms.load(SeqCst)
    }
}

impl<A: Actor> Waiter for Cell<A> {
    fn has_room(self: Arc<Self>) {
        self.signal(Signals {
            has_room: true,
            ..Signals::none()
        });
    }
}
