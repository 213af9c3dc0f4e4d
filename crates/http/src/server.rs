//! The server's end of a connection. Everything that changes its state is in this file.

use std::ops::Range;

use httparse::Header;

use crate::answer::{Manner, Persistence};
use crate::body::Dropped;
use crate::conditional::Outcome;
use crate::config::Config;
use crate::entity::Entity;
use crate::exchange::Exchange;
use crate::fields;
use crate::head::{self, Layout, Scanned};
use crate::line::{Line, Method};
use crate::quick::{self, Quick};
use crate::range::{self, Selection};
use crate::request::{Expectation, Request};
use crate::scratch::{Finished, Scratch};
use crate::status::Status;
use crate::target::Target;
use crate::verdict::Verdict;
use crate::want::{Missing, Phase, Want};

/// One connection, seen from the server.
///
/// [`want`](Connection::want) says what is to be done, and one of the other methods says that it
/// was done:
///
/// ```text
/// want        then
/// Request     receive | end_of_input
/// Find        found
/// Load        loaded | failed
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
            Step::Head
                if self
                    .exchange
                    .as_ref()
                    .is_none_or(|exchange| exchange.is_blank()) =>
            {
                self.abandon(scratch)
            }
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

    /// The file that [`target`](Connection::target) names, or why there is none.
    pub fn found(&mut self, found: Result<&Entity, Missing>, scratch: &mut Scratch) {
        if self.step != Step::Find {
            return;
        }
        let Some(mut exchange) = self.exchange.take() else {
            return;
        };
        let manner = self.manner();
        let status = match found {
            Ok(entity) => self.select(entity, &mut exchange, scratch),
            Err(Missing::NeedsSlash) => {
                scratch.redirect(&exchange.target, manner);
                Some(Status::MovedPermanently)
            }
            Err(missing) => {
                let status = missing.into();
                scratch.page(status, manner);
                Some(status)
            }
        };
        self.exchange = Some(exchange);
        if let Some(status) = status {
            self.end(status, scratch);
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
        if self.opened {
            return;
        }
        self.opened = true;
        let persistence = self.manner().persistence;
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return;
        };
        let Exchange {
            parts,
            part,
            boundary,
            ..
        } = exchange;
        match parts.as_slice() {
            [] => scratch.whole(entity, persistence),
            [only] => scratch.part(entity, only, persistence),
            parts => {
                if *part == 0 {
                    scratch.parts(entity, parts, boundary, persistence);
                }
                scratch.part_head(entity, &self.rest, boundary);
            }
        }
    }

    /// The bytes of [`Want::Load`] or [`Want::Send`] cannot be had: 500 if the answer has not
    /// begun. Otherwise the connection is closed short, which is the only way left to say so.
    pub fn failed(&mut self, scratch: &mut Scratch) {
        let begun = self.opened
            || self
                .exchange
                .as_ref()
                .is_some_and(|exchange| exchange.part > 0);
        match self.step {
            Step::Load if !begun => {
                self.page(Status::InternalServerError, scratch);
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
        self.step = Step::Load;
        if self.rest.start < self.rest.end {
            return;
        }
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return;
        };
        exchange.part += 1;
        if let Some(next) = exchange.parts.get(exchange.part) {
            self.rest = next.clone();
            self.opened = false;
            return;
        }
        let status = match exchange.parts.len() {
            0 => Status::Ok,
            1 => Status::PartialContent,
            _ => {
                scratch.parts_end(&exchange.boundary);
                Status::PartialContent
            }
        };
        self.end(status, scratch);
    }

    fn receive_head(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        if input.is_empty() {
            return 0;
        }
        let mut exchange = self.exchange.take().unwrap_or_else(|| scratch.lend());
        let config = &scratch.config;
        let kept = exchange.head.len();
        let taken = if kept == 0 {
            // A head that comes whole is read where it lies.
            let end = match self.glance(input, &mut exchange, config) {
                Some(end) => end,
                None => self.look(input, &mut exchange, config),
            };
            if exchange.verdict.is_none() {
                exchange.head.extend_from_slice(input);
            }
            end
        } else {
            // One byte more than a head may have is enough to see that it has too many.
            let room = config.max_head.saturating_add(1).saturating_sub(kept);
            let mut head = std::mem::take(&mut exchange.head);
            head.extend_from_slice(&input[..input.len().min(room)]);
            let end = self.look(&head, &mut exchange, config);
            exchange.head = head;
            end.saturating_sub(kept)
        };
        let head_is_whole = exchange.verdict.is_some();
        let has_body = exchange.body.is_some();
        self.exchange = Some(exchange);
        let rest = &input[taken..];
        if has_body {
            self.step = Step::Body;
            return taken + self.receive_body(rest, scratch);
        }
        if head_is_whole {
            self.unread |= !rest.is_empty();
            self.act(scratch);
        }
        taken
    }

    /// Looks for the end of a head in `bytes`, and reads the head if it is there. Returns how many
    /// bytes are used.
    fn look(&mut self, bytes: &[u8], exchange: &mut Exchange, config: &Config) -> usize {
        match exchange.scan.advance(bytes, config) {
            Scanned::Partial => bytes.len(),
            Scanned::Whole(Layout {
                line,
                block,
                fields,
            }) => {
                let end = block.end;
                let verdict = Line::parse(&bytes[line], config.max_target).and_then(|line| {
                    self.head_only = line.method == Method::Head;
                    fields::parse(&bytes[block], fields, |fields| {
                        self.read(line, fields, exchange, config)
                    })
                });
                exchange.verdict = Some(verdict.unwrap_or_else(Verdict::Fatal));
                end
            }
            Scanned::Broken(status) => {
                self.head_only = head::begins_head_request(bytes);
                exchange.verdict = Some(Verdict::Fatal(status));
                bytes.len()
            }
        }
    }

    /// As [`look`](Connection::look), but for a head that lies whole in `bytes` and is sound.
    /// `None`: have a closer look.
    fn glance(&mut self, bytes: &[u8], exchange: &mut Exchange, config: &Config) -> Option<usize> {
        let mut room = quick::ROOM;
        let Quick { line, fields, end } = quick::parse(bytes, &mut room, config)?;
        let verdict = self.read(line, fields, exchange, config);
        exchange.verdict = Some(verdict.unwrap_or_else(Verdict::Fatal));
        Some(end)
    }

    /// The verdict on a head. An error means that its framing is not in order.
    fn read(
        &mut self,
        line: Line<'_>,
        fields: &[Header<'_>],
        exchange: &mut Exchange,
        config: &Config,
    ) -> Result<Verdict, Status> {
        self.requests = self.requests.saturating_add(1);
        self.head_only = line.method == Method::Head;
        let request = Request::new(line, fields, &mut exchange.conditions, config)?;
        let limit = config.max_requests_per_connection;
        self.old = request.line.old;
        self.close =
            !request.persistent || !config.keep_alive || (limit > 0 && self.requests >= limit);
        let verdict = Verdict::on(&request, &mut exchange.target);
        match request.body {
            None => {}
            // The client may be waiting for leave to send the body, and may go on without it. So
            // the final status comes at once, and nobody needs to guess what the next bytes are.
            Some(_) if request.expectation != Expectation::None => {
                self.close = true;
                self.unread = true;
            }
            Some(body) if body.exceeds(config.max_body) => return Ok(verdict.on_large_body()),
            Some(_) if matches!(verdict, Verdict::Fatal(_)) => {}
            body => exchange.body = body,
        }
        Ok(verdict)
    }

    fn receive_body(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return 0;
        };
        let Some(body) = &mut exchange.body else {
            return 0;
        };
        match body.drop_from(input) {
            Dropped::All => input.len(),
            Dropped::Ended(taken) => {
                self.unread = taken < input.len();
                self.act(scratch);
                taken
            }
            Dropped::Broken => {
                self.fatal(Status::BadRequest, scratch);
                input.len()
            }
            Dropped::TooLarge => {
                exchange.verdict = exchange.verdict.map(Verdict::on_large_body);
                self.act(scratch);
                input.len()
            }
        }
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

    /// Decides what of the file is wanted. Returns the status of an answer that is complete
    /// already.
    fn select(
        &mut self,
        entity: &Entity,
        exchange: &mut Exchange,
        scratch: &mut Scratch,
    ) -> Option<Status> {
        let manner = self.manner();
        let mut wanted = None;
        if !exchange.conditions.is_empty() {
            match exchange.conditions.evaluate(entity, scratch.stamp.now()) {
                Outcome::Perform { range } => wanted = range,
                Outcome::NotModified => {
                    scratch.not_modified(entity, manner.persistence);
                    return Some(Status::NotModified);
                }
                Outcome::Failed => {
                    scratch.page(Status::PreconditionFailed, manner);
                    return Some(Status::PreconditionFailed);
                }
            }
        }
        if self.head_only || entity.len() == 0 {
            scratch.whole(entity, manner.persistence);
            return Some(Status::Ok);
        }
        self.rest = 0..entity.len();
        if let Some(range) = wanted {
            match range::select(
                range,
                entity.len(),
                scratch.config.max_ranges,
                &mut exchange.parts,
            ) {
                Selection::Whole => {}
                Selection::Parts => self.rest = exchange.parts.first().cloned().unwrap_or_default(),
                Selection::Unsatisfiable => {
                    scratch.unsatisfiable(entity, manner);
                    return Some(Status::RangeNotSatisfiable);
                }
            }
        }
        self.opened = false;
        self.step = Step::Load;
        None
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
        if let (Step::Head, Some(exchange)) = (self.step, &self.exchange) {
            self.head_only = head::begins_head_request(&exchange.head);
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
        } else if self.unread && !self.ended {
            Step::Linger
        } else {
            Step::Close
        };
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
        !self.unread
            && self
                .exchange
                .as_ref()
                .is_none_or(|exchange| exchange.is_blank())
    }
}
