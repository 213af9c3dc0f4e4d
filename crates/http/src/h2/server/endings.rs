//! How long a connection lasts, and how it ends.

use crate::h1::scratch::Scratch;
use crate::h1::want::Phase;
use crate::h2::frame::{self, ErrorCode, FrameHeader, Kind, PREFACE};
use crate::h2::server::slots::Step;
use crate::h2::server::{Connection, Ending};

impl Connection {
    /// Which deadline applies.
    pub fn phase(&self) -> Phase {
        match self.ending {
            Ending::Over | Ending::Close => return Phase::Linger,
            Ending::Open | Ending::Announced | Ending::Leaving => {}
        }
        let begun = self.input.begun();
        let is_head = |header: &FrameHeader| {
            header.kind == Kind::Headers && !self.own_resets.contains(&header.stream)
        };
        let has_begun = self.block.is_wanted()
            || begun.as_ref().is_some_and(is_head)
            || (1..PREFACE.len()).contains(&self.preface);
        if self.slots.is_any_answered() {
            Phase::Answer
        } else if has_begun || !self.slots.is_empty() {
            Phase::Request
        } else {
            Phase::Idle
        }
    }

    /// The deadline of [`phase`](Connection::phase) has passed. Requests that have begun to come are reset; an idle connection is left.
    pub fn expire(&mut self, scratch: &mut Scratch) {
        match self.phase() {
            Phase::Request if self.preface < PREFACE.len() => self.ending = Ending::Close,
            Phase::Request => self.give_up_requests(scratch),
            Phase::Idle => self.leave(),
            Phase::Answer | Phase::Linger => self.ending = Ending::Close,
        }
    }

    fn give_up_requests(&mut self, scratch: &mut Scratch) {
        let begun = self
            .input
            .begun()
            .filter(|header| header.kind == Kind::Headers);
        let of_head = self.block.give_up().or(begun.map(|header| header.stream));
        if let Some(id) = of_head.filter(|id| !self.own_resets.contains(id)) {
            // Trailers that are not whole are of a stream that is there, and is reset once.
            match self.slots.place(id) {
                Some(place) => self.reset(place, ErrorCode::Cancel),
                None => {
                    frame::write_reset(id, ErrorCode::Cancel, &mut scratch.out);
                    self.remember_reset(id);
                }
            }
        }
        while let Some(place) = self.slots.first(Step::Body) {
            self.reset(place, ErrorCode::Cancel);
        }
    }

    /// The client has taken nothing for too long, for want of room that it says it has: what waits for room is reset, and the connection
    /// goes on. `None`: it stands in the midst of a frame, and cannot. Otherwise how many answers were given up.
    pub fn stalled(&mut self) -> Option<usize> {
        if self.sending.is_some() {
            return None;
        }
        let mut count = 0;
        while let Some(place) = self.slots.first_without_room() {
            self.reset(place, ErrorCode::Cancel);
            count += 1;
        }
        Some(count)
    }

    /// The server is stopping: no request is begun any more, and those under way are answered.
    pub fn finish(&mut self) {
        match self.preface {
            0 => self.ending = Ending::Close,
            _ => self.leave(),
        }
    }

    pub(super) fn leave(&mut self) {
        if self.ending == Ending::Open {
            self.ending = Ending::Announced;
        }
    }

    /// The client shut its write side, all earlier bytes having been received. What was asked for is still answered.
    pub fn end_of_input(&mut self, scratch: &mut Scratch) {
        self.is_ended = true;
        if self.preface == PREFACE.len() {
            self.leave();
        }
        while let Some(place) = self.slots.first(Step::Body) {
            self.slots.free(place, scratch);
        }
    }
}
