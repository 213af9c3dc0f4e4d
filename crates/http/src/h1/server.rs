//! The server's end of a connection. Everything that changes its state is in this file.

mod relay;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::h1::chunked::Dropped;
use crate::h1::encode::Manner;
use crate::h1::exchange::Exchange;
use crate::h1::lifetime::{Lifetime, Next};
use crate::h1::scratch::{Finished, Scratch};
use crate::h1::want::{Phase, Want};
use crate::semantics::decision::Decision;
use crate::semantics::entity::Entity;
use crate::semantics::request::Request;
use crate::semantics::respond::{Found, respond};
use crate::semantics::response::Response;
use crate::semantics::status::Status;
use crate::semantics::target::Target;

/// One connection, seen from the server.
///
/// [`want`](Connection::want) says what is to be done, and one of the other methods says that it
/// was done:
///
/// ```text
/// want        then
/// Request     receive | end_of_input
/// Find        found | refuse; or take_request, and then found, answer_with or relay
/// Load        loaded | failed | refuse
/// Send        sent | failed; of what is relayed, begin_piece before and end_of_body at last
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
    lifetime: Lifetime,
    step: Step,
    /// The driver was given input back: the next request has begun to come.
    unread: bool,
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

impl From<Next> for Step {
    fn from(next: Next) -> Step {
        match next {
            Next::Request => Step::Head,
            Next::Linger => Step::Linger,
            Next::Close => Step::Close,
        }
    }
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
        self.lifetime.end();
        match self.step {
            Step::Head if self.is_blank() => self.abandon(scratch),
            Step::Head | Step::Body => self.cut_short(Status::BadRequest, scratch),
            Step::Linger => self.step = Step::Close,
            Step::Find | Step::Load | Step::Send | Step::Close => {}
        }
    }

    /// What has come is no request of HTTP, as whoever looked at it before this connection did knows: 400, and the end.
    pub fn reject(&mut self, scratch: &mut Scratch) {
        if self.step == Step::Head {
            self.fatal(Status::BadRequest, scratch);
        }
    }

    /// The deadline of [`phase`](Connection::phase) has passed: a request that has begun is
    /// answered with 408, anything else ends the connection. An idle one is not closed in stages: its
    /// client has had all that time to read the last answer.
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
        self.lifetime.finish();
        if self.step == Step::Head && self.is_idle() {
            self.step = match self.lifetime.is_fresh() {
                true => Step::Close,
                false => self.lifetime.next().into(),
            };
        }
    }

    /// Which file the request means. Only while [`want`](Connection::want) is [`Want::Find`];
    /// otherwise it is the root.
    #[inline]
    pub fn target(&self) -> &Target {
        static ROOT: Target = Target::ROOT;
        self.request().map_or(&ROOT, Request::target)
    }

    /// The request that is being answered, once its head is whole.
    #[inline]
    pub fn request(&self) -> Option<&Request> {
        let exchange = self.exchange.as_deref()?;
        exchange.decision.is_some().then_some(&exchange.request)
    }

    /// The file that [`target`](Connection::target) names, or why there is none.
    pub fn found(&mut self, found: Found<'_>, scratch: &mut Scratch) {
        if self.step != Step::Find {
            return;
        }
        let manner = self.manner();
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return;
        };
        let (now, max_ranges) = (scratch.stamp.now(), scratch.config.max_ranges);
        let response = respond(&exchange.request, found, now, max_ranges);
        match exchange.delivery.take_on(&response) {
            Some(first) if !manner.head_only => {
                self.rest = first;
                self.step = Step::Load;
            }
            _ => {
                scratch.encode(&response, manner);
                let status = response.status.code();
                self.end(status, scratch);
            }
        }
    }

    /// The first of the bytes of [`Want::Load`] are at hand. `entity` is the one that was found.
    ///
    /// The head of the answer is handed over here, and not before, so that a load that fails can
    /// still be answered.
    pub fn loaded(&mut self, entity: &Entity, scratch: &mut Scratch) {
        if self.step != Step::Load {
            return;
        }
        self.step = Step::Send;
        let manner = self.manner();
        if let Some(exchange) = self.exchange.as_deref_mut() {
            let Scratch { out, stamp, .. } = scratch;
            let Exchange {
                request, delivery, ..
            } = exchange;
            delivery.open(&self.rest, request, entity, (manner, stamp), out);
        }
    }

    /// The bytes of [`Want::Load`] or [`Want::Send`] cannot be had: 500 if the answer has not
    /// begun. Otherwise the connection is closed short, which is the only way left to say so.
    pub fn failed(&mut self, scratch: &mut Scratch) {
        if self.step != Step::Find {
            self.give_up(Status::InternalServerError, scratch);
        }
    }

    /// The server has too much to do to find or load the file: 503, to come back in a second, if the
    /// answer has not begun. Otherwise as [`failed`](Connection::failed).
    pub fn refuse(&mut self, scratch: &mut Scratch) {
        self.give_up(Status::ServiceUnavailable, scratch);
    }

    fn give_up(&mut self, status: Status, scratch: &mut Scratch) {
        let begun = |exchange: &Exchange| exchange.delivery.has_begun();
        match self.step {
            Step::Find => self.page(status, scratch),
            Step::Load if !self.exchange.as_deref().is_some_and(begun) => {
                self.page(status, scratch)
            }
            Step::Load | Step::Send => self.abandon(scratch),
            _ => {}
        }
    }

    /// So many of the bytes of [`Want::Send`] have been put on the socket. If some are left, they
    /// are to be loaded next.
    pub fn sent(&mut self, bytes: u64, scratch: &mut Scratch) {
        if self.step != Step::Send {
            return;
        }
        debug_assert!(
            bytes <= self.rest.end - self.rest.start,
            "more was sent than wanted"
        );
        self.rest.start = self.rest.start.saturating_add(bytes).min(self.rest.end);
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return;
        };
        if exchange.delivery.relayed().is_some() {
            return self.sent_of_relayed(scratch);
        }
        self.step = Step::Load;
        if self.rest.start < self.rest.end {
            return;
        }
        match exchange.delivery.next(&exchange.request, &mut scratch.out) {
            Some(next) => self.rest = next,
            None => {
                let status = exchange.delivery.status();
                self.end(status, scratch);
            }
        }
    }

    fn receive_head(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        if input.is_empty() {
            return 0;
        }
        let exchange = self.exchange.get_or_insert_with(|| scratch.lend());
        let taken = exchange.receive_head(input, &scratch.config);
        if exchange.decision.is_none() {
            return taken;
        }
        self.lifetime.begin(&exchange.head, &scratch.config);
        if exchange.head.body.is_some() {
            self.step = Step::Body;
            return taken + self.receive_body(&input[taken..], scratch);
        }
        self.gives_back(input.len() - taken);
        self.act(scratch);
        taken
    }

    fn receive_body(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return 0;
        };
        match exchange.receive_body(input) {
            Dropped::All => return input.len(),
            Dropped::Ended(taken) => {
                self.gives_back(input.len() - taken);
                self.act(scratch);
                return taken;
            }
            Dropped::Broken => self.fatal(Status::BadRequest, scratch),
            Dropped::TooLarge => {
                exchange.decision = exchange.decision.map(Decision::on_large_body);
                self.act(scratch);
            }
        }
        input.len()
    }

    /// So many bytes behind the request go back to the driver.
    fn gives_back(&mut self, bytes: usize) {
        self.unread |= bytes > 0;
    }

    /// The request is whole, or as whole as it will get: carries the decision out.
    fn act(&mut self, scratch: &mut Scratch) {
        match self
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.decision)
        {
            Some(Decision::Find) => self.step = Step::Find,
            Some(Decision::Options) => self.answer(&Response::options(), scratch),
            Some(Decision::Refuse(status)) => self.page(status, scratch),
            Some(Decision::Fatal(status)) => self.fatal(status, scratch),
            None => {}
        }
    }

    fn page(&mut self, status: Status, scratch: &mut Scratch) {
        self.answer(&Response::page(status), scratch);
    }

    /// Gives an answer that is whole with its head.
    fn answer(&mut self, response: &Response<'_>, scratch: &mut Scratch) {
        let manner = self.manner();
        scratch.encode(response, manner);
        self.end(response.status.code(), scratch);
    }

    /// Answers with an error after which nobody can tell where the next request begins, or whether
    /// one comes.
    fn fatal(&mut self, status: Status, scratch: &mut Scratch) {
        self.lifetime.close();
        self.page(status, scratch);
    }

    /// The request will not become whole.
    fn cut_short(&mut self, status: Status, scratch: &mut Scratch) {
        if let (Step::Head, Some(exchange)) = (self.step, &mut self.exchange) {
            exchange.cut_short();
        }
        self.fatal(status, scratch);
    }

    /// How the present answer is to be given. From here on it is settled whether it is the last.
    fn manner(&mut self) -> Manner {
        let exchange = self.exchange.as_deref();
        let old = exchange.is_some_and(|exchange| exchange.head.old);
        Manner {
            persistence: self.lifetime.settle(old),
            head_only: exchange.is_some_and(|exchange| exchange.head_only),
        }
    }

    /// The answer has been handed over.
    fn end(&mut self, status: u16, scratch: &mut Scratch) {
        scratch.finished.push(Finished { status });
        self.give_back(scratch);
        self.step = self.lifetime.next().into();
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
            Some(exchange) => exchange.is_blank(),
        }
    }
}
