//! The driver for whoever hands operations to the kernel and is told when they are complete: a session that does no I/O, and is never
//! asked whether anything is ready.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use meter::Event;
use rustix::io::Errno;

use crate::listener::Client;
use crate::session::work::Calls;
use crate::session::{Next, Output, SendError, Session};
use crate::timing::Timer;
use crate::worker::Worker;
use crate::{Done, transport};

/// What a session needs next.
#[derive(Debug)]
pub enum Turn {
    /// To be sent, and to come back by [`sent`](CompletionEndpoint::sent).
    Send(Output),
    /// Calls to be made, which come back by [`done`](CompletionEndpoint::done) as a whole; and what is to be sent meanwhile.
    Calls(Calls, Option<Output>),
    /// Bytes from its client, whenever they come.
    Receives,
    /// That what is out comes back.
    Waits,
    /// A turn, when others have had theirs.
    Yields,
    /// Nothing: it is over.
    Closed,
}

/// A connection of a completion loop: a session, and what has come for it that it has not taken.
#[derive(Debug)]
pub struct CompletionEndpoint {
    client: Client,
    session: Session,
    timer: Timer,
    readable_at: Instant,
    /// What came while the session was not to receive.
    unread: Vec<u8>,
    /// What comes behind that.
    input: Input,
    /// The deadline has passed.
    is_late: bool,
    /// The session knows that the server is stopping.
    is_finishing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
    Broken,
}

impl CompletionEndpoint {
    /// For a connection that has just been accepted.
    pub fn new(client: Client, worker: &Worker) -> Self {
        Self {
            client,
            session: worker.session(),
            timer: Timer::new(worker.now),
            readable_at: worker.now,
            unread: Vec::new(),
            input: Input::Open,
            is_late: false,
            is_finishing: false,
        }
    }

