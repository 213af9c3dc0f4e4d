//! HTTP/2, many requests at a time: between the protocol's state machine, which knows no file, and the works and outputs that a
//! session hands out.

use std::ops::Range;
use std::sync::Arc;

use files::{Delivery, Missing};
use http::h2::{Connection, Fault, Flood, Frames, FramesSent, Want as Wanted};
use http::{Phase, Status};
use meter::Event;

use super::answer::Answer;
use super::at_hand::AtHand;
use super::found::{Caches, Document};
use super::http1::{End, translate};
use super::output::Tail;
use super::protocol::{PIECE, Protocol, Want, piece_of};
use super::scratch::Scratch;
use super::work::{Body, Done, Outcome, Piece, Work};

/// Places that an idle connection keeps for the next requests.
const MOST_SPARE: usize = 32;

/// A connection of HTTP/2.
#[derive(Debug)]
pub(super) struct Http2 {
    connection: Connection,
    gather_from: u64,
    delivery: Delivery,
    /// What there is of each stream's body, by its place.
    bodies: Vec<StreamBody>,
    /// Works that are out.
    works: usize,
    /// Bodies whose sources are to be asked.
    sources: usize,
    /// What was wanted last.
    wanted: Wanted,
    /// Bytes sent since something was received.
    unheard: u64,
    end: End,
}

/// What there is of the body of a stream's answer.
#[derive(Debug, Default)]
struct StreamBody {
    /// The stream's number; 0 where it is nobody's.
    stream: u32,
    document: Option<Document>,
    /// Which bytes were to be loaded.
    range: Range<u64>,
    at_hand: AtHand,
}

impl Http2 {
    /// For a connection on which the preface is the first to come.
    pub(super) fn new(gather_from: u64, delivery: Delivery) -> Self {
        Self {
            connection: match delivery {
                Delivery::PageCache => Connection::new(),
                Delivery::Memory => Connection::in_records(),
            },
            gather_from,
            delivery,
            bodies: Vec::new(),
            works: 0,
            sources: 0,
            wanted: Wanted::Receive,
            unheard: 0,
            end: End::Open,
        }
    }

    /// What there is of the body of the stream at a place.
    fn body(&mut self, place: usize) -> &mut StreamBody {
        if self.bodies.len() <= place {
            self.bodies.resize_with(place + 1, StreamBody::default);
        }
        let body = &mut self.bodies[place];
        let stream = self.connection.number(place);
        if body.stream != stream {
            self.sources -= usize::from(matches!(body.at_hand, AtHand::Source(_)));
            *body = StreamBody {
                stream,
                ..StreamBody::default()
            };
        }
        body
    }

    /// Lets go of what was for answers that are over: a file is not kept open for them.
    fn tidy(&mut self) {
        for place in 0..self.bodies.len() {
            self.body(place);
        }
        let is_idle = self.bodies.iter().all(|body| body.stream == 0);
        if is_idle && self.bodies.capacity() > MOST_SPARE {
            self.bodies = Vec::new();
        }
    }

    /// Asks the sources of bodies that come in pieces for the next.
    fn ask_sources(&mut self, scratch: &mut Scratch) {
        for place in 0..self.bodies.len() {
            let AtHand::Source(source) = &mut self.bodies[place].at_hand else {
                continue;
            };
            match source.next() {
                Piece::NotYet => continue,
                Piece::Ready(bytes) if bytes.is_empty() => continue,
                Piece::Ready(bytes) => {
                    let start = self.connection.at_hand(place, bytes.len() as u64);
                    self.bodies[place].at_hand.take_piece(bytes, start);
                }
                Piece::End => {
                    self.bodies[place].at_hand = AtHand::Nothing;
                    self.connection.end_of_body(place, &mut scratch.http);
                }
                Piece::Failed => {
                    scratch.events.push(Event::UpstreamFailed);
                    self.fail(place, scratch);
                    continue;
                }
            }
            self.sources -= 1;
        }
    }

