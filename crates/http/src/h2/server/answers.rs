//! What a stream is answered with, once it is known what there is.

use crate::h1::scratch::{Finished, Scratch};
use crate::h2::encode;
use crate::h2::frame::{self, ErrorCode, HEADER_BYTES, flag};
use crate::h2::server::Connection;
use crate::h2::server::slots::Step;
use crate::h2::stream::Stream;
use crate::semantics::decision::Decision;
use crate::semantics::entity::Entity;
use crate::semantics::respond::{Found, respond};
use crate::semantics::response::{Body, Response};
use crate::semantics::status::Status;

impl Connection {
    /// The file that [`target`](Connection::target) names, or why there is none. Returns whether its bytes are wanted.
    pub fn found(&mut self, place: usize, found: Found<'_>, scratch: &mut Scratch) -> bool {
        if !self.is_back(place, Step::Finding, scratch) {
            return false;
        }
        let (id, max_payload) = (self.slots.number(place), self.max_payload);
        let Some(stream) = self.slots.stream_mut(place) else {
            return false;
        };
        let Stream {
            request,
            head,
            delivery,
            frames,
            text,
            ..
        } = stream;
        let (now, max_ranges) = (scratch.stamp.now(), scratch.config.max_ranges);
        let response = respond(request, found, now, max_ranges);
        match delivery.take_on(&response) {
            Some(first) if !head.head_only => {
                stream.rest = first;
                self.slots.set(place, Step::Load);
                true
            }
            _ => {
                let way = Way { id, max_payload };
                let step = way.write_whole(&response, head.head_only, scratch, (frames, text));
                stream.status = Some(response.status.code());
                self.slots.set(place, step);
                false
            }
        }
    }

    /// The bytes of [`Want::Load`](super::Want::Load) are at hand up to `end`. `entity` is the file that was found.
    ///
    /// The head of the answer is made here, and not before, so that a load that fails can still be answered.
    pub fn loaded(&mut self, place: usize, entity: &Entity, end: u64, scratch: &mut Scratch) {
        if self.slots.step(place) != Step::Load && !self.is_back(place, Step::Loading, scratch) {
            return;
        }
        let (id, max_payload) = (self.slots.number(place), self.max_payload);
        let Some(stream) = self.slots.stream_mut(place) else {
            return;
        };
        let Stream {
            request,
            delivery,
            frames,
            text,
            rest,
            ..
        } = stream;
        if let Some(response) = delivery.open_apart(rest, request, entity, text) {
            Way { id, max_payload }.write(&response, false, scratch, frames);
            stream.status = Some(delivery.status());
        }
        stream.at_hand = end.min(stream.rest.end);
        self.slots.set(place, Step::Ready);
    }

    /// The bytes of a stream's file cannot be had: 500 if its answer has not begun. Otherwise the stream is reset.
    pub fn failed(&mut self, place: usize, scratch: &mut Scratch) {
        self.give_up(place, Status::InternalServerError, scratch);
    }

    /// The server has too much to do to find or load a stream's file: 503, to come back in a second, if its answer has not begun.
    pub fn refuse(&mut self, place: usize, scratch: &mut Scratch) {
        self.give_up(place, Status::ServiceUnavailable, scratch);
    }

    fn give_up(&mut self, place: usize, status: Status, scratch: &mut Scratch) {
        let step = self.slots.step(place);
        if step == Step::Gone {
            return self.slots.free(place, scratch);
        }
        let is_under_way = matches!(
            step,
            Step::Finding | Step::Load | Step::Loading | Step::Ready
        );
        let begun = |stream: &Stream| stream.delivery.has_begun();
        match self.slots.stream(place).map(begun) {
            Some(false) if is_under_way => self.answer(place, &Response::page(status), scratch),
            Some(true) if is_under_way => self.reset(place, ErrorCode::InternalError),
            _ => {}
        }
    }

