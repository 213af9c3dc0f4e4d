//! Header blocks that come, whole or in several frames, and the requests that they are.

use crate::buffer::reuse;
use crate::h1::scratch::Scratch;
use crate::h2::calm::Flood;
use crate::h2::flow::Window;
use crate::h2::frame::{self, ErrorCode, FrameHeader, Kind, flag};
use crate::h2::server::frames::{Fatal, Handled, PROTOCOL, SIZE};
use crate::h2::server::{Connection, Ending, Fault, MAX_STREAMS};
use crate::semantics::decision::Decision;
use crate::semantics::request::Expectation;

/// A header block that comes in several frames; nothing else may come before its end.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// 0: there is none.
    stream: u32,
    ends_stream: bool,
    frames: u32,
    bytes: Vec<u8>,
    is_given_up: bool,
}

impl Block {
    /// Nobody waits for it, and none of it is kept.
    pub(super) fn drop(&mut self) {
        reuse(&mut self.bytes);
        self.stream = 0;
    }

    /// Whether a frame may come: any while there is none, and its own while there is.
    pub(super) fn admits(&self, header: FrameHeader) -> bool {
        self.stream == 0 || (header.kind == Kind::Continuation && header.stream == self.stream)
    }

    /// Whether a request waits for it.
    pub(super) fn is_wanted(&self) -> bool {
        self.stream != 0 && !self.is_given_up
    }

    /// Nobody waits for it any more; of which stream it is.
    pub(super) fn give_up(&mut self) -> Option<u32> {
        self.is_wanted().then(|| {
            self.is_given_up = true;
            self.stream
        })
    }

    /// The memory that it holds on to, in bytes.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Connection {
    pub(super) fn headers(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        scratch: &mut Scratch,
    ) -> Handled {
        if header.stream.is_multiple_of(2) {
            return Err(PROTOCOL);
        }
        let mut block = frame::unpad(header, payload).ok_or(PROTOCOL)?;
        if header.has(flag::PRIORITY) {
            block = block.get(5..).ok_or(SIZE)?;
        }
        let ends_stream = header.has(flag::END_STREAM);
        if header.has(flag::END_HEADERS) {
            return self.head(header.stream, block, ends_stream, scratch);
        }
        if block.is_empty() {
            self.bears(Flood::EmptyFrames, scratch)?;
        }
        self.block.stream = header.stream;
        self.block.ends_stream = ends_stream;
        self.block.frames = 0;
        self.block.is_given_up = self.own_resets.contains(&header.stream);
        self.block.bytes.extend_from_slice(block);
        Ok(())
    }

    pub(super) fn continuation(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        scratch: &mut Scratch,
    ) -> Handled {
        if self.block.stream == 0 {
            return Err(PROTOCOL);
        }
        if payload.is_empty() {
            self.bears(Flood::EmptyFrames, scratch)?;
        }
        self.block.frames += 1;
        let len = self.block.bytes.len() + payload.len();
        if self.block.frames > Flood::MOST_CONTINUATIONS || len > scratch.config.max_head {
            self.fault = Some(Fault::Flood(Flood::Continuations));
            return Err(Fatal(ErrorCode::EnhanceYourCalm));
        }
        self.block.bytes.extend_from_slice(payload);
        if !header.has(flag::END_HEADERS) {
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.block.bytes);
        let (id, ends_stream) = (self.block.stream, self.block.ends_stream);
        self.block.stream = 0;
        let handled = self.head(id, &bytes, ends_stream, scratch);
        reuse(&mut bytes);
        self.block.bytes = bytes;
        handled
    }

    /// A header block is whole: that of a request, or of what ends its body.
    fn head(&mut self, id: u32, block: &[u8], ends_stream: bool, scratch: &mut Scratch) -> Handled {
        if id <= self.last_stream {
            return self.trailers(id, block, ends_stream, scratch);
        }
        self.last_stream = id;
        if self.own_resets.contains(&id) {
            return self.decode_unread(block, scratch);
        }
        // Behind GOAWAY nobody looks at it, which its client is told.
        let is_late = self.ending != Ending::Open;
        if is_late || self.slots.len() >= MAX_STREAMS as usize {
            self.decode_unread(block, scratch)?;
            self.reset_unopened(id, ErrorCode::RefusedStream, scratch);
            return self.bears(Flood::Resets, scratch);
        }
        self.open(id, block, ends_stream, scratch)
    }

    /// A request.
    fn open(&mut self, id: u32, block: &[u8], ends_stream: bool, scratch: &mut Scratch) -> Handled {
        let mut stream = scratch.lend_stream();
        let Scratch { config, text, .. } = scratch;
        let (head, request) = (&mut stream.head, &mut stream.request);
        let decoded = self.decoder.decode(block, text, |name, value| {
            head.field(name, value, request, config);
        });
        if decoded.is_err() {
            scratch.give_back_stream(stream);
            return Err(Fatal(ErrorCode::CompressionError));
        }
        let decision = stream.head.finish(&mut stream.request, config);
        let promised = stream.head.content_length;
        let Some(decision) = decision
            .ok()
            .filter(|_| !ends_stream || promised.unwrap_or(0) == 0)
        else {
            scratch.give_back_stream(stream);
            self.fault.get_or_insert(Fault::Request);
            self.reset_unopened(id, ErrorCode::ProtocolError, scratch);
            return self.bears(Flood::Resets, scratch);
        };
        let is_withheld = stream.request.expectation() != Expectation::None;
        let is_large = promised.is_some_and(|length| length > config.max_body);
        stream.decision = match !ends_stream && !is_withheld && is_large {
            true => decision.on_large_body(),
            false => decision,
        };
        let is_whole =
            ends_stream || is_withheld || is_large || matches!(decision, Decision::Fatal(_));
        stream.is_open = !ends_stream;
        stream.window = Window::new(self.first_window);
        self.requests += 1;
        let most = match config.keep_alive {
            true => config.max_requests_per_connection,
            false => 1,
        };
        if most > 0 && self.requests >= most {
            self.leave();
        }
        self.last_accepted = id;
        let place = self.slots.insert(id, stream);
        if is_whole {
            self.act(place, scratch);
        }
        Ok(())
    }

    /// Fields behind a body, which nobody here has a use for.
    fn trailers(
        &mut self,
        id: u32,
        block: &[u8],
        ends_stream: bool,
        scratch: &mut Scratch,
    ) -> Handled {
        self.decode_unread(block, scratch)?;
        let Some(place) = self.slots.place(id) else {
            // A stream that was never opened, or is over; one that was reset here may not know yet.
            return match self.own_resets.contains(&id) {
                true => Ok(()),
                false => Err(PROTOCOL),
            };
        };
        let is_open = self
            .slots
            .stream(place)
            .is_some_and(|stream| stream.is_open);
        match (is_open, ends_stream) {
            (false, _) => self.reset_for(place, ErrorCode::StreamClosed, scratch),
            (true, false) => self.malformed(place, scratch),
            (true, true) => self.request_ended(place, scratch),
        }
    }

    /// What a block does to the table has to be known, whatever becomes of its fields.
    fn decode_unread(&mut self, block: &[u8], scratch: &mut Scratch) -> Handled {
        let decoded = self.decoder.decode(block, &mut scratch.text, |_, _| {});
        decoded.map_err(|_| Fatal(ErrorCode::CompressionError))
    }
}