    /// Collects the bytes that are at hand where they are few enough; otherwise they are wanted sent.
    fn collect(&mut self, place: usize, range: &Range<u64>, scratch: &mut Scratch) -> Option<Want> {
        let Some((bytes, part)) = self.bodies.get(place)?.at_hand.in_memory(range) else {
            return Some(Want::Send);
        };
        let length = part.len() as u64;
        if length >= self.gather_from || length == 0 || self.frames().is_some() {
            return Some(Want::Send);
        }
        scratch.http.out.extend_from_slice(&bytes[part]);
        self.sent(FramesSent::payload(length), scratch);
        None
    }

    /// A file was found, or not.
    fn found(&mut self, place: usize, found: Result<Document, Missing>, scratch: &mut Scratch) {
        let found = match found {
            Ok(document) => {
                let entity = document.entity();
                let wants_bytes = self.connection.found(place, Ok(entity), &mut scratch.http);
                wants_bytes.then_some(document)
            }
            Err(missing) => {
                let missing = Err(translate(missing));
                self.connection.found(place, missing, &mut scratch.http);
                None
            }
        };
        let body = self.body(place);
        (body.document, body.at_hand) = (found, AtHand::Nothing);
    }

    /// The first of the bytes of `range` are being loaded: which.
    fn begin_load(&mut self, place: usize, range: Range<u64>) -> Range<u64> {
        let piece = range.start..range.end.min(range.start + piece_of(self.delivery));
        self.body(place).range = piece.clone();
        self.connection.begin(place);
        piece
    }

    /// The bytes that were wanted are at hand.
    fn loaded(&mut self, place: usize, loaded: Body, scratch: &mut Scratch) {
        let delivery = self.delivery;
        let body = self.body(place);
        let Range { start, end } = body.range;
        let (at_hand, end) = match loaded {
            Body::Memory { bytes, start } => {
                let end = start + bytes.len() as u64;
                (AtHand::Memory { bytes, start }, end)
            }
            Body::File if delivery == Delivery::PageCache => (AtHand::File { end }, end),
            Body::File => (AtHand::Nothing, start),
            Body::Source(source) => (AtHand::Source(source), start),
        };
        let comes_in_pieces = matches!(at_hand, AtHand::Source(_));
        if end <= start && !comes_in_pieces {
            // Asked for its bytes, and it has none: it has become shorter.
            scratch.events.push(Event::Truncated);
            return self.fail(place, scratch);
        }
        body.at_hand = at_hand;
        self.at_hand(place, end, scratch);
        if comes_in_pieces {
            self.sources += 1;
            self.connection.comes_in_pieces(place);
        }
    }

    /// Bytes are at hand up to there.
    fn at_hand(&mut self, place: usize, end: u64, scratch: &mut Scratch) {
        let body = &self.bodies[place];
        match &body.document {
            Some(document) => {
                let entity = document.entity();
                self.connection
                    .loaded(place, entity, end, &mut scratch.http);
            }
            // Nobody wants it any more.
            None => self.fail(place, scratch),
        }
    }

    /// Where the bytes from there on that are in memory already end.
    fn end_in_memory(&self, place: usize, start: u64) -> Option<u64> {
        match &self.bodies.get(place)?.at_hand {
            AtHand::Memory {
                bytes,
                start: first,
            } if (*first..first + bytes.len() as u64).contains(&start) => {
                Some(first + bytes.len() as u64)
            }
            _ => None,
        }
    }

    /// Lets go of what there is of a body.
    fn forget(&mut self, place: usize) {
        let body = self.body(place);
        body.document = None;
        let at_hand = std::mem::take(&mut body.at_hand);
        self.sources -= usize::from(matches!(at_hand, AtHand::Source(_)));
    }

    fn fail(&mut self, place: usize, scratch: &mut Scratch) {
        self.forget(place);
        self.connection.failed(place, &mut scratch.http);
    }

