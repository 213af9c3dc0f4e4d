//! HTTP/1.1, one request after the other: between the protocol's state machine, which knows no file, and the works and outputs that
//! a session hands out.

use std::ops::Range;
use std::sync::Arc;

use files::{Delivery, Missing};
use http::{Connection, Phase};
use meter::Event;

use super::output::Tail;
use super::protocol::{PIECE, Protocol, Want};
use super::scratch::Scratch;
use super::work::{Body, Document, Done, Outcome, Piece, Source, Work};

/// Requests come one at a time.
const STREAM: u32 = 0;

/// A connection of HTTP/1.1.
#[derive(Debug)]
pub(super) struct Http1 {
    connection: Connection,
    gather_from: u64,
    /// The file of the present answer.
    document: Option<Document>,
    at_hand: AtHand,
    /// A work is out.
    is_worked_for: bool,
    /// What was received last was not taken whole.
    has_rest: bool,
    end: End,
}

/// What is at hand of the file of the present answer.
#[derive(Debug)]
enum AtHand {
    Nothing,
    /// These bytes, which are the file's from `start` on.
    Memory {
        bytes: Arc<[u8]>,
        start: u64,
    },
    /// The file's up to `end`, to be sent from there.
    File {
        end: u64,
    },
    /// Nothing at present; the source is asked for more.
    Source(Box<dyn Source>),
    /// These bytes, which are the file's from `start` on, and then what the source gives.
    Piece {
        bytes: Arc<[u8]>,
        start: u64,
        source: Box<dyn Source>,
    },
}

/// How far the end of the sending half is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// The last answer was handed out as such.
    Announced,
    WriteShut,
}

impl Http1 {
    pub(super) fn new(gather_from: u64) -> Self {
        Self {
            connection: Connection::new(),
            gather_from,
            document: None,
            at_hand: AtHand::Nothing,
            is_worked_for: false,
            has_rest: false,
            end: End::Open,
        }
    }

    fn find(&mut self, scratch: &mut Scratch) -> Want {
        let target = self.connection.target();
        let path = scratch.path(target.path());
        let find = Work::find(STREAM, path, target.is_directory());
        self.is_worked_for = true;
        Want::Work(find)
    }

    /// Has bytes at hand from the start of `range` on, or asks for them.
    fn load(&mut self, range: &Range<u64>, scratch: &mut Scratch) -> Option<Want> {
        let Some(document) = &self.document else {
            // Never: a file is found before it is loaded.
            return Some(Want::Close);
        };
        let is_at_hand = match &self.at_hand {
            AtHand::Memory { bytes, start } => {
                (*start..start + bytes.len() as u64).contains(&range.start)
            }
            AtHand::Source(_) | AtHand::Piece { .. } => true,
            // By now it may be gone from memory.
            AtHand::Nothing | AtHand::File { .. } => false,
        };
        if is_at_hand {
            self.connection.loaded(document.entity(), &mut scratch.http);
            return None;
        }
        let piece = range.start..range.end.min(range.start + PIECE);
        let load = Work::load(
            STREAM,
            Arc::clone(&document.entry),
            piece,
            Delivery::PageCache,
        );
        self.is_worked_for = true;
        Some(Want::Work(load))
    }

    /// Hands out of the bytes that are at hand; nothing where they are few enough to be collected.
    fn send(&mut self, range: &Range<u64>, scratch: &mut Scratch) -> Option<Want> {
        if let AtHand::Source(source) = &mut self.at_hand {
            match source.next() {
                Piece::Ready(bytes) => self.take_piece(bytes, range.start),
                Piece::NotYet => return Some(Want::Wait),
                Piece::Failed => {
                    scratch.events.push(Event::Unreadable);
                    self.fail(scratch);
                    return None;
                }
            }
        }
        let (bytes, start) = match (&self.at_hand, &self.document) {
            (AtHand::Memory { bytes, start } | AtHand::Piece { bytes, start, .. }, _) => {
                (bytes, *start)
            }
            (AtHand::File { end }, Some(document)) => {
                let piece = range.start..range.end.min(*end);
                return Some(Want::Send(Tail::File(Arc::clone(&document.entry), piece)));
            }
            // Never: bytes are at hand before they are sent.
            _ => return Some(Want::Close),
        };
        let within = |offset: u64| {
            let offset = usize::try_from(offset.saturating_sub(start));
            offset.unwrap_or(usize::MAX).min(bytes.len())
        };
        let part = within(range.start)..within(range.end);
        if part.len() as u64 >= self.gather_from {
            return Some(Want::Send(Tail::Memory(Arc::clone(bytes), part)));
        }
        let length = part.len() as u64;
        scratch.http.out.extend_from_slice(&bytes[part]);
        self.sent(length, scratch);
        None
    }

