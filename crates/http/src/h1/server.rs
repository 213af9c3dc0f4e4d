//! The server's end of a connection.
//!
//! Everything that changes its state is in this module: here what it is and how it ends, in
//! `reading` how a request comes in, in `answering` how a file goes out.

mod answering;
mod reading;

use std::ops::Range;

use crate::h1::encode::{Manner, Persistence};
use crate::h1::exchange::Exchange;
use crate::h1::scan;
use crate::h1::scratch::{Finished, Scratch};
use crate::h1::want::{Phase, Want};
use crate::semantics::status::Status;
use crate::semantics::target::Target;
use crate::semantics::verdict::Verdict;

/// One connection, seen from the server.
///
/// [`want`](Connection::want) says what is to be done, and one of the other methods says that it
/// was done:
///
/// ```text
/// want        then
/// Request     receive | end_of_input
/// Find        found | refuse
/// Load        loaded | failed | refuse
/// Send        sent | failed
/// Linger      (the driver's own)
/// Close       (the driver's own)
/// ```
///
/// At any time: `want`, `phase`, [`finish`](Connection::finish), [`expire`](Connection::expire),
/// and [`end_of_input`](Connection::end_of_input) once all input has been received. A call out of
/// turn changes nothing. After each call, [`Scratch::out`] may hold bytes to send; they go before
/// everything that is wanted next.
///
/// An idle connection owns no memory beyond these few bytes. A cut head is kept inside until it is
/// whole.
#[derive(Debug, Default)]
pub struct Connection {
    exchange: Option<Box<Exchange>>,
    /// What is left of the present part of the file.
    rest: Range<u64>,
    /// Requests that have been begun.
    requests: u64,
    step: Step,
    /// The answer to the present request is the last.
    close: bool,
    /// The present request is of HTTP/1.0.
    old: bool,
    /// The present request is a HEAD.
    head_only: bool,
    /// The head of the present part, and so that of the answer, has been handed over.
    opened: bool,
    /// The server is stopping.
    finishing: bool,
    /// The client has shut its write side.
    ended: bool,
    /// Input lies unread: the driver was given some back, or more of the request is on its way.
    unread: bool,
    /// The client does not wait for an answer before it asks again.
    pipelines: bool,
    /// The client has said that the present request is its last.
    last: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Head,
    Body,
    Find,
    Load,
    Send,
    Linger,
    Close,
}

impl Connection {
    /// A connection on which nothing has come.
    pub fn new() -> Connection {
        Connection::default()
    }

    /// What is to be done next.
    #[inline]
    pub fn want(&self) -> Want {
        match self.step {
            Step::Head | Step::Body => Want::Request,
            Step::Find => Want::Find,
            Step::Load => Want::Load(self.rest.clone()),
            Step::Send => Want::Send(self.rest.clone()),
            Step::Linger => Want::Linger,
            Step::Close => Want::Close,
        }
    }

    /// Which deadline applies.
    #[inline]
    pub fn phase(&self) -> Phase {
        match self.step {
            Step::Head if self.is_idle() => Phase::Idle,
            Step::Head | Step::Body => Phase::Request,
            Step::Find | Step::Load | Step::Send | Step::Close => Phase::Answer,
            Step::Linger => Phase::Linger,
        }
    }

    /// Takes bytes as they came, and returns how many it took. Fewer than given: a request is
    /// complete, and the rest belongs to the next; keep it, and offer it again when
    /// [`want`](Connection::want) is [`Want::Request`] again.
    ///
    /// Only while `want()` is [`Want::Request`]; otherwise nothing is taken, or, once only closing
    /// is left, everything, to be dropped.
    pub fn receive(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        match self.step {
            Step::Head => {
                self.unread = false;
                self.receive_head(input, scratch)
            }
            Step::Body => self.receive_body(input, scratch),
            Step::Find | Step::Load | Step::Send => 0,
            Step::Linger | Step::Close => input.len(),
        }
    }

    /// The client shut its write side, all earlier bytes having been received. The answer under way
    /// is still sent; a request that is cut short is answered with 400.
    pub fn end_of_input(&mut self, scratch: &mut Scratch) {
        self.ended = true;
        match self.step {
            Step::Head if self.is_blank() => self.abandon(scratch),
            Step::Head | Step::Body => self.cut_short(Status::BadRequest, scratch),
            Step::Linger => self.step = Step::Close,
            Step::Find | Step::Load | Step::Send | Step::Close => {}
        }
    }

