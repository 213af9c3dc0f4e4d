//! What the kernel is asked for, and what came of it: values that a caller gives away and has back.

use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use super::{MOST_LINKED, Registered, Shared};

/// A value that operations need for as long as they last. It is kept where it is and nobody has it meanwhile, so that what it
/// lends of itself stays valid.
pub trait Operand: 'static {
    /// Bytes to be sent, before the tail.
    fn head(&self) -> &[u8];
    /// The file that is read or looked at, or the directory that something is opened beneath.
    fn file(&self) -> Option<BorrowedFd<'_>>;
    /// What is opened, relative to the directory.
    fn path(&self) -> Option<&[u8]>;
    /// A pipe, to be read from and to be written to.
    fn pipe(&self) -> Option<(BorrowedFd<'_>, BorrowedFd<'_>)>;
}

/// One entry of a chain.
#[derive(Debug, Clone, Copy)]
pub enum Operation {
    /// Send the head; all of it, if something follows in the chain.
    SendHead {
        /// To whom.
        socket: Registered,
        /// More will be sent at once, so that the last packet need not leave yet.
        more: bool,
    },
    /// Send the head and the tail as one.
    SendBoth {
        /// To whom.
        socket: Registered,
    },
    /// Send the tail.
    SendTail {
        /// To whom.
        socket: Registered,
        /// From where it is: it is the kernel's until every byte has been acknowledged.
        zero_copy: bool,
    },
    /// Fill the tail from the file. If the file ends before, nothing that follows is done.
    Read {
        /// Where in the file its first byte is.
        offset: u64,
    },
    /// Have bytes of the file in the pipe.
    SpliceIn {
        /// Where in the file they begin.
        offset: u64,
        /// How many.
        length: u32,
    },
    /// Send bytes that are in the pipe, without waiting for room.
    SpliceOut {
        /// To whom.
        socket: Registered,
        /// How many.
        length: u32,
    },
    /// Wait until there is room to send.
    WaitWritable {
        /// To whom.
        socket: Registered,
    },
    /// Open the path beneath the directory (openat2(2)).
    Open {
        /// `O_`…
        flags: u64,
        /// `RESOLVE_`…
        resolve: u64,
    },
    /// Ask what the file is (statx(2)).
    Look,
    /// Let time pass.
    Sleep(Duration),
}

/// Shared bytes of which a part is to be sent, or filled.
#[derive(Debug, Clone)]
pub struct Tail {
    bytes: Shared,
    range: Range<usize>,
}

impl Tail {
    /// Bytes of a tail that the ring keeps for later.
    pub const BYTES: usize = 64 << 10;

    /// These of `bytes`, as far as there are so many.
    pub fn new(bytes: Arc<[u8]>, range: Range<usize>) -> Self {
        let end = range.end.min(bytes.len());
        Self {
            range: range.start.min(end)..end,
            bytes,
        }
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// So many have been sent.
    pub fn advance(&mut self, bytes: usize) {
        self.range.start = (self.range.start + bytes).min(self.range.end);
    }

    /// No more than these were filled.
    pub fn truncate(&mut self, bytes: usize) {
        self.range.end = self.range.end.min(self.range.start + bytes);
    }

    /// What is to be sent, to be written to; `None` where somebody else has it, who may be the kernel.
    pub fn to_fill(&mut self) -> Option<&mut [u8]> {
        Arc::get_mut(&mut self.bytes)?.get_mut(self.range.clone())
    }

    /// All of the shared bytes.
    pub fn into_bytes(self) -> Arc<[u8]> {
        self.bytes
    }

    /// What there is of it.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }
}

/// What is known of a file (statx(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Its type and permissions.
    pub mode: u32,
    /// The device that it is on, as `stat` numbers it.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its length in bytes.
    pub length: u64,
    /// When it was modified: seconds since 1970 and nanoseconds.
    pub modified: (i64, u32),
    /// When it was changed, likewise.
    pub changed: (i64, u32),
}

/// A chain that is over.
#[derive(Debug)]
pub struct Finished<O> {
    /// What it was given.
    pub operand: O,
    /// Likewise. One that was sent without copying may be the kernel's still; then these are shared bytes that nobody can change.
    pub tail: Option<Tail>,
    /// What came of each operation: `ECANCELED` where one before it did not do all that it was to do.
    pub results: [Result<u32, Errno>; MOST_LINKED],
    /// What was opened.
    pub opened: Option<OwnedFd>,
    /// What was seen of the file.
    pub status: Option<Status>,
}
