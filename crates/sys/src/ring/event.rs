//! What a completion says: of which kind of entry it is, by its mark, and what a caller hears of it.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::operation::Finished;

/// What has happened.
#[derive(Debug)]
pub enum Event<'a, O> {
    /// A connection, or why there is none.
    Accepted {
        /// Its socket.
        socket: Result<OwnedFd, Errno>,
        /// More will come without being asked for again.
        goes_on: bool,
    },
    /// Bytes from a socket; none at their end. `ENOBUFS`: all buffers were in use, and it is to be asked again.
    Received {
        /// Under which it was asked for.
        token: u64,
        /// Valid until the ring is asked for its next event.
        bytes: Result<&'a [u8], Errno>,
        /// More will come without being asked for again.
        goes_on: bool,
    },
    /// What a chain was for has been done, or not.
    Finished(Finished<O>),
    /// The socket that is watched for it has been shut.
    HungUp,
}

/// What kind of entry has completed; in the upper byte of its mark, beside the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Nobody is told.
    Silent,
    Accept,
    Receive,
    HangUp,
    Chain,
}

const VALUE_BITS: u32 = 56;
/// The values that tokens may have.
pub const TOKENS: u64 = 1 << VALUE_BITS;

pub(super) fn mark(kind: Kind, value: u64) -> u64 {
    (kind as u64) << VALUE_BITS | value & (TOKENS - 1)
}

pub(super) fn read_mark(mark: u64) -> (Kind, u64) {
    let kind = match mark >> VALUE_BITS {
        1 => Kind::Accept,
        2 => Kind::Receive,
        3 => Kind::HangUp,
        4 => Kind::Chain,
        _ => Kind::Silent,
    };
    (kind, mark & (TOKENS - 1))
}
