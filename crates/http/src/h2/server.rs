//! The server's end of a connection: what is next. What comes is in `frames` and `heads`, what is answered in `answers` and, where
//! somebody else answers, in `elsewhere`; `endings` has the deadlines, and `slots` the streams' places.

mod answers;
mod elsewhere;
mod endings;
mod frames;
mod heads;
mod slots;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::h1::scratch::Scratch;
use crate::h2::calm::{Calm, Flood};
use crate::h2::flow::{Credit, Window};
use crate::h2::frame::{
    self, ErrorCode, FIRST_WINDOW, FrameHeader, HEADER_BYTES, Kind, LARGEST_MAX_PAYLOAD,
    SMALLEST_MAX_PAYLOAD, flag, setting,
};
use crate::h2::frames::Frames;
use crate::h2::hpack::decode::Decoder;
use crate::h2::input::Input;
use crate::semantics::target::Target;
use heads::Block;
use slots::{Slots, Step};

/// Requests of one connection that may be under way at a time.
pub const MAX_STREAMS: u32 = 100;
/// Streams whose bytes are fetched or at hand before they can be sent: so much memory and no more is taken for a client.
const MOST_AT_HAND: usize = 8;
/// So much payload is wanted sent at a time, in several frames, in bytes: what is sent from is still in the processor's cache then.
const MOST_GATHERED: u32 = 64 << 10;
/// A DATA frame that a window leaves no more room for than this is a tiny one, in bytes; and how many of them are borne in all.
const TINY: u32 = 64;
const MOST_TINY: u32 = 1000;
/// For each DATA frame a client has a reason to make both windows larger.
const UPDATES: u32 = 2;

/// What a connection needs next from its driver. A place names the stream, from when it is first named until it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing to do until more bytes come: [`receive`](Connection::receive) or [`end_of_input`](Connection::end_of_input). Works may
    /// be out.
    Receive,
    /// That works come back: nothing more is to be received.
    Wait,
    /// Which file is the [`target`](Connection::target) of this stream? Answered by [`found`](Connection::found); out from
    /// [`begin`](Connection::begin) on.
    Find(usize),
    /// Have these bytes of this stream's file at hand. Never empty. Answered by [`loaded`](Connection::loaded) or
    /// [`failed`](Connection::failed); out from [`begin`](Connection::begin) on.
    Load(usize, Range<u64>),
    /// Put these bytes of this stream's file on the socket, behind what [`Scratch::out`](crate::Scratch::out) holds, and nothing in
    /// between: they are the payload of a frame, or of several, as [`frames`](Connection::frames) says. Never empty, and at hand.
    /// Answered by [`sent`](Connection::sent).
    Send(usize, Range<u64>),
    /// Close in stages, as [`Want::Linger`](crate::Want::Linger).
    Linger,
    /// Send what [`Scratch::out`](crate::Scratch::out) holds, and close.
    Close,
}

/// What a client has done wrong, beyond a request that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too much of something.
    Flood(Flood),
    /// It does not keep to the protocol.
    Protocol(ErrorCode),
    /// A request that is none.
    Request,
}

/// One connection, seen from the server: many streams, in one state machine.
///
/// ```text
/// want        then
/// Receive     receive | end_of_input
/// Find        begin, found | refuse
/// Load        begin, loaded | failed | refuse; or loaded at once
/// Send        sent
/// Linger      (the driver's own)
/// Close       (the driver's own)
/// ```
///
/// Works are out in any number and come back in any order. At any time: `want`, `phase`, [`finish`](Connection::finish),
/// [`expire`](Connection::expire). After each call [`Scratch::out`](crate::Scratch::out) may hold bytes to send.
///
/// An idle connection keeps the table of its client's fields, which is at most 4 KiB, and the places of a few streams.
#[derive(Debug)]
pub struct Connection {
    /// How much of the preface has come.
    preface: usize,
    has_greeted: bool,
    /// The client's first frame has come.
    has_settings: bool,
    input: Input,
    block: Block,
    decoder: Decoder,
    slots: Slots,
    /// The last stream that the client has opened, and the last that is answered.
    last_stream: u32,
    last_accepted: u32,
    /// Streams that were reset here while the client may still send of them, the latest last.
    own_resets: [u32; 8],
    /// How much of all answers the client has room for.
    window: Window,
    /// How much of all bodies it may send.
    credit: Credit,
    /// What each stream's window is at first.
    first_window: u32,
    /// The longest payload that the client takes.
    max_payload: u32,
    /// The longest DATA that is sent, whatever the client takes.
    longest_payload: u32,
    /// It is carried by records, one for each frame.
    in_records: bool,
    /// Frames whose payload is not whole.
    sending: Option<Sending>,
    calm: Calm,
    tiny: u32,
    requests: u64,
    ending: Ending,
    /// The client has shut its write side.
    is_ended: bool,
    fault: Option<Fault>,
}

