//! What a stream needs from its request to the last byte of its answer.

use std::ops::Range;

use crate::buffer::reuse;
use crate::h1::delivery::Delivery;
use crate::h2::flow::{Credit, Window};
use crate::h2::frame::FIRST_WINDOW;
use crate::h2::head::Head;
use crate::semantics::decision::Decision;
use crate::semantics::request::Request;

/// One request and its answer. Lent by a [`Scratch`](crate::Scratch) and given back, so that its buffers serve again.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) request: Request,
    pub(crate) head: Head,
    /// What to do once the request is whole.
    pub(crate) decision: Decision,
    pub(crate) delivery: Delivery,
    /// How much of the answer the client has room for.
    pub(crate) window: Window,
    /// How much of a body the client may send, and has sent.
    pub(crate) credit: Credit,
    pub(crate) received: u64,
    /// The client may still send.
    pub(crate) is_open: bool,
    /// Frames that go before anything else of it.
    pub(crate) frames: Vec<u8>,
    /// Bytes of the body that are in no file, and how many of them have left.
    pub(crate) text: Vec<u8>,
    pub(crate) text_sent: usize,
    /// What is left of the present part of the file.
    pub(crate) rest: Range<u64>,
    /// Up to where its bytes are at hand.
    pub(crate) at_hand: u64,
    /// What the answer is counted as.
    pub(crate) status: Option<u16>,
    /// Its body comes in pieces from elsewhere.
    pub(crate) is_sourced: bool,
}

impl Default for Stream {
    fn default() -> Stream {
        Stream {
            request: Request::default(),
            head: Head::default(),
            decision: Decision::Find,
            delivery: Delivery::default(),
            window: Window::new(FIRST_WINDOW),
            credit: Credit::new(FIRST_WINDOW),
            received: 0,
            is_open: false,
            frames: Vec::new(),
            text: Vec::new(),
            text_sent: 0,
            rest: 0..0,
            at_hand: 0,
            status: None,
            is_sourced: false,
        }
    }
}

impl Stream {
    /// How many bytes of its body are at hand: those that are in no file go first.
    #[inline]
    pub(crate) fn ready(&self) -> u64 {
        match self.text.len() - self.text_sent {
            0 => self.at_hand.saturating_sub(self.rest.start),
            text => text as u64,
        }
    }

    /// Makes it as good as new, apart from the memory that it holds.
    pub(crate) fn clear(&mut self) {
        self.request.clear();
        self.head.clear();
        self.delivery.clear();
        reuse(&mut self.frames);
        reuse(&mut self.text);
        *self = Stream {
            request: std::mem::take(&mut self.request),
            head: std::mem::take(&mut self.head),
            delivery: std::mem::take(&mut self.delivery),
            frames: std::mem::take(&mut self.frames),
            text: std::mem::take(&mut self.text),
            ..Stream::default()
        };
    }
}
