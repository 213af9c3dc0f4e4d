//! The driver for whoever must not wait: a session at a socket that is asked only when it may be ready.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meter::Event;
use rustix::io::Errno;

use crate::interest::{Interest, Readiness};
use crate::listener::Client;
use crate::session::{Done, Next, Output, Session, Work};
use crate::timing::Timer;
use crate::transport::Transport;
use crate::worker::Worker;

/// How long an event loop puts aside a connection that [lingers](Progress::Lingers), and does not listen to it. Its client will have gone by
/// then, as nearly all do as soon as they have read the answer: to hear of that at once is not worth a wake-up, which costs more than all
/// else that ending a connection takes.
pub const ASIDE: Duration = Duration::from_millis(10);

/// How far a session got.
#[derive(Debug)]
pub enum Progress {
    /// To this work, which is for the architecture to place.
    Work(Work),
    /// It waits, for its client or for works that are out.
    Waits,
    /// It has just said all, and waits for its client's end, which comes at once as a rule.
    Lingers,
    /// It could go on but lets others go first.
    Yields,
    /// It is over.
    Closed,
}

/// A connection of an event loop: a session, what carries it (a socket of the kernel's, as a rule), and what the network has said of
/// that.
#[derive(Debug)]
pub struct Endpoint<T = Arc<Client>> {
    transport: T,
    session: Session,
    readiness: Readiness,
    timer: Timer,
    readable_at: Instant,
    /// What was read but not yet received by the session, while an answer waits.
    unread: Vec<u8>,
    /// The deadline has passed.
    is_late: bool,
    /// The session knows that the server is stopping.
    is_finishing: bool,
}

impl Endpoint {
    /// Its socket.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.transport.socket.as_fd()
    }

    /// As [`Client::may_stay`], and nobody waits for the server to end.
    pub fn may_stay(&self) -> bool {
        !self.is_finishing && self.transport.may_stay()
    }
}

impl<T: Transport> Endpoint<T> {
    /// For a connection that has just been accepted, of which it is taken that something has been sent already.
    pub fn new(transport: T, worker: &Worker) -> Self {
        Self {
            transport,
            session: worker.session(),
            readiness: Readiness {
                readable: true,
                writable: true,
                ..Readiness::default()
            },
            timer: Timer::new(worker.now),
            readable_at: worker.now,
            unread: Vec::new(),
            is_late: false,
            is_finishing: false,
        }
    }

    /// What carries it.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// What it takes the network to have said of its socket.
    #[inline]
    pub fn readiness(&self) -> Readiness {
        self.readiness
    }

    /// Looks whether its client has gone, with its next turn, though nobody has said so.
    pub fn look_for_end(&mut self) {
        self.readiness.readable = true;
    }

    /// Takes note of what the network says. Tells whether it is news: an endpoint at rest waits for something that it does not
    /// take to be so.
    #[inline]
    pub fn ready(&mut self, readiness: Readiness) -> bool {
        self.readiness.add(readiness)
    }

    /// What it waits for.
    #[inline]
    pub fn interest(&self) -> Interest {
        Interest {
            readable: !self.readiness.readable,
            writable: !self.readiness.writable,
        }
    }

    /// Runs its session until that would have to wait, or has had its turn.
    pub fn advance(&mut self, worker: &mut Worker) -> Progress {
        self.take_up(worker);
        let progress = loop {
            self.listen(worker);
            match worker.next_of(&mut self.session) {
                Next::Receive => {
                    if !worker.buffers.has_rest() && !self.receive(worker) {
                        break Progress::Waits;
                    }
                    self.parse(worker);
                }
                Next::Send(output) => {
                    if !self.send(output, worker) {
                        break Progress::Waits;
                    }
                }
                Next::Work(work) => {
                    self.send_collected(worker);
                    break Progress::Work(work);
                }
                Next::ShutdownWrite => {
                    self.shutdown_write();
                    if !self.readiness.readable {
                        break Progress::Lingers;
                    }
                }
                Next::Yield => break Progress::Yields,
                Next::Wait => break Progress::Waits,
                Next::Closed => break Progress::Closed,
            }
        };
        if matches!(progress, Progress::Work(_)) {
            // A loop that waits for the disk itself comes straight back, and its turn goes on.
            self.put_down(worker);
        } else {
            self.rest(worker);
        }
        progress
    }