/// DATA frames: the header of the first was handed over, and not all of their payload.
#[derive(Clone, Copy, Debug)]
struct Sending {
    place: usize,
    /// Of all payloads, in bytes.
    length: u32,
    left: Frames,
}

/// How the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Open,
    /// GOAWAY is to be sent.
    Announced,
    /// GOAWAY was sent: those under way are answered, and no other.
    Leaving,
    /// Nothing more is said, and what comes is dropped.
    Over,
    /// Not even that.
    Close,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection {
            preface: 0,
            has_greeted: false,
            has_settings: false,
            input: Input::default(),
            block: Block::default(),
            decoder: Decoder::default(),
            slots: Slots::default(),
            last_stream: 0,
            last_accepted: 0,
            own_resets: [0; 8],
            window: Window::new(FIRST_WINDOW),
            credit: Credit::new(FIRST_WINDOW),
            first_window: FIRST_WINDOW,
            max_payload: SMALLEST_MAX_PAYLOAD,
            longest_payload: LARGEST_MAX_PAYLOAD,
            in_records: false,
            sending: None,
            calm: Calm::default(),
            tiny: 0,
            requests: 0,
            ending: Ending::Open,
            is_ended: false,
            fault: None,
        }
    }
}

impl Connection {
    /// A connection on which nothing has come; the client's [`PREFACE`](super::PREFACE) comes first.
    pub fn new() -> Connection {
        Connection::default()
    }

    /// The same for one that is carried by records of at most 16 KiB (TLS): each frame fits into one.
    pub fn in_records() -> Connection {
        Connection {
            longest_payload: SMALLEST_MAX_PAYLOAD - HEADER_BYTES as u32,
            in_records: true,
            ..Connection::default()
        }
    }

    /// What is to be done next.
    pub fn want(&mut self, scratch: &mut Scratch) -> Want {
        if let Some(sending) = self.sending {
            return self.payload(sending);
        }
        self.greet(scratch);
        if self.ending == Ending::Announced {
            frame::write_go_away(self.last_accepted, ErrorCode::NoError, &mut scratch.out);
            self.ending = Ending::Leaving;
        }
        loop {
            match self.ending {
                Ending::Over if !self.is_ended => return Want::Linger,
                Ending::Over | Ending::Close => return Want::Close,
                Ending::Open | Ending::Announced | Ending::Leaving => {}
            }
            let next = self.slots.next(self.window, MOST_AT_HAND);
            if let Some(place) = next.find {
                return Want::Find(place);
            }
            if let Some(place) = next.load {
                return Want::Load(place, self.part_to_load(place));
            }
            let Some(place) = next.send else {
                return self.nothing_to_do();
            };
            if let Some(payload) = self.send(place, next.is_alone, scratch) {
                return payload;
            }
        }
    }

    fn nothing_to_do(&mut self) -> Want {
        let is_leaving = matches!(self.ending, Ending::Leaving);
        match self.is_ended {
            _ if is_leaving && self.slots.is_empty() => {
                self.ending = Ending::Over;
                match self.is_ended {
                    true => Want::Close,
                    false => Want::Linger,
                }
            }
            false => Want::Receive,
            true if self.slots.has_works() => Want::Wait,
            // What waits for more room will never have it.
            true => {
                self.ending = Ending::Close;
                Want::Close
            }
        }
    }

