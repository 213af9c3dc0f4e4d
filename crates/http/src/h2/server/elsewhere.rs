//! Requests that are answered elsewhere: handed over as values, and answered with what comes back; and bodies that come in pieces.

use std::ops::Range;

use crate::h1::delivery::Extent;
use crate::h1::relay::RelayedHead;
use crate::h1::scratch::Scratch;
use crate::h2::frame::{FrameHeader, Kind, flag};
use crate::h2::hpack::encode::{literal, named};
use crate::h2::hpack::statics::index;
use crate::h2::server::Connection;
use crate::h2::server::answers::Way;
use crate::h2::server::slots::Step;
use crate::semantics::multipart;
use crate::semantics::request::Request;
use crate::semantics::response::Response;
use crate::semantics::status::Status;

/// The end of a body of which nobody knows how long it is.
const UNKNOWN: u64 = u64::MAX;

impl Connection {
    /// Takes the request that is to be answered; `None` unless [`Want::Find`](super::Want::Find) was wanted of this stream.
    /// [`give_back_request`](Connection::give_back_request) comes before [`found`](Connection::found), which needs it; other answers
    /// do not.
    pub fn take_request(&mut self, place: usize) -> Option<Request> {
        let is_wanted = self.slots.step(place) == Step::Find;
        let stream = self.slots.stream_mut(place).filter(|_| is_wanted)?;
        Some(std::mem::take(&mut stream.request))
    }

    /// Gives back what was taken by [`take_request`](Connection::take_request).
    pub fn give_back_request(&mut self, place: usize, request: Request) {
        if let (Step::Finding, Some(stream)) =
            (self.slots.step(place), self.slots.stream_mut(place))
        {
            stream.request = request;
        }
    }

    /// Which bytes of its file come next of a stream's answer; none where there are none.
    pub fn first_range(&self, place: usize) -> Range<u64> {
        let stream = self.slots.stream(place);
        stream.map_or(0..0, |stream| stream.rest.clone())
    }

    /// In place of a file: an answer that has nothing more to say than its status.
    pub fn answer_with(&mut self, place: usize, status: Status, scratch: &mut Scratch) {
        if self.is_back(place, Step::Finding, scratch) {
            self.answer(place, &Response::page(status), scratch);
        }
    }

    /// In place of a file: another server's answer. Returns whether it has a body, of which each piece is announced by
    /// [`at_hand`](Connection::at_hand).
    pub fn relay(&mut self, place: usize, head: &RelayedHead, scratch: &mut Scratch) -> bool {
        if !self.is_back(place, Step::Finding, scratch) {
            return false;
        }
        let (id, max_payload) = (self.slots.number(place), self.max_payload);
        let Some(stream) = self.slots.stream_mut(place) else {
            return false;
        };
        let has_body = head.has_body() && !stream.head.head_only && head.length() != Some(0);
        let way = Way { id, max_payload };
        way.write_block(!has_body, &mut stream.frames, |out| {
            head.write_block(scratch, out)
        });
        stream.status = Some(head.status());
        if !has_body {
            self.slots.set(place, Step::Last);
            return false;
        }
        stream.delivery.relay(head.status(), Extent::Length);
        stream.rest = 0..head.length().unwrap_or(UNKNOWN);
        stream.is_sourced = true;
        self.slots.set(place, Step::Ready);
        true
    }

    /// The body of a stream whose first bytes are [`loaded`](Connection::loaded) comes in pieces, each of which is announced by
    /// [`at_hand`](Connection::at_hand).
    pub fn comes_in_pieces(&mut self, place: usize) {
        if let Some(stream) = self.slots.stream_mut(place) {
            stream.is_sourced = true;
        }
    }

    /// The next piece of such a body is at hand; returns where in the body it begins.
    pub fn at_hand(&mut self, place: usize, bytes: u64) -> u64 {
        let Some(stream) = self.slots.stream_mut(place) else {
            return 0;
        };
        stream.at_hand = stream.rest.start.saturating_add(bytes).min(stream.rest.end);
        stream.rest.start
    }

    /// A body that comes in pieces is whole. One that is shorter than was said is as good as [failed](Connection::failed).
    pub fn end_of_body(&mut self, place: usize, scratch: &mut Scratch) {
        let id = self.slots.number(place);
        let Some(stream) = self
            .slots
            .stream_mut(place)
            .filter(|stream| stream.is_sourced)
        else {
            return;
        };
        if stream.rest.end != UNKNOWN {
            return self.failed(place, scratch);
        }
        let end = FrameHeader {
            length: 0,
            kind: Kind::Data,
            flags: flag::END_STREAM,
            stream: id,
        };
        end.write(&mut stream.frames);
        self.slots.set(place, Step::Last);
    }
}

impl RelayedHead {
    /// Appends the head as a header block.
    fn write_block(&self, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        named(index::STATUS, number.format(self.status()).as_bytes(), out);
        // Whoever has a clock dates what came without a date (RFC 9110, 6.6.1).
        let date = scratch.stamp.date();
        if !self.is_dated() && !date.is_empty() {
            named(index::DATE, date, out);
        }
        for (name, value) in self.fields() {
            scratch.text.clear();
            scratch.text.extend(name.iter().map(u8::to_ascii_lowercase));
            literal(&scratch.text, value, out);
        }
        if let Some(length) = self.length() {
            scratch.text.clear();
            multipart::number(length, &mut scratch.text);
            named(index::CONTENT_LENGTH, &scratch.text, out);
        }
    }
}