    /// The deadline of [`phase`](Connection::phase) has passed: a request that has begun is
    /// answered with 408, anything else ends the connection.
    pub fn expire(&mut self, scratch: &mut Scratch) {
        if self.phase() == Phase::Request {
            self.cut_short(Status::RequestTimeout, scratch);
        } else {
            self.abandon(scratch);
        }
    }

    /// The server is stopping: an idle connection closes. Otherwise the answer under way, or that
    /// to the request which has begun to come, is the last.
    pub fn finish(&mut self) {
        self.finishing = true;
        if self.step == Step::Head && self.is_idle() {
            self.step = Step::Close;
        }
    }

    /// Which file the request means. Only while [`want`](Connection::want) is [`Want::Find`];
    /// otherwise it is the root.
    pub fn target(&self) -> &Target {
        static ROOT: Target = Target::ROOT;
        self.exchange
            .as_ref()
            .map_or(&ROOT, |exchange| &exchange.target)
    }

    /// The request is whole, or as whole as it will get: carries the verdict out.
    fn act(&mut self, scratch: &mut Scratch) {
        match self.exchange.as_ref().and_then(|exchange| exchange.verdict) {
            Some(Verdict::Find) => self.step = Step::Find,
            Some(Verdict::Options) => {
                scratch.options(self.manner().persistence);
                self.end(Status::NoContent, scratch);
            }
            Some(Verdict::Refuse(status)) => self.page(status, scratch),
            Some(Verdict::Fatal(status)) => self.fatal(status, scratch),
            None => {}
        }
    }

    fn page(&mut self, status: Status, scratch: &mut Scratch) {
        scratch.page(status, self.manner());
        self.end(status, scratch);
    }

    /// Answers with an error after which nobody can tell where the next request begins, or whether
    /// one comes.
    fn fatal(&mut self, status: Status, scratch: &mut Scratch) {
        self.close = true;
        self.unread = true;
        self.page(status, scratch);
    }

    /// The request will not become whole.
    fn cut_short(&mut self, status: Status, scratch: &mut Scratch) {
        if self.step == Step::Head {
            let head = self.exchange.as_ref().map(|exchange| &exchange.head[..]);
            self.head_only = head.is_some_and(scan::begins_head_request);
        }
        self.fatal(status, scratch);
    }

    /// How the present answer is to be given. From here on it is settled whether it is the last.
    fn manner(&mut self) -> Manner {
        self.close |= self.finishing;
        Manner {
            persistence: match (self.close, self.old) {
                (true, _) => Persistence::Closed,
                (false, true) => Persistence::Granted,
                (false, false) => Persistence::Kept,
            },
            head_only: self.head_only,
        }
    }

    /// The answer has been handed over.
    fn end(&mut self, status: Status, scratch: &mut Scratch) {
        scratch.finished.push(Finished {
            status: status.code(),
        });
        self.give_back(scratch);
        self.step = if !(self.close || self.finishing || self.ended) {
            Step::Head
        } else if self.more_may_come() {
            Step::Linger
        } else {
            Step::Close
        };
    }

    /// Whether closing could meet input that is unread or under way, which would destroy the answer. It could with every client
    /// who has not said that it is done, but who waits for each answer has read that it is the last before it asks again; to
    /// wait for its leave would hold a descriptor, or a worker, for nothing.
    fn more_may_come(&self) -> bool {
        !self.ended && (self.unread || (self.pipelines && !self.last))
    }

    /// Ends the connection without a further word.
    fn abandon(&mut self, scratch: &mut Scratch) {
        self.give_back(scratch);
        self.step = Step::Close;
    }

    fn give_back(&mut self, scratch: &mut Scratch) {
        if let Some(exchange) = self.exchange.take() {
            scratch.give_back(exchange);
        }
    }

    /// Whether nothing of a request has come that is not answered yet.
    fn is_idle(&self) -> bool {
        self.is_blank() && !self.unread
    }

    /// Whether nothing of a request is kept, an empty line apart.
    fn is_blank(&self) -> bool {
        match &self.exchange {
            None => true,
            Some(exchange) => exchange.scan.is_blank(),
        }
    }
}
