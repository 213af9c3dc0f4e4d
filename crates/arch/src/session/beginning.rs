//! The first bytes of a connection in the clear on which both HTTP/1.1 and HTTP/2 are spoken: they decide which it is (RFC 9113,
//! section 3.3).

use files::Delivery;
use http::Phase;
use http::h2::{FramesSent, PREFACE};

use super::Spoken;
use super::found::Caches;
use super::http1::Http1;
use super::http2::Http2;
use super::output::Tail;
use super::protocol::{Protocol, Want};
use super::scratch::Scratch;
use super::work::{Done, Work};

/// A connection on which nothing has come, or as much as both begin with. It keeps none of that, for it is the preface's.
#[derive(Debug)]
pub(super) struct Beginning {
    /// So many bytes of the preface have come, and nothing else.
    seen: usize,
    gather_from: u64,
    is_finishing: bool,
}

impl Beginning {
    pub(super) fn new(gather_from: u64) -> Self {
        Self {
            seen: 0,
            gather_from,
            is_finishing: false,
        }
    }
}

impl Spoken {
    /// What an undecided connection speaks, now that these bytes have come: nothing while they may be of either. Returns how many of
    /// them were taken.
    pub(super) fn decide(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        let Spoken::Beginning(beginning) = self else {
            return 0;
        };
        let expected = &PREFACE[beginning.seen..];
        let alike = input.iter().zip(expected);
        let count = alike
            .take_while(|(byte, expected)| byte == expected)
            .count();
        if count == expected.len() {
            let mut spoken = Http2::new(beginning.gather_from, Delivery::PageCache);
            spoken.receive(PREFACE, scratch);
            if beginning.is_finishing {
                spoken.finish();
            }
            *self = Spoken::Http2(Box::new(spoken));
            return count;
        }
        if count == input.len() {
            beginning.seen += count;
            return count;
        }
        self.decide_for_http1(scratch);
        0
    }

    /// It is HTTP/1.1, of which as much has come as was seen.
    pub(super) fn decide_for_http1(&mut self, scratch: &mut Scratch) {
        let Spoken::Beginning(beginning) = self else {
            return;
        };
        let mut spoken = Http1::new(beginning.gather_from, Delivery::PageCache);
        if beginning.seen > 0 {
            spoken.receive(&PREFACE[..beginning.seen], scratch);
        }
        if beginning.is_finishing {
            spoken.finish();
        }
        *self = Spoken::Http1(spoken);
    }
}

/// It wants to be decided.
impl Protocol for Beginning {
    fn want(&mut self, _: &mut Scratch) -> Want {
        match self.is_finishing && self.seen == 0 {
            true => Want::Close,
            false => Want::Receive,
        }
    }

    fn do_kept(&mut self, _: Caches<'_>, _: &mut Scratch) -> bool {
        false
    }

    fn work(&mut self, _: &mut Scratch) -> Option<Work> {
        None
    }

    fn tail(&self) -> Tail {
        Tail::None
    }

    fn receive(&mut self, _: &[u8], _: &mut Scratch) -> usize {
        0
    }

    fn end_of_input(&mut self, _: &mut Scratch) {}

    fn sent(&mut self, _: FramesSent, _: &mut Scratch) {}

    fn done(&mut self, _: Done, _: &mut Scratch) {}

    fn write_was_shut(&mut self) {}

    fn phase(&self) -> Phase {
        match self.seen {
            0 => Phase::Idle,
            _ => Phase::Request,
        }
    }

    fn expire(&mut self, _: &mut Scratch) {}

    fn finish(&mut self) {
        self.is_finishing = true;
    }

    fn is_worked_for(&self) -> bool {
        false
    }
}
