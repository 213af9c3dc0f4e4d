//! What comes: the preface, then frames, each of which changes the connection or one of its streams (RFC 9113, section 6).

use crate::h1::scratch::Scratch;
use crate::h2::calm::Flood;
use crate::h2::frame::{
    self, ErrorCode, FrameHeader, Kind, LARGEST_MAX_PAYLOAD, LARGEST_WINDOW, PREFACE,
    SMALLEST_MAX_PAYLOAD, flag, setting,
};
use crate::h2::input::Taken;
use crate::h2::priority::Priority;
use crate::h2::server::slots::Step;
use crate::h2::server::{Connection, Ending, Fault};

/// The connection cannot go on, and why.
pub(super) struct Fatal(pub(super) ErrorCode);

pub(super) type Handled = Result<(), Fatal>;

pub(super) const PROTOCOL: Fatal = Fatal(ErrorCode::ProtocolError);
pub(super) const SIZE: Fatal = Fatal(ErrorCode::FrameSizeError);

impl Connection {
    /// Takes bytes as they came, all of them, unless a frame of ours is under way; once only closing is left, they are dropped.
    pub fn receive(&mut self, mut input: &[u8], scratch: &mut Scratch) -> usize {
        if self.sending.is_some() {
            return 0;
        }
        let taken = input.len();
        self.greet(scratch);
        if !self.receive_preface(&mut input) {
            self.fail(ErrorCode::ProtocolError, scratch);
        }
        // A frame may lie in it while the rest of the connection changes.
        let mut kept = std::mem::take(&mut self.input);
        while !matches!(self.ending, Ending::Over | Ending::Close) {
            match kept.take(&mut input, SMALLEST_MAX_PAYLOAD) {
                Taken::More => break,
                Taken::Frame(header, payload) => {
                    if let Err(Fatal(code)) = self.frame(header, payload, scratch) {
                        self.fail(code, scratch);
                    }
                }
                Taken::TooLong(_) => self.fail(ErrorCode::FrameSizeError, scratch),
            }
            kept.drop_frame();
        }
        self.input = kept;
        taken
    }

    /// Whether what comes is still the preface that every client begins with.
    fn receive_preface(&mut self, input: &mut &[u8]) -> bool {
        let left = &PREFACE[self.preface..];
        let (begin, rest) = input.split_at(left.len().min(input.len()));
        *input = rest;
        self.preface += begin.len();
        left.starts_with(begin)
    }

    /// Ends the connection: what is under way is given up.
    fn fail(&mut self, code: ErrorCode, scratch: &mut Scratch) {
        if matches!(self.ending, Ending::Over | Ending::Close) {
            return;
        }
        self.fault.get_or_insert(Fault::Protocol(code));
        frame::write_go_away(self.last_accepted, code, &mut scratch.out);
        self.slots.give_up_all(scratch);
        self.block.drop();
        self.ending = Ending::Over;
    }

    /// There was too much of something.
    pub(super) fn flood(&mut self, kind: Flood, scratch: &mut Scratch) {
        self.fault = Some(Fault::Flood(kind));
        self.fail(ErrorCode::EnhanceYourCalm, scratch);
    }

    pub(super) fn bears(&mut self, kind: Flood, scratch: &Scratch) -> Handled {
        if self.calm.bears(kind, scratch.stamp.now()) {
            return Ok(());
        }
        self.fault = Some(Fault::Flood(kind));
        Err(Fatal(ErrorCode::EnhanceYourCalm))
    }

    #[inline]
    fn frame(&mut self, header: FrameHeader, payload: &[u8], scratch: &mut Scratch) -> Handled {
        if !self.has_settings {
            if header.kind != Kind::Settings || header.has(flag::ACK) {
                return Err(PROTOCOL);
            }
            self.has_settings = true;
        }
        if !self.block.admits(header) {
            return Err(PROTOCOL);
        }
        match header.kind {
            Kind::Data => self.data(header, payload, scratch),
            Kind::Headers => self.headers(header, payload, scratch),
            Kind::Continuation => self.continuation(header, payload, scratch),
            Kind::ResetStream => self.reset_stream(header, payload, scratch),
            Kind::Settings => self.settings(header, payload, scratch),
            Kind::Ping => self.ping(header, payload, scratch),
            Kind::WindowUpdate => self.window_update(header, payload, scratch),
            Kind::GoAway if header.stream != 0 => Err(PROTOCOL),
            Kind::GoAway if payload.len() < 8 => Err(SIZE),
            Kind::GoAway => {
                self.leave();
                Ok(())
            }
            Kind::PushPromise => Err(PROTOCOL),
            Kind::Priority if header.stream == 0 => Err(PROTOCOL),
            Kind::Priority if payload.len() != 5 => {
                self.priority_of_wrong_size(header.stream, scratch)
            }
            Kind::PriorityUpdate => self.priority_update(header, payload, scratch),
            Kind::Priority | Kind::Unknown => self.bears(Flood::Priorities, scratch),
        }
    }

