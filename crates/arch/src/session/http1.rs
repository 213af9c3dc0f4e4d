//! HTTP/1.1, one request after the other: between the protocol's state machine, which knows no file, and the works and outputs that
//! a session hands out.

use std::ops::Range;
use std::sync::Arc;

use files::{Delivery, Missing};
use http::h2::FramesSent;
use http::{Connection, Phase, Status};
use meter::Event;

use super::answer::Answer;
use super::at_hand::AtHand;
use super::found::{Caches, Document};
use super::output::Tail;
use super::protocol::{PIECE, PIECE_IN_MEMORY, Protocol, Want, piece_of};
use super::scratch::Scratch;
use super::work::{Body, Done, Outcome, Piece, Work};

/// Requests come one at a time.
const STREAM: u32 = 0;

/// A connection of HTTP/1.1.
#[derive(Debug)]
pub(super) struct Http1 {
    connection: Connection,
    gather_from: u64,
    /// Where the bytes of files have to be.
    delivery: Delivery,
    /// The file of the present answer.
    document: Option<Document>,
    at_hand: AtHand,
    /// A work is out.
    is_worked_for: bool,
    /// What was received last was not taken whole.
    has_rest: bool,
    end: End,
}

/// How far the end of the sending half is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Open,
    /// The answer under way cannot be finished.
    BrokenOff,
    /// The last answer was handed out as such.
    Announced,
    WriteShut,
}

impl End {
    /// What is wanted of a protocol that has said all: that its client's end is waited for if it `lingers`, and otherwise nothing more.
    pub(super) fn want(&mut self, lingers: bool, is_clear: bool) -> Want {
        match self {
            End::BrokenOff => Want::BreakOff,
            End::WriteShut if lingers => Want::Receive,
            _ if lingers => Want::ShutdownWrite,
            End::Open if !is_clear => {
                *self = End::Announced;
                Want::ShutdownWrite
            }
            // Before the connection is closed, which would destroy what waits to be sent if more had come meanwhile.
            End::Announced => Want::ShutdownWrite,
            _ => Want::Close,
        }
    }
}

impl Http1 {
    pub(super) fn new(gather_from: u64, delivery: Delivery) -> Self {
        Self {
            connection: Connection::new(),
            gather_from,
            delivery,
            document: None,
            at_hand: AtHand::Nothing,
            is_worked_for: false,
            has_rest: false,
            end: End::Open,
        }
    }

    /// What has come is no request at all.
    pub(super) fn reject(&mut self, scratch: &mut Scratch) {
        self.connection.reject(&mut scratch.http);
    }

    /// Collects the bytes that are at hand where they are few enough; otherwise says what else is wanted.
    #[inline]
    fn collect(&mut self, range: &Range<u64>, scratch: &mut Scratch) -> Option<Want> {
        if let AtHand::Source(source) = &mut self.at_hand {
            match source.next() {
                Piece::Ready(bytes) => {
                    self.take_piece(bytes, range.start, scratch);
                    return None;
                }
                Piece::NotYet => return Some(Want::Wait),
                Piece::End => {
                    self.at_hand = AtHand::Nothing;
                    self.connection.end_of_body(&mut scratch.http);
                    return None;
                }
                Piece::Failed => {
                    scratch.events.push(Event::UpstreamFailed);
                    self.fail(scratch);
                    return None;
                }
            }
        }
        let Some((bytes, part)) = self.at_hand.in_memory(range) else {
            return Some(match self.at_hand {
                AtHand::File { .. } => Want::Send,
                // Never: bytes are at hand before they are sent.
                _ => Want::Close,
            });
        };
        let length = part.len() as u64;
        if length >= self.gather_from {
            return Some(Want::Send);
        }
        scratch.http.out.extend_from_slice(&bytes[part]);
        self.sent(FramesSent::payload(length), scratch);
        None
    }

    /// A file was found, or not; nothing for a result that nobody asked for, here and below.
    #[inline]
    fn found(&mut self, found: Result<Document, Missing>, scratch: &mut Scratch) {
        if self.connection.want() != http::Want::Find {
            return;
        }
        match found {
            Ok(document) => {
                let entity = document.entity();
                self.connection.found(Ok(entity), &mut scratch.http);
                let wants_bytes = matches!(self.connection.want(), http::Want::Load(_));
                self.document = wants_bytes.then_some(document);
            }
            Err(missing) => {
                let missing = Err(translate(missing));
                self.connection.found(missing, &mut scratch.http);
            }
        }
    }