    /// Begins to work on it: what it kept of its input is in the worker's buffers now.
    #[inline]
    pub fn take_up(&mut self, worker: &mut Worker) {
        if !self.unread.is_empty() {
            let unread = std::mem::take(&mut self.unread);
            worker.buffers.input[..unread.len()].copy_from_slice(&unread);
            worker.buffers.rest = 0..unread.len();
        }
        if std::mem::take(&mut self.is_late) {
            self.session.expire(&mut worker.buffers.scratch);
        }
    }

    /// Ceases to work on it, so that others have their turn: what is left of its input goes along, and its time begins to run.
    #[inline]
    pub fn rest(&mut self, worker: &mut Worker) {
        self.put_down(worker);
        self.session.rest(&worker.buffers.scratch);
    }

    /// Gives it to somebody else to be worked on, with its input and whatever is collected: its turn begins anew there.
    pub fn hand_over(&mut self) {
        self.session.begin_turn();
    }

    #[inline]
    fn put_down(&mut self, worker: &mut Worker) {
        worker.account(self.readable_at, &mut self.timer);
        if worker.buffers.has_rest() {
            self.unread = worker.buffers.input[worker.buffers.rest.clone()].to_vec();
            worker.buffers.rest = 0..0;
        }
        if let Some(phase) = self.session.phase() {
            self.timer.note(phase, worker.now);
        }
    }

    /// What its session needs next.
    #[inline]
    pub fn next(&mut self, worker: &mut Worker) -> Next {
        self.listen(worker);
        let next = self.session.next(&mut worker.buffers.scratch);
        worker.count_events();
        next
    }

    /// The same beyond works whose answers are in our caches, which are done at once; before any other is returned, what its session
    /// has collected is sent.
    #[inline]
    pub fn next_uncached(&mut self, worker: &mut Worker) -> Next {
        self.listen(worker);
        let next = worker.next_of(&mut self.session);
        worker.count_events();
        if let Next::Work(_) = next {
            self.send_collected(worker);
        }
        next
    }

    /// Whether its session would hear what has come, for whoever has to ask somebody else whether anything has.
    #[inline]
    pub fn is_to_listen(&mut self) -> bool {
        self.session.is_to_listen()
    }

    /// As [`Session::is_multiplexed`].
    #[inline]
    pub fn is_multiplexed(&self) -> bool {
        self.session.is_multiplexed()
    }

    /// Has its session hear what has come, where it would and something has, though something else may be next.
    #[inline]
    fn listen(&mut self, worker: &mut Worker) {
        if self.readiness.readable && !worker.buffers.has_rest() && self.session.is_to_listen() {
            self.hear(worker);
        }
    }

    /// (Not inlined: what is read for a request is, and is next to all.)
    #[inline(never)]
    fn hear(&mut self, worker: &mut Worker) {
        if self.receive(worker) {
            self.parse(worker);
        }
    }

    /// Receives what has come; false: nothing has, and it has to be waited for.
    #[inline]
    pub fn receive(&mut self, worker: &mut Worker) -> bool {
        if !self.readiness.readable && !self.is_to_finish(worker) {
            return false;
        }
        match self.transport.receive(&mut worker.buffers.input) {
            Ok(0) => self.session.end_of_input(&mut worker.buffers.scratch),
            Ok(count) => {
                worker.buffers.rest = 0..count;
                self.readable_at = worker.now;
                // A stream gives all that it has: a short read means that more has to be waited for.
                let is_short = count < worker.buffers.input.len();
                let Readiness {
                    is_ended,
                    is_urgent,
                    ..
                } = self.readiness;
                self.readiness.readable = !is_short || is_ended || is_urgent;
            }
            Err(Errno::AGAIN) => {
                (self.readiness.readable, self.readiness.is_urgent) = (false, false);
                // Only now is it certain that no request lies unread, which closing would destroy.
                if !self.is_to_finish(worker) {
                    return false;
                }
                self.is_finishing = true;
                self.session.finish();
            }
            Err(_) => self.session.broken(&mut worker.buffers.scratch),
        }
        true
    }