    fn data(&mut self, header: FrameHeader, payload: &[u8], scratch: &mut Scratch) -> Handled {
        if header.stream == 0 || self.is_unused(header.stream) {
            return Err(PROTOCOL);
        }
        if !self.credit.spend(header.length) {
            return Err(Fatal(ErrorCode::FlowControlError));
        }
        if let Some(bytes) = self.credit.renew() {
            frame::write_window_update(0, bytes, &mut scratch.out);
        }
        let data = frame::unpad(header, payload).ok_or(PROTOCOL)?;
        let ends = header.has(flag::END_STREAM);
        if data.is_empty() && !ends {
            self.bears(Flood::EmptyFrames, scratch)?;
        }
        let Some(place) = self.slots.place(header.stream) else {
            return self.reset_closed(header.stream, scratch);
        };
        let step = self.slots.step(place);
        let Some(stream) = self.slots.stream_mut(place) else {
            return Ok(());
        };
        if !stream.is_open {
            return self.reset_for(place, ErrorCode::StreamClosed, scratch);
        }
        if !stream.credit.spend(header.length) {
            return self.reset_for(place, ErrorCode::FlowControlError, scratch);
        }
        if !ends && let Some(bytes) = stream.credit.renew() {
            frame::write_window_update(header.stream, bytes, &mut scratch.out);
        }
        stream.received += data.len() as u64;
        if stream
            .head
            .content_length
            .is_some_and(|length| stream.received > length)
        {
            return self.malformed(place, scratch);
        }
        if ends {
            return self.request_ended(place, scratch);
        }
        if step == Step::Body && stream.received > scratch.config.max_body {
            stream.decision = stream.decision.on_large_body();
            self.act(place, scratch);
        }
        Ok(())
    }

    /// The last byte of a request has come.
    pub(super) fn request_ended(&mut self, place: usize, scratch: &mut Scratch) -> Handled {
        let step = self.slots.step(place);
        let Some(stream) = self.slots.stream_mut(place) else {
            return Ok(());
        };
        stream.is_open = false;
        if stream
            .head
            .content_length
            .is_some_and(|length| length != stream.received)
        {
            return self.malformed(place, scratch);
        }
        if step == Step::Body {
            self.act(place, scratch);
        }
        Ok(())
    }

    fn reset_stream(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        scratch: &mut Scratch,
    ) -> Handled {
        if header.stream == 0 || self.is_unused(header.stream) {
            return Err(PROTOCOL);
        }
        if payload.len() != 4 {
            return Err(SIZE);
        }
        if let Some(place) = self.slots.place(header.stream) {
            self.slots.give_up(place, scratch);
            self.bears(Flood::Resets, scratch)?;
        }
        Ok(())
    }

    fn settings(&mut self, header: FrameHeader, payload: &[u8], scratch: &mut Scratch) -> Handled {
        if header.stream != 0 {
            return Err(PROTOCOL);
        }
        let is_ack = header.has(flag::ACK);
        if (is_ack && !payload.is_empty()) || !payload.len().is_multiple_of(6) {
            return Err(SIZE);
        }
        self.bears(Flood::Settings, scratch)?;
        if is_ack {
            return Ok(());
        }
        for (number, value) in frame::settings(payload) {
            match number {
                setting::ENABLE_PUSH if value > 1 => return Err(PROTOCOL),
                setting::INITIAL_WINDOW_SIZE => {
                    if value > LARGEST_WINDOW {
                        return Err(Fatal(ErrorCode::FlowControlError));
                    }
                    let by = i64::from(value) - i64::from(self.first_window);
                    self.first_window = value;
                    self.slots
                        .change_windows(by)
                        .map_err(|_| Fatal(ErrorCode::FlowControlError))?;
                }
                setting::MAX_FRAME_SIZE => {
                    if !(SMALLEST_MAX_PAYLOAD..=LARGEST_MAX_PAYLOAD).contains(&value) {
                        return Err(PROTOCOL);
                    }
                    self.max_payload = value;
                }
                _ => {}
            }
        }
        frame::write_settings_ack(&mut scratch.out);
        Ok(())
    }