    fn take_piece(&mut self, bytes: Arc<[u8]>, start: u64) {
        if bytes.is_empty() {
            return;
        }
        if let AtHand::Source(source) = std::mem::replace(&mut self.at_hand, AtHand::Nothing) {
            self.at_hand = AtHand::Piece {
                bytes,
                start,
                source,
            };
        }
    }

    fn fail(&mut self, scratch: &mut Scratch) {
        (self.document, self.at_hand) = (None, AtHand::Nothing);
        self.connection.failed(&mut scratch.http);
    }
}

impl Protocol for Http1 {
    fn want(&mut self, scratch: &mut Scratch) -> Want {
        loop {
            let want = match self.connection.want() {
                http::Want::Request if self.has_rest => Want::Rest,
                http::Want::Request => Want::Receive,
                http::Want::Find | http::Want::Load(_) if self.is_worked_for => Want::Wait,
                http::Want::Find => self.find(scratch),
                http::Want::Load(range) => match self.load(&range, scratch) {
                    Some(want) => want,
                    None => continue,
                },
                http::Want::Send(range) => match self.send(&range, scratch) {
                    Some(want) => want,
                    None => continue,
                },
                http::Want::Linger if self.end == End::WriteShut => Want::Receive,
                http::Want::Linger => Want::ShutdownWrite,
                http::Want::Close if !scratch.is_clear() => {
                    self.end = End::Announced;
                    Want::ShutdownWrite
                }
                // Before the connection is closed, which would destroy what waits to be sent if more had come meanwhile.
                http::Want::Close if self.end == End::Announced => Want::ShutdownWrite,
                http::Want::Close => Want::Close,
            };
            return want;
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

    fn sent(&mut self, bytes: u64, scratch: &mut Scratch) {
        self.connection.sent(bytes, &mut scratch.http);
        let http::Want::Load(range) = self.connection.want() else {
            (self.document, self.at_hand) = (None, AtHand::Nothing);
            return;
        };
        self.at_hand = match std::mem::replace(&mut self.at_hand, AtHand::Nothing) {
            AtHand::Piece {
                bytes,
                start,
                source,
            } if range.start >= start + bytes.len() as u64 => AtHand::Source(source),
            at_hand => at_hand,
        };
    }

    fn done(&mut self, done: Done, scratch: &mut Scratch) {
        if done.stream != STREAM || !std::mem::take(&mut self.is_worked_for) {
            return;
        }
        match (done.outcome, self.connection.want()) {
            (Outcome::Found(found), http::Want::Find) => {
                scratch.give_back_path(done.path);
                match found {
                    Ok(document) => {
                        let entity = document.entity();
                        self.connection.found(Ok(entity), &mut scratch.http);
                        let wants_bytes = matches!(self.connection.want(), http::Want::Load(_));
                        self.document = wants_bytes.then_some(document);
                    }
                    Err(missing) => self
                        .connection
                        .found(Err(translate(missing)), &mut scratch.http),
                }
            }
            (Outcome::Loaded(Ok(body)), http::Want::Load(range)) => {
                self.at_hand = match body {
                    Body::Memory { bytes, start } => AtHand::Memory { bytes, start },
                    Body::File => AtHand::File {
                        end: range.end.min(range.start + PIECE),
                    },
                    Body::Source(source) => AtHand::Source(source),
                };
                if let Some(document) = &self.document {
                    self.connection.loaded(document.entity(), &mut scratch.http);
                }
            }
            (Outcome::Loaded(Err(_)), http::Want::Load(_)) => {
                scratch.events.push(Event::Unreadable);
                self.fail(scratch);
            }
            (Outcome::Defect, want) => {
                scratch.events.push(Event::Replaced);
                if want == http::Want::Find {
                    let failed = Err(http::Missing::Failed);
                    self.connection.found(failed, &mut scratch.http);
                } else {
                    scratch.events.push(Event::Unreadable);
                    self.fail(scratch);
                }
            }
            (Outcome::Refused, _) => {
                scratch.events.push(Event::Shed);
                (self.document, self.at_hand) = (None, AtHand::Nothing);
                self.connection.refuse(&mut scratch.http);
            }
            // The result of a work that nobody asked for.
            _ => {}
        }
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

fn translate(missing: Missing) -> http::Missing {
    match missing {
        Missing::NotFound => http::Missing::NotFound,
        Missing::Forbidden => http::Missing::Forbidden,
        Missing::NeedsSlash => http::Missing::NeedsSlash,
        Missing::Busy => http::Missing::Busy,
        Missing::Failed => http::Missing::Failed,
    }
}
