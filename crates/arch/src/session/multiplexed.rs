//! A protocol that is made up, to prove the seam before HTTP/2 stands on it: many requests of one connection under way at a time.
//!
//! A request is a byte, the name of a file; an answer is that byte, the file's bytes, and a line end, as soon as they are at hand.

use std::collections::VecDeque;

use http::Phase;
use http::h2::FramesSent;
use meter::Event;

use super::found::Caches;
use super::output::Tail;
use super::protocol::{Protocol, Want};
use super::scratch::Scratch;
use super::work::{Body, Done, Outcome, Work};
use super::{Session, Spoken};
use files::Delivery;

#[derive(Debug, Default)]
pub(super) struct Multiplexed {
    wanted: VecDeque<Work>,
    streams: u32,
    names: Vec<u8>,
    out: usize,
    is_ended: bool,
}

impl Session {
    pub(super) fn multiplexed() -> Self {
        Self::speaking(Spoken::Multiplexed(Multiplexed::default()))
    }
}

impl Protocol for Multiplexed {
    fn want(&mut self, scratch: &mut Scratch) -> Want {
        if !self.wanted.is_empty() {
            return Want::Work;
        }
        match (self.out, self.is_ended) {
            (0, true) if scratch.is_clear() => Want::Close,
            (0, true) => Want::ShutdownWrite,
            (0, false) => Want::Receive,
            _ => Want::Wait,
        }
    }

    fn do_kept(&mut self, _: Caches<'_>, _: &mut Scratch) -> bool {
        false
    }

    fn work(&mut self, _: &mut Scratch) -> Option<Work> {
        let work = self.wanted.pop_front()?;
        self.out += 1;
        Some(work)
    }

    fn tail(&self) -> Tail {
        Tail::None
    }

    fn receive(&mut self, input: &[u8], _: &mut Scratch) -> usize {
        for &name in input {
            let find = Work::find(self.streams, vec![name], false);
            self.streams += 1;
            self.names.push(name);
            self.wanted.push_back(find);
        }
        input.len()
    }

    fn end_of_input(&mut self, _: &mut Scratch) {
        self.is_ended = true;
    }

    fn sent(&mut self, _: FramesSent, _: &mut Scratch) {}

    fn done(&mut self, done: Done, scratch: &mut Scratch) {
        self.out -= 1;
        let stream = done.stream;
        match done.outcome {
            Outcome::Found(Ok(document)) => {
                let range = 0..document.entry.len();
                let load = Work::load(stream, document.entry, range, Delivery::Memory);
                self.wanted.push_back(load);
            }
            Outcome::Loaded(Ok(Body::Memory { bytes, .. })) => {
                scratch.http.out.push(self.names[stream as usize]);
                scratch.http.out.extend_from_slice(&bytes);
                scratch.http.out.push(b'\n');
            }
            _ => scratch.events.push(Event::Unreadable),
        }
    }

    fn write_was_shut(&mut self) {}

    fn phase(&self) -> Phase {
        Phase::Answer
    }

    fn expire(&mut self, _: &mut Scratch) {}

    fn finish(&mut self) {
        self.is_ended = true;
    }

    fn is_worked_for(&self) -> bool {
        self.out > 0
    }
}

/// What is sent of an output whose tail is not a file's.
pub(super) fn bytes(output: &super::Output) -> Vec<u8> {
    assert!(!matches!(output.tail(), Tail::File(..)));
    [output.head(), output.tail_in_memory()].concat()
}