    fn outcome(&mut self, place: usize, outcome: Outcome, scratch: &mut Scratch) {
        match outcome {
            Outcome::Found(found) => self.found(place, found, scratch),
            Outcome::Loaded(Ok(loaded)) => self.loaded(place, loaded, scratch),
            Outcome::Loaded(Err(_)) => {
                scratch.events.push(Event::Unreadable);
                self.fail(place, scratch);
            }
            // It is TLS's own.
            Outcome::Handshake(..) => {}
            Outcome::Answered(answer) => self.answered(place, answer, scratch),
            Outcome::Defect => {
                scratch.events.push(Event::Replaced);
                if self.body(place).document.is_some() {
                    scratch.events.push(Event::Unreadable);
                }
                self.fail(place, scratch);
            }
            Outcome::Refused => {
                scratch.events.push(Event::Shed);
                self.forget(place);
                self.connection.refuse(place, &mut scratch.http);
            }
        }
    }

    /// A request that was handed over is answered.
    fn answered(&mut self, place: usize, answer: Answer, scratch: &mut Scratch) {
        match answer {
            Answer::File(file) => {
                let (request, outcomes) = file.into_outcomes();
                let request = Arc::unwrap_or_clone(request);
                self.connection.give_back_request(place, request);
                for outcome in outcomes {
                    // Whoever answered does not know who sends: bytes that have to be in our memory are loaded once more.
                    if matches!(outcome, Outcome::Loaded(Ok(Body::File)))
                        && self.delivery == Delivery::Memory
                    {
                        continue;
                    }
                    if matches!(outcome, Outcome::Loaded(_)) {
                        // It was loaded with the answer: what comes first of it.
                        let range = self.connection.first_range(place);
                        self.body(place).range = range.start..range.end.min(range.start + PIECE);
                    }
                    self.outcome(place, outcome, scratch);
                }
            }
            Answer::Page(status) => {
                scratch.events.extend(match status {
                    Status::ServiceUnavailable => Some(Event::Shed),
                    Status::BadGateway | Status::GatewayTimeout => Some(Event::UpstreamFailed),
                    _ => None,
                });
                self.connection
                    .answer_with(place, status, &mut scratch.http);
            }
            Answer::Relayed(head, source) => {
                if self.connection.relay(place, &head, &mut scratch.http) {
                    self.body(place).at_hand = AtHand::Source(source);
                    self.sources += 1;
                }
            }
        }
    }

    fn report(&mut self, scratch: &mut Scratch) {
        if let Some(fault) = self.connection.fault() {
            scratch.events.push(match fault {
                Fault::Request => Event::RequestMalformed,
                Fault::Protocol(_) => Event::ProtocolError,
                Fault::Flood(Flood::Resets) => Event::ResetFlood,
                Fault::Flood(Flood::Continuations) => Event::ContinuationFlood,
                Fault::Flood(Flood::Settings) => Event::SettingsFlood,
                Fault::Flood(Flood::Pings) => Event::PingFlood,
                Fault::Flood(Flood::EmptyFrames) => Event::EmptyFrameFlood,
                Fault::Flood(Flood::Windows) => Event::WindowFlood,
                Fault::Flood(Flood::Priorities) => Event::PriorityFlood,
            });
        }
    }
}

impl Protocol for Http2 {
    fn want(&mut self, scratch: &mut Scratch) -> Want {
        loop {
            if self.sources > 0 {
                self.ask_sources(scratch);
            }
            self.wanted = self.connection.want(&mut scratch.http);
            return match self.wanted.clone() {
                Wanted::Receive if self.sources > 0 => {
                    // While it waits for them, it listens.
                    self.unheard = PIECE;
                    Want::Wait
                }
                Wanted::Receive => {
                    self.report(scratch);
                    self.tidy();
                    Want::Receive
                }
                Wanted::Wait => Want::Wait,
                Wanted::Find(_) => Want::Work,
                Wanted::Load(place, range) => match self.end_in_memory(place, range.start) {
                    Some(end) => {
                        self.at_hand(place, end, scratch);
                        continue;
                    }
                    None => Want::Work,
                },
                Wanted::Send(place, range) => match self.collect(place, &range, scratch) {
                    Some(want) => want,
                    None => continue,
                },
                Wanted::Linger | Wanted::Close => {
                    self.report(scratch);
                    self.tidy();
                    self.end
                        .want(self.wanted == Wanted::Linger, scratch.is_clear())
                }
            };
        }
    }