    /// Whether a work of this kind is back that is still wanted.
    pub(super) fn is_back(&mut self, place: usize, step: Step, scratch: &mut Scratch) -> bool {
        if self.slots.step(place) == Step::Gone {
            self.slots.free(place, scratch);
        }
        self.slots.step(place) == step
    }

    /// The request is whole, or as whole as it will get: carries the decision out.
    pub(super) fn act(&mut self, place: usize, scratch: &mut Scratch) {
        let Some(stream) = self.slots.stream(place) else {
            return;
        };
        match stream.decision {
            Decision::Find => self.slots.set(place, Step::Find),
            Decision::Options => self.answer(place, &Response::options(), scratch),
            Decision::Refuse(status) | Decision::Fatal(status) => {
                self.answer(place, &Response::page(status), scratch);
            }
        }
    }

    /// Gives an answer that is no file's.
    pub(super) fn answer(&mut self, place: usize, response: &Response<'_>, scratch: &mut Scratch) {
        let (id, max_payload) = (self.slots.number(place), self.max_payload);
        let Some(stream) = self.slots.stream_mut(place) else {
            return;
        };
        // Whatever was found of a file is not its body.
        (stream.rest, stream.at_hand) = (0..0, 0);
        let way = Way { id, max_payload };
        let out = (&mut stream.frames, &mut stream.text);
        let step = way.write_whole(response, stream.head.head_only, scratch, out);
        stream.status = Some(response.status.code());
        self.slots.set(place, step);
    }

    /// Ends a stream with an error, as soon as that can be said.
    pub(super) fn reset(&mut self, place: usize, code: ErrorCode) {
        let id = self.slots.number(place);
        if let Some(stream) = self.slots.stream_mut(place) {
            stream.frames.clear();
            frame::write_reset(id, code, &mut stream.frames);
            (stream.status, stream.is_open) = (None, false);
            self.slots.set(place, Step::Last);
            self.remember_reset(id);
        }
    }

    /// The last byte of an answer has been handed over.
    pub(super) fn end(&mut self, place: usize, scratch: &mut Scratch) {
        let id = self.slots.number(place);
        if let Some(stream) = self.slots.stream(place) {
            if let Some(status) = stream.status {
                scratch.finished.push(Finished { status });
            }
            if stream.is_open {
                // It need not send the rest of its body (RFC 9113, 8.1).
                frame::write_reset(id, ErrorCode::NoError, &mut scratch.out);
                self.remember_reset(id);
            }
        }
        self.slots.free(place, scratch);
    }

    pub(super) fn remember_reset(&mut self, id: u32) {
        self.own_resets.rotate_left(1);
        if let Some(last) = self.own_resets.last_mut() {
            *last = id;
        }
    }
}

/// Where the head of an answer goes.
pub(super) struct Way {
    pub(super) id: u32,
    pub(super) max_payload: u32,
}

impl Way {
    /// An answer that is no file's, head and page; what is next of its stream.
    fn write_whole(
        self,
        response: &Response<'_>,
        head_only: bool,
        scratch: &mut Scratch,
        (frames, text): (&mut Vec<u8>, &mut Vec<u8>),
    ) -> Step {
        let has_body = matches!(response.body, Body::Page) && !head_only;
        self.write(response, !has_body, scratch, frames);
        if has_body {
            text.extend_from_slice(response.status.page());
            return Step::Ready;
        }
        Step::Last
    }

    /// The head of a response.
    fn write(
        self,
        response: &Response<'_>,
        is_last: bool,
        scratch: &mut Scratch,
        frames: &mut Vec<u8>,
    ) {
        self.write_block(is_last, frames, |out| {
            encode::encode(response, &scratch.stamp, &mut scratch.text, out);
        });
    }

    /// A header block, in frames.
    pub(super) fn write_block(
        self,
        is_last: bool,
        frames: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let start = frames.len() + HEADER_BYTES;
        frames.resize(start, 0);
        write(frames);
        let flags = if is_last { flag::END_STREAM } else { 0 };
        frame::frame_block(start, self.id, flags, self.max_payload, frames);
    }
}