    /// Its socket.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.client.socket.as_fd()
    }

    /// As [`Session::is_multiplexed`].
    pub fn is_multiplexed(&self) -> bool {
        self.session.is_multiplexed()
    }

    /// How much is kept that its session has not taken: whoever receives for it should cease to while this is much.
    pub fn unread(&self) -> usize {
        self.unread.len()
    }

    /// Whether anything may still come.
    pub fn has_more_input(&self) -> bool {
        self.input == Input::Open
    }

    /// Nothing comes any more: the client has sent its last byte.
    pub fn ended(&mut self) {
        self.input = Input::Ended;
    }

    /// Nothing comes any more: the connection broke.
    pub fn broken(&mut self) {
        self.input = Input::Broken;
    }

    /// Whether its session has yet to know that the server is stopping, before which nothing may be under way that receives for it:
    /// only then is it certain that no request lies unread.
    pub fn is_to_finish(&self, worker: &Worker) -> bool {
        worker.is_stopping() && !self.is_finishing
    }

    /// Runs its session, for which `bytes` have come, until it needs something. `is_received_for`: more may be on its way here.
    pub fn advance(&mut self, bytes: &[u8], is_received_for: bool, worker: &mut Worker) -> Turn {
        self.take_up(bytes, worker);
        let turn = loop {
            let listens = self.session.is_to_listen();
            if listens && (worker.buffers.has_rest() || self.refill(worker)) {
                worker.parse(&mut self.session);
            }
            match worker.next_of(&mut self.session) {
                Next::Receive => {
                    if worker.buffers.has_rest() || self.refill(worker) {
                        worker.parse(&mut self.session);
                        self.is_finishing |= worker.is_stopping();
                        continue;
                    }
                    match self.input {
                        Input::Ended => self.session.end_of_input(&mut worker.buffers.scratch),
                        Input::Broken => self.session.broken(&mut worker.buffers.scratch),
                        Input::Open if self.is_to_finish(worker) && !is_received_for => {
                            self.receive_what_is_left(worker);
                        }
                        Input::Open => break Turn::Receives,
                    }
                }
                Next::Send(output) => break Turn::Send(output),
                Next::Work(work) => match work.begin(&worker.files, worker.now) {
                    Ok(done) => self.session.done(done, &mut worker.buffers.scratch),
                    Err(calls) => {
                        let collected = self.session.collected(&mut worker.buffers.scratch);
                        break Turn::Calls(calls, collected);
                    }
                },
                Next::ShutdownWrite => self.client.shutdown_write(),
                Next::Yield => break Turn::Yields,
                Next::Wait => break Turn::Waits,
                Next::Closed => break Turn::Closed,
            }
        };
        self.put_down(worker);
        turn
    }

    fn take_up(&mut self, bytes: &[u8], worker: &mut Worker) {
        if !bytes.is_empty() {
            self.readable_at = worker.now;
            if self.unread.is_empty() && bytes.len() <= worker.buffers.input.len() {
                worker.buffers.input[..bytes.len()].copy_from_slice(bytes);
                worker.buffers.rest = 0..bytes.len();
            } else {
                self.keep(bytes, worker);
            }
        }
        if std::mem::take(&mut self.is_late) {
            self.session.expire(&mut worker.buffers.scratch);
        }
    }

    /// Takes of what was kept; whether there was anything.
    fn refill(&mut self, worker: &mut Worker) -> bool {
        let count = self.unread.len().min(worker.buffers.input.len());
        if count == 0 {
            return false;
        }
        worker.buffers.input[..count].copy_from_slice(&self.unread[..count]);
        worker.buffers.rest = 0..count;
        if count == self.unread.len() {
            // Whoever is idle owns no buffer.
            let buffer = std::mem::take(&mut self.unread);
            worker.buffers.give_back(buffer);
        } else {
            self.unread.drain(..count);
        }
        true
    }

    fn keep(&mut self, bytes: &[u8], worker: &mut Worker) {
        if self.unread.capacity() == 0 {
            self.unread = worker.buffers.spare();
        }
        self.unread.extend_from_slice(bytes);
    }

    fn put_down(&mut self, worker: &mut Worker) {
        worker.account(self.readable_at, &mut self.timer);
        if worker.buffers.has_rest() {
            if self.unread.capacity() == 0 {
                self.unread = worker.buffers.spare();
            }
            let rest = worker.buffers.input[worker.buffers.rest.clone()].iter();
            self.unread.splice(..0, rest.copied());
            worker.buffers.rest = 0..0;
        }
        if let Some(phase) = self.session.phase() {
            self.timer.note(phase, worker.now);
        }
        self.session.rest(&worker.buffers.scratch);
    }

    /// Asks the socket itself, once, when the server is stopping and nobody receives for it: what lies there may be a request.
    fn receive_what_is_left(&mut self, worker: &mut Worker) {
        match transport::receive(&self.client.socket, &mut worker.buffers.input) {
            Ok(0) => self.input = Input::Ended,
            Ok(count) => {
                worker.buffers.rest = 0..count;
                self.readable_at = worker.now;
            }
            Err(Errno::AGAIN) => {
                self.is_finishing = true;
                self.session.finish();
            }
            Err(_) => self.input = Input::Broken,
        }
    }

    /// So many bytes of an output that is out have left.
    pub fn progress(&mut self, bytes: usize, worker: &Worker) {
        worker.counters.count(Event::Byte, bytes as u64);
        self.timer.restart(worker.now);
    }

    /// An output is back, of which so many bytes have left.
    pub fn sent(&mut self, output: Output, sent: Result<usize, SendError>, worker: &mut Worker) {
        self.session.sent(output, sent, &mut worker.buffers.scratch);
        worker.account(self.readable_at, &mut self.timer);
    }

    /// A work is done. The time that it took is not the client's.
    pub fn done(&mut self, done: Done, worker: &mut Worker) {
        self.timer.restart(worker.now);
        self.session.done(done, &mut worker.buffers.scratch);
    }

    /// When its client is to be looked at; never while somebody works for it.
    pub fn next_look(&self, worker: &Worker) -> Option<Instant> {
        self.session.phase()?;
        Some(self.timer.next_look(worker.now, &worker.options))
    }

    /// Looks at the client; whether its time is over, and the endpoint has to be advanced.
    pub fn look(&mut self, worker: &Worker) -> bool {
        let unacknowledged = match self.timer.phase() {
            http::Phase::Answer => self.client.unacknowledged(),
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
}