    fn do_kept(&mut self, caches: Caches<'_>, scratch: &mut Scratch) -> bool {
        match self.wanted.clone() {
            Wanted::Find(place) if !scratch.http.keeps_fields() => {
                let target = self.connection.target(place);
                let found = caches.find(target.path(), target.is_directory());
                found.map(|document| {
                    self.connection.begin(place);
                    self.found(place, Ok(document), scratch);
                })
            }
            Wanted::Load(place, range) => {
                let delivery = self.delivery;
                let document = self.body(place).document.as_ref();
                let kept = document.and_then(|document| caches.load(&document.entry, delivery));
                kept.map(|kept| {
                    self.begin_load(place, range);
                    self.loaded(place, kept, scratch);
                })
            }
            _ => None,
        }
        .is_some()
    }

    fn work(&mut self, scratch: &mut Scratch) -> Option<Work> {
        let work = match self.wanted.clone() {
            Wanted::Find(place) => {
                let stream = self.connection.number(place);
                let work = if scratch.http.keeps_fields() {
                    let request = self.connection.take_request(place)?;
                    Work::answer(stream, request)
                } else {
                    let target = self.connection.target(place);
                    let path = scratch.path(target.path());
                    Work::find(stream, path, target.is_directory())
                };
                self.connection.begin(place);
                work
            }
            Wanted::Load(place, range) => {
                let entry = &self.body(place).document.as_ref()?.entry;
                let entry = Arc::clone(entry);
                let piece = self.begin_load(place, range);
                let stream = self.connection.number(place);
                Work::load(stream, entry, piece, self.delivery)
            }
            _ => return None,
        };
        self.works += 1;
        Some(work)
    }

    fn tail(&self) -> Tail {
        let Wanted::Send(place, range) = &self.wanted else {
            return Tail::None;
        };
        let Some(body) = self.bodies.get(*place) else {
            return Tail::None;
        };
        match (body.at_hand.in_memory(range), &body.document) {
            (Some((bytes, part)), _) => Tail::Memory(Arc::clone(bytes), part),
            (None, Some(document)) => Tail::File(Arc::clone(&document.entry), range.clone()),
            _ => Tail::None,
        }
    }

    fn frames(&self) -> Option<Frames> {
        self.connection.frames().filter(|frames| !frames.is_one())
    }

    fn receive(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        self.unheard = 0;
        let taken = self.connection.receive(input, &mut scratch.http);
        self.report(scratch);
        taken
    }

    fn end_of_input(&mut self, scratch: &mut Scratch) {
        self.connection.end_of_input(&mut scratch.http);
    }

    fn sent(&mut self, sent: FramesSent, scratch: &mut Scratch) {
        let Wanted::Send(place, range) = self.wanted.clone() else {
            return;
        };
        let bytes = sent.payload;
        self.unheard += bytes;
        self.connection
            .sent_in_frames(bytes, sent.header.is_some(), &mut scratch.http);
        self.wanted = Wanted::Receive;
        let body = self.body(place);
        let was_piece = matches!(body.at_hand, AtHand::Piece { .. });
        body.at_hand.left_up_to(range.start + bytes);
        if was_piece && matches!(body.at_hand, AtHand::Source(_)) {
            self.sources += 1;
        }
    }

    fn done(&mut self, done: Done, scratch: &mut Scratch) {
        self.works = self.works.saturating_sub(1);
        if !done.path.is_empty() {
            scratch.give_back_path(done.path);
        }
        if let Some(place) = self.connection.place(done.stream) {
            self.outcome(place, done.outcome, scratch);
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
        self.works > 0
    }

    fn is_to_listen(&mut self) -> bool {
        let is_due = self.unheard >= PIECE && self.connection.can_receive();
        if is_due {
            self.unheard = 0;
        }
        is_due
    }

    fn announces_tails(&self) -> bool {
        true
    }

    fn stalled(&mut self) -> Option<usize> {
        self.connection.stalled()
    }

    fn take_back(&mut self) -> Option<usize> {
        let place = match self.wanted {
            Wanted::Send(place, _) => place,
            _ => return None,
        };
        let head = self.connection.take_back()?;
        self.forget(place);
        Some(head)
    }
}