    /// Has the session receive what was read.
    #[inline]
    pub fn parse(&mut self, worker: &mut Worker) {
        if worker.buffers.has_rest() {
            worker.parse(&mut self.session);
            self.is_finishing |= worker.is_stopping();
        }
    }

    /// Sends an output of its session's; false: there is no room for all of it, and that has to be waited for.
    #[inline]
    pub fn send(&mut self, output: Output, worker: &mut Worker) -> bool {
        // Before the client can hear of it.
        worker.count_events();
        let sent = if self.readiness.writable {
            self.transport.send(&output, &mut worker.via).map(|sent| {
                self.readiness.writable = !sent.is_full;
                sent.bytes
            })
        } else {
            Ok(0)
        };
        if let Ok(bytes @ 1..) = sent {
            worker.counters.count(Event::Byte, bytes as u64);
            self.timer.restart(worker.now);
        }
        self.session.sent(output, sent, &mut worker.buffers.scratch);
        worker.account(self.readable_at, &mut self.timer);
        self.readiness.writable
    }

    /// Ends the sending half of the connection.
    pub fn shutdown_write(&mut self) {
        self.transport.shutdown_write();
    }

    /// Does a work whose answer is in our caches. Any other is given back, for the architecture to place, and what its session has
    /// collected is sent before that may take long.
    #[inline]
    pub fn try_kept(&mut self, mut work: Work, worker: &mut Worker) -> Option<Work> {
        if let Some(done) = work.try_kept(&worker.files, worker.now) {
            self.session.done(done, &mut worker.buffers.scratch);
            return None;
        }
        self.send_collected(worker);
        Some(work)
    }

    /// Sends what its session has collected, before a work that may take long.
    #[inline]
    fn send_collected(&mut self, worker: &mut Worker) {
        if let Some(output) = self.session.collected(&mut worker.buffers.scratch) {
            self.send(output, worker);
        }
    }

    /// A work is done. The time that it took is not the client's.
    #[inline]
    pub fn done(&mut self, done: Done, worker: &mut Worker) {
        self.timer.restart(worker.now);
        self.session.done(done, &mut worker.buffers.scratch);
    }

    /// When its client is to be looked at; never while somebody works for it.
    #[inline]
    pub fn next_look(&self, worker: &Worker) -> Option<Instant> {
        self.session.phase()?;
        Some(self.timer.next_look(worker.now, &worker.options))
    }

    /// Whether all has been said, and only its client's end is waited for.
    #[inline]
    pub fn lingers(&self) -> bool {
        self.session.phase() == Some(http::Phase::Linger)
    }

    /// Looks at the client; whether its time is over, and the endpoint has to be advanced.
    pub fn look(&mut self, worker: &Worker) -> bool {
        let unacknowledged = match self.timer.phase() {
            http::Phase::Answer => self.transport.unacknowledged(),
            _ => None,
        };
        self.is_late = self
            .timer
            .is_over(unacknowledged, worker.now, &worker.options);
        self.is_late
    }

    /// The drain deadline has passed: whatever is under way ends here.
    pub fn abandon(&mut self, worker: &mut Worker) {
        self.session.abandon(&mut worker.buffers.scratch);
        worker.account(self.readable_at, &mut self.timer);
    }

    #[inline]
    fn is_to_finish(&self, worker: &Worker) -> bool {
        worker.is_stopping() && !self.is_finishing
    }
}
