//! What a session asks of the protocol that it speaks.

use files::Delivery;
use http::Phase;
use http::h2::{Frames, FramesSent};

use super::found::Caches;
use super::output::Tail;
use super::scratch::Scratch;
use super::work::{Done, Work};

/// The most bytes of a file sent, and loaded, in one piece; and the work of one turn.
///
/// Large enough that a system call for each piece costs nothing beside it. Twice as much, or two pieces in a turn, costs up
/// to twice the processor time with files of a megabyte and a client that reads fast: what waits in the kernel is cold
/// before it is sent on. Half as much costs a tenth.
pub(super) const PIECE: u64 = 256 << 10;

/// The same where the bytes have to come to our memory, to be encrypted: a few records, which are still in the processor's cache when
/// they are sent.
pub(super) const PIECE_IN_MEMORY: u64 = 64 << 10;

/// How much of a file is loaded at a time, by where its bytes have to be.
pub(super) fn piece_of(delivery: Delivery) -> u64 {
    match delivery {
        Delivery::PageCache => PIECE,
        Delivery::Memory => PIECE_IN_MEMORY,
    }
}

/// What a protocol wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// More of what was received before and not taken.
    Rest,
    /// Bytes; what is collected goes before anybody waits for them.
    Receive,
    /// Its [`tail`](Protocol::tail) sent, behind what is collected.
    Send,
    /// Its [`work`](Protocol::work) done.
    Work,
    /// The sending half ended, behind what is collected.
    ShutdownWrite,
    /// What was handed out done first, or a source's next piece.
    Wait,
    /// The end, behind what is collected.
    Close,
    /// The same in the midst of an answer, which nobody is to take for whole.
    BreakOff,
}

/// What a session asks of the protocol that it speaks. Whatever it has to say is collected in its [`Scratch`].
pub(super) trait Protocol {
    fn want(&mut self, scratch: &mut Scratch) -> Want;
    /// Does what it wants done, if what that takes lies in `caches`; tells whether it has.
    fn do_kept(&mut self, caches: Caches<'_>, scratch: &mut Scratch) -> bool;
    /// The work that it wants done: it is out from now on.
    fn work(&mut self, scratch: &mut Scratch) -> Option<Work>;
    /// What it wants sent.
    fn tail(&self) -> Tail;
    /// As [`Session::receive`](super::Session::receive).
    fn receive(&mut self, input: &[u8], scratch: &mut Scratch) -> usize;
    /// As [`Session::end_of_input`](super::Session::end_of_input).
    fn end_of_input(&mut self, scratch: &mut Scratch);
    /// How that is cut into frames, where there are several.
    fn frames(&self) -> Option<Frames> {
        None
    }
    /// So much of the tail that was wanted sent last has left.
    fn sent(&mut self, sent: FramesSent, scratch: &mut Scratch);
    /// A work is done.
    fn done(&mut self, done: Done, scratch: &mut Scratch);
    /// The sending half has ended.
    fn write_was_shut(&mut self);
    fn phase(&self) -> Phase;
    /// The deadline of the phase has passed.
    fn expire(&mut self, scratch: &mut Scratch);
    fn finish(&mut self);
    /// Whether somebody works for it.
    fn is_worked_for(&self) -> bool;
    /// Whether it would hear what has come, though it has something else to do and will not wait for it; once for each piece.
    fn is_to_listen(&mut self) -> bool {
        false
    }
    /// Whether what stands before a tail says how long that is: it must not leave unless all of the tail is there.
    fn announces_tails(&self) -> bool {
        false
    }
    /// Its client has taken nothing for too long, though all that was sent has left: how many answers it has given up, to go on
    /// without them. None: it cannot.
    fn stalled(&mut self) -> Option<usize> {
        None
    }
    /// The tail that was wanted sent last cannot be, and nothing of what stands before it has left: how many bytes at the end of that
    /// are void, so that it can go on without. None: it cannot.
    fn take_back(&mut self) -> Option<usize> {
        None
    }
}