    /// The bytes that were wanted are at hand.
    #[inline]
    fn loaded(&mut self, body: Body, scratch: &mut Scratch) {
        let (http::Want::Load(range), Some(document)) = (self.connection.want(), &self.document)
        else {
            return;
        };
        self.at_hand = match body {
            // Asked for its bytes, and it has none: it has become shorter.
            Body::File if self.delivery == Delivery::Memory => {
                scratch.events.push(Event::Truncated);
                return self.fail(scratch);
            }
            Body::Memory { bytes, start } => AtHand::Memory { bytes, start },
            Body::File => AtHand::File {
                end: range.end.min(range.start + PIECE),
            },
            Body::Source(source) => AtHand::Source(source),
        };
        self.connection.loaded(document.entity(), &mut scratch.http);
    }

    /// The bytes that were wanted cannot be had.
    #[cold]
    fn unreadable(&mut self, scratch: &mut Scratch) {
        if let http::Want::Load(_) = self.connection.want() {
            scratch.events.push(Event::Unreadable);
            self.fail(scratch);
        }
    }

    #[inline]
    fn outcome(&mut self, outcome: Outcome, scratch: &mut Scratch) {
        match outcome {
            Outcome::Found(found) => self.found(found, scratch),
            Outcome::Loaded(Ok(body)) => self.loaded(body, scratch),
            Outcome::Loaded(Err(_)) => self.unreadable(scratch),
            // It is TLS's own.
            Outcome::Handshake(..) => {}
            Outcome::Answered(answer) => self.answered(answer, scratch),
            Outcome::Defect => {
                scratch.events.push(Event::Replaced);
                self.found(Err(Missing::Failed), scratch);
                self.unreadable(scratch);
            }
            Outcome::Refused => {
                scratch.events.push(Event::Shed);
                (self.document, self.at_hand) = (None, AtHand::Nothing);
                self.connection.refuse(&mut scratch.http);
            }
        }
    }

    /// A request that was handed over is answered.
    fn answered(&mut self, answer: Answer, scratch: &mut Scratch) {
        match answer {
            Answer::File(file) => {
                let (request, outcomes) = file.into_outcomes();
                let request = Arc::unwrap_or_clone(request);
                self.connection.give_back_request(request);
                for outcome in outcomes {
                    // Whoever answered does not know who sends: bytes that have to be in our memory are loaded once more.
                    if matches!(outcome, Outcome::Loaded(Ok(Body::File)))
                        && self.delivery == Delivery::Memory
                    {
                        continue;
                    }
                    self.outcome(outcome, scratch);
                }
            }
            Answer::Page(status) => {
                scratch.events.extend(match status {
                    Status::ServiceUnavailable => Some(Event::Shed),
                    Status::BadGateway | Status::GatewayTimeout => Some(Event::UpstreamFailed),
                    _ => None,
                });
                self.connection.answer_with(status, &mut scratch.http);
            }
            Answer::Relayed(head, body) => {
                self.connection.relay(&head, &mut scratch.http);
                if let http::Want::Send(_) = self.connection.want() {
                    self.at_hand = AtHand::Source(body);
                }
            }
        }
    }

    fn take_piece(&mut self, bytes: Arc<[u8]>, start: u64, scratch: &mut Scratch) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len() as u64;
        self.connection.begin_piece(length, &mut scratch.http);
        self.at_hand.take_piece(bytes, start);
    }

    fn fail(&mut self, scratch: &mut Scratch) {
        (self.document, self.at_hand) = (None, AtHand::Nothing);
        self.connection.failed(&mut scratch.http);
        if self.connection.want() == http::Want::Close {
            self.end = End::BrokenOff;
        }
    }
}

impl Protocol for Http1 {
    #[inline]
    fn want(&mut self, scratch: &mut Scratch) -> Want {
        loop {
            return match self.connection.want() {
                http::Want::Request if self.has_rest => Want::Rest,
                http::Want::Request => Want::Receive,
                http::Want::Find | http::Want::Load(_) if self.is_worked_for => Want::Wait,
                http::Want::Find => Want::Work,
                http::Want::Load(range) => match &self.document {
                    Some(document) if self.at_hand.has(range.start) => {
                        self.connection.loaded(document.entity(), &mut scratch.http);
                        continue;
                    }
                    Some(_) => Want::Work,
                    // Never: a file is found before it is loaded.
                    None => Want::Close,
                },
                http::Want::Send(range) => match self.collect(&range, scratch) {
                    Some(want) => want,
                    None => continue,
                },
                http::Want::Linger => self.end.want(true, scratch.is_clear()),
                http::Want::Close => self.end.want(false, scratch.is_clear()),
            };
        }
    }

