//! Which protocol a session speaks.

use super::beginning::Beginning;
use super::http1::Http1;
use super::http2::Http2;
#[cfg(test)]
use super::multiplexed;
use super::protocol::Protocol;
use super::scratch::Scratch;

/// The protocol of a session.
///
/// Its tag is a number of its own, for it is asked a dozen times for each request: one that is hidden in a field of a protocol's has
/// to be computed each time.
#[derive(Debug)]
#[repr(u8)]
pub(super) enum Spoken {
    Http1(Http1),
    Http2(Box<Http2>),
    /// Either of them.
    Beginning(Beginning),
    #[cfg(test)]
    Multiplexed(multiplexed::Multiplexed),
}

/// Asks whichever protocol it is, by a match and not by a table of functions: what every request asks is inlined.
macro_rules! ask {
    ($spoken:expr, $protocol:ident => $question:expr) => {
        match $spoken {
            $crate::session::spoken::Spoken::Http1($protocol) => $question,
            $crate::session::spoken::Spoken::Http2($protocol) => $question,
            $crate::session::spoken::Spoken::Beginning($protocol) => $question,
            #[cfg(test)]
            $crate::session::spoken::Spoken::Multiplexed($protocol) => $question,
        }
    };
}
pub(super) use ask;

impl Spoken {
    /// As [`Session::receive`](super::Session::receive).
    #[inline]
    pub(super) fn receive(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        if let Spoken::Beginning(_) = self {
            let taken = self.decide(input, scratch);
            if taken > 0 {
                return taken;
            }
        }
        ask!(self, protocol => protocol.receive(input, scratch))
    }

    /// As [`Session::end_of_input`](super::Session::end_of_input).
    pub(super) fn end_of_input(&mut self, scratch: &mut Scratch) {
        self.decide_for_http1(scratch);
        ask!(self, protocol => protocol.end_of_input(scratch));
    }

    /// As [`Session::finish`](super::Session::finish).
    pub(super) fn finish(&mut self) {
        ask!(self, protocol => protocol.finish());
    }
}