    fn ping(&mut self, header: FrameHeader, payload: &[u8], scratch: &mut Scratch) -> Handled {
        if header.stream != 0 {
            return Err(PROTOCOL);
        }
        if payload.len() != 8 {
            return Err(SIZE);
        }
        self.bears(Flood::Pings, scratch)?;
        if !header.has(flag::ACK) {
            frame::write_ping_ack(payload, &mut scratch.out);
        }
        Ok(())
    }

    fn window_update(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        scratch: &mut Scratch,
    ) -> Handled {
        if payload.len() != 4 {
            return Err(SIZE);
        }
        self.bears(Flood::Windows, scratch)?;
        let by = frame::number(payload).unwrap_or(0);
        if header.stream == 0 {
            let is_sound = by > 0 && self.window.change(by.into()).is_ok();
            return match is_sound {
                true => Ok(()),
                false if by == 0 => Err(PROTOCOL),
                false => Err(Fatal(ErrorCode::FlowControlError)),
            };
        }
        if self.is_unused(header.stream) {
            return Err(PROTOCOL);
        }
        let Some(place) = self.slots.place(header.stream) else {
            return Ok(());
        };
        let Some(stream) = self.slots.stream_mut(place) else {
            return Ok(());
        };
        if by == 0 {
            return self.reset_for(place, ErrorCode::ProtocolError, scratch);
        }
        match stream.window.change(by.into()) {
            Ok(()) => Ok(()),
            Err(_) => self.reset_for(place, ErrorCode::FlowControlError, scratch),
        }
    }

    fn priority_update(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        scratch: &mut Scratch,
    ) -> Handled {
        self.bears(Flood::Priorities, scratch)?;
        let number = frame::number(payload).ok_or(SIZE)?;
        if header.stream != 0 || number.is_multiple_of(2) {
            return Err(PROTOCOL);
        }
        self.slots.prioritise(number, Priority::read(&payload[4..]));
        Ok(())
    }

    /// Whether the client has never used this stream, and could not have.
    fn is_unused(&self, id: u32) -> bool {
        id > self.last_stream && !self.own_resets.contains(&id) || id.is_multiple_of(2)
    }

    /// An error of its stream (RFC 9113, 6.3), which is none that could be reset before it is used (6.4).
    fn priority_of_wrong_size(&mut self, id: u32, scratch: &mut Scratch) -> Handled {
        match self.slots.place(id) {
            Some(place) => self.reset_for(place, ErrorCode::FrameSizeError, scratch),
            None if self.is_unused(id) => Err(SIZE),
            None => self.reset_closed(id, scratch),
        }
    }

    /// Something came on a stream that is over.
    fn reset_closed(&mut self, id: u32, scratch: &mut Scratch) -> Handled {
        if self.own_resets.contains(&id) {
            return Ok(());
        }
        self.reset_unopened(id, ErrorCode::StreamClosed, scratch);
        self.bears(Flood::Resets, scratch)
    }

    pub(super) fn reset_unopened(&mut self, id: u32, code: ErrorCode, scratch: &mut Scratch) {
        frame::write_reset(id, code, &mut scratch.out);
        self.remember_reset(id);
    }

    /// A request is none after all.
    pub(super) fn malformed(&mut self, place: usize, scratch: &mut Scratch) -> Handled {
        self.fault.get_or_insert(Fault::Request);
        self.reset_for(place, ErrorCode::ProtocolError, scratch)
    }

    /// Resets a stream for what its client has done.
    pub(super) fn reset_for(
        &mut self,
        place: usize,
        code: ErrorCode,
        scratch: &mut Scratch,
    ) -> Handled {
        let id = self.slots.number(place);
        self.reset_unopened(id, code, scratch);
        self.slots.give_up(place, scratch);
        self.bears(Flood::Resets, scratch)
    }
}