    #[inline]
    fn do_kept(&mut self, caches: Caches<'_>, scratch: &mut Scratch) -> bool {
        match (self.connection.want(), &self.document) {
            (http::Want::Find, _) if !scratch.http.keeps_fields() => {
                let target = self.connection.target();
                let found = caches.find(target.path(), target.is_directory());
                found.map(|document| self.found(Ok(document), scratch))
            }
            (http::Want::Load(_), Some(document)) => {
                let body = caches.load(&document.entry, self.delivery);
                body.map(|body| self.loaded(body, scratch))
            }
            _ => None,
        }
        .is_some()
    }

    #[inline]
    fn work(&mut self, scratch: &mut Scratch) -> Option<Work> {
        let work = match (self.connection.want(), &self.document) {
            (http::Want::Find, _) if scratch.http.keeps_fields() => {
                Work::answer(STREAM, self.connection.take_request()?)
            }
            (http::Want::Find, _) => {
                let target = self.connection.target();
                let path = scratch.path(target.path());
                Work::find(STREAM, path, target.is_directory())
            }
            (http::Want::Load(range), Some(document)) => {
                let piece = range.start..range.end.min(range.start + piece_of(self.delivery));
                let entry = Arc::clone(&document.entry);
                Work::load(STREAM, entry, piece, self.delivery)
            }
            _ => return None,
        };
        self.is_worked_for = true;
        Some(work)
    }

    fn tail(&self) -> Tail {
        let http::Want::Send(range) = self.connection.want() else {
            return Tail::None;
        };
        match (
            self.at_hand.in_memory(&range),
            &self.at_hand,
            &self.document,
        ) {
            (Some((bytes, mut part)), ..) => {
                if self.delivery == Delivery::Memory {
                    part.end = part.end.min(part.start + PIECE_IN_MEMORY as usize);
                }
                Tail::Memory(Arc::clone(bytes), part)
            }
            (None, AtHand::File { end }, Some(document)) => {
                let piece = range.start..range.end.min(*end);
                Tail::File(Arc::clone(&document.entry), piece)
            }
            _ => Tail::None,
        }
    }

    fn receive(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        let taken = self.connection.receive(input, &mut scratch.http);
        self.has_rest = taken < input.len();
        taken
    }

    fn end_of_input(&mut self, scratch: &mut Scratch) {
        self.has_rest = false;
        self.connection.end_of_input(&mut scratch.http);
    }

    fn sent(&mut self, sent: FramesSent, scratch: &mut Scratch) {
        self.connection.sent(sent.payload, &mut scratch.http);
        let (http::Want::Load(range) | http::Want::Send(range)) = self.connection.want() else {
            (self.document, self.at_hand) = (None, AtHand::Nothing);
            return;
        };
        self.at_hand.left_up_to(range.start);
    }

    #[inline]
    fn done(&mut self, done: Done, scratch: &mut Scratch) {
        if done.stream != STREAM || !std::mem::take(&mut self.is_worked_for) {
            return;
        }
        if !done.path.is_empty() {
            scratch.give_back_path(done.path);
        }
        self.outcome(done.outcome, scratch);
    }

    fn write_was_shut(&mut self) {
        self.end = End::WriteShut;
    }

    fn phase(&self) -> Phase {
        self.connection.phase()
    }

    fn expire(&mut self, scratch: &mut Scratch) {
        self.connection.expire(&mut scratch.http);
    }

    fn finish(&mut self) {
        self.connection.finish();
    }

    fn is_worked_for(&self) -> bool {
        self.is_worked_for
    }
}

/// In the words of the protocol.
pub(super) fn translate(missing: Missing) -> http::Missing {
    match missing {
        Missing::NotFound => http::Missing::NotFound,
        Missing::Forbidden => http::Missing::Forbidden,
        Missing::NeedsSlash => http::Missing::NeedsSlash,
        Missing::Busy => http::Missing::Busy,
        Missing::Failed => http::Missing::Failed,
    }
}