    /// The settings of this end, before anything else.
    #[inline]
    fn greet(&mut self, scratch: &mut Scratch) {
        if std::mem::replace(&mut self.has_greeted, true) {
            return;
        }
        let list = u32::try_from(scratch.config.max_head).unwrap_or(u32::MAX);
        let settings = [
            (setting::MAX_CONCURRENT_STREAMS, MAX_STREAMS),
            (setting::MAX_HEADER_LIST_SIZE, list),
            (setting::NO_RFC7540_PRIORITIES, 1),
        ];
        frame::write_settings(&settings, &mut scratch.out);
    }

    /// Sends what is next of a stream; the payload of a frame, where that is a file's, or of several, where it is this stream's turn
    /// again after each.
    fn send(&mut self, place: usize, is_alone: bool, scratch: &mut Scratch) -> Option<Want> {
        let turn = self.slots.turn(place);
        let (id, stream, step) = turn?;
        scratch.out.append(&mut stream.frames);
        if step == Step::Last {
            self.end(place, scratch);
            return None;
        }
        let ready = u32::try_from(stream.ready()).unwrap_or(u32::MAX);
        let room = stream.window.open().min(self.window.open());
        let each = self.max_payload.min(self.longest_payload);
        let text = stream.text.len() - stream.text_sent;
        let frames = match text == 0 && is_alone && scratch.config.gather_frames && !self.in_records
        {
            true => (MOST_GATHERED / each).max(1),
            false => 1,
        };
        let length = ready.min(room).min(each.saturating_mul(frames));
        if length == 0 {
            return None;
        }
        if length < TINY && length < ready {
            self.tiny += 1;
            if self.tiny > MOST_TINY {
                self.flood(Flood::Windows, scratch);
                return None;
            }
        }
        let is_last = match text {
            0 => {
                stream.rest.start + u64::from(length) == stream.rest.end
                    && !stream.delivery.has_more()
            }
            _ => length as usize == text && stream.rest.is_empty(),
        };
        let first = length.min(each);
        FrameHeader {
            length: first,
            kind: Kind::Data,
            flags: if is_last && first == length {
                flag::END_STREAM
            } else {
                0
            },
            stream: id,
        }
        .write(&mut scratch.out);
        stream.window.take(length);
        self.window.take(length);
        self.calm.excuse(Flood::Windows, UPDATES);
        if text == 0 {
            let left = Frames {
                stream: id,
                first,
                each,
                payload: length,
                ends_stream: is_last,
            };
            let sending = Sending {
                place,
                length,
                left,
            };
            self.sending = Some(sending);
            return Some(self.payload(sending));
        }
        let start = stream.text_sent;
        stream.text_sent += length as usize;
        scratch
            .out
            .extend_from_slice(&stream.text[start..stream.text_sent]);
        if stream.text_sent == stream.text.len() {
            stream.text.clear();
            stream.text_sent = 0;
        }
        if is_last {
            self.end(place, scratch);
        }
        None
    }

    fn payload(&self, sending: Sending) -> Want {
        let start = self
            .slots
            .stream(sending.place)
            .map_or(0, |stream| stream.rest.start);
        Want::Send(
            sending.place,
            start..start + u64::from(sending.left.payload),
        )
    }

    /// How the payload of [`Want::Send`] is cut into frames; of one only, unless frames are
    /// [gathered](crate::Config::gather_frames).
    pub fn frames(&self) -> Option<Frames> {
        self.sending.map(|sending| sending.left)
    }

    /// So many bytes of [`Want::Send`] have been put on the socket.
    pub fn sent(&mut self, bytes: u64, scratch: &mut Scratch) {
        self.sent_in_frames(bytes, false, scratch);
    }

    /// The same where there were several frames. `has_begun_next`: the header of the next has begun to leave, so that its payload has to
    /// follow. What stands behind the frame that is under way is decided anew.
    pub fn sent_in_frames(&mut self, bytes: u64, has_begun_next: bool, scratch: &mut Scratch) {
        let Some(sending) = &mut self.sending else {
            return;
        };
        let left = &mut sending.left;
        debug_assert!(bytes <= left.payload.into(), "more was sent than wanted");
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(left.payload);
        left.payload -= bytes;
        // Frames that began to leave behind the first, and what has to follow of the one that is under way.
        let (others, under_way) = match bytes.checked_sub(left.first) {
            None => (0, left.first - bytes),
            Some(more) => match more % left.each {
                0 if has_begun_next => (more / left.each + 1, left.each.min(left.payload)),
                0 => (more / left.each, 0),
                part => (more / left.each + 1, (left.each - part).min(left.payload)),
            },
        };
        left.first = under_way;
        // What stands behind it has not left: it is decided anew.
        let unsent = left.payload - under_way;
        left.payload = under_way;
        left.ends_stream &= unsent == 0;
        sending.length -= unsent;
        let Sending { place, left, .. } = *sending;
        self.calm.excuse(Flood::Windows, others * UPDATES);
        if let Some(stream) = self.slots.stream_mut(place) {
            stream.rest.start += u64::from(bytes);
            // Never beyond what it was.
            let _ = stream.window.change(unsent.into());
        }
        let _ = self.window.change(unsent.into());
        if under_way > 0 {
            return;
        }
        self.sending = None;
        if unsent > 0 {
            return;
        }
        if left.ends_stream {
            return self.end(place, scratch);
        }
        let Some(stream) = self.slots.stream_mut(place) else {
            return;
        };
        if stream.rest.is_empty() {
            match stream.delivery.next(&stream.request, &mut stream.text) {
                Some(next) => stream.rest = next,
                // What ends the parts is left.
                None => return,
            }
        } else if stream.ready() > 0 || stream.is_sourced {
            return;
        }
        self.slots.set(place, Step::Load);
    }

    /// The payload of [`Want::Send`] cannot be had, and the frame's header, the last bytes of [`Scratch::out`](crate::Scratch::out) as
    /// it was handed over, has not left: the stream is reset in its place. How long the header is; `None` where some of the payload
    /// has left, and nothing can be done.
    pub fn take_back(&mut self) -> Option<usize> {
        let Sending {
            place,
            length,
            left,
        } = self.sending?;
        if left.payload < length {
            return None;
        }
        self.sending = None;
        // Never beyond what it was.
        let _ = self.window.change(length.into());
        self.reset(place, ErrorCode::InternalError);
        Some(HEADER_BYTES)
    }

    /// The work that was wanted last is out.
    pub fn begin(&mut self, place: usize) {
        match self.slots.step(place) {
            Step::Find => self.slots.set(place, Step::Finding),
            Step::Load => self.slots.set(place, Step::Loading),
            _ => {}
        }
    }

    /// Which file a stream's request means.
    pub fn target(&self, place: usize) -> &Target {
        static ROOT: Target = Target::ROOT;
        let stream = self.slots.stream(place);
        stream.map_or(&ROOT, |stream| stream.request.target())
    }

    /// The number that a stream has in the protocol.
    pub fn number(&self, place: usize) -> u32 {
        self.slots.number(place)
    }

    /// Where the stream with this number is, unless it is over.
    pub fn place(&self, number: u32) -> Option<usize> {
        self.slots.place(number)
    }

    /// What the client has done wrong since this was last asked.
    pub fn fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    /// Whether input can be received, though something else may be next: no frame is under way.
    pub fn can_receive(&self) -> bool {
        self.sending.is_none() && !self.is_ended
    }

    fn part_to_load(&self, place: usize) -> Range<u64> {
        let Some(stream) = self.slots.stream(place) else {
            return 0..0;
        };
        // What the client has no room for need not be at hand.
        let room = u64::from(stream.window.open().max(self.max_payload));
        stream.rest.start..stream.rest.end.min(stream.rest.start.saturating_add(room))
    }

    /// The memory that it holds on to, in bytes.
    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.input.capacity()
            + self.block.capacity()
            + self.decoder.capacity()
            + self.slots.capacity()
    }
}
