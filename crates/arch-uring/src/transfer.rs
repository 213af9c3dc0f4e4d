//! An output on its way: which entries send it, and what is left when they have completed.

use std::io::{PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use arch::session::{Output, SendError, Tail};
use rustix::io::Errno;
use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};
use sys::ring::{MOST_LINKED, Operation, Registered, Tail as Bytes};

use crate::options::SendBy;

/// Bytes of a file that are read and sent at a time.
const PIECE: usize = Bytes::BYTES;
/// What a pipe is to hold: each piece that goes through it takes two hand-overs.
const PIPE: usize = 1 << 20;

/// A pipe between a file and a socket.
#[derive(Debug)]
pub(crate) struct Pipe {
    reader: PipeReader,
    writer: PipeWriter,
    /// How many it holds: as many as whoever is not privileged may have.
    bytes: usize,
}

impl Pipe {
    pub(crate) fn new() -> std::io::Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        let bytes = fcntl_setpipe_size(&writer, PIPE).or_else(|_| fcntl_getpipe_size(&writer))?;
        Ok(Self {
            reader,
            writer,
            bytes,
        })
    }

    pub(crate) fn ends(&self) -> (BorrowedFd<'_>, BorrowedFd<'_>) {
        (self.reader.as_fd(), self.writer.as_fd())
    }
}

/// The entries that were handed in last, linked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    Head,
    Both,
    HeadThenTail,
    ReadThenBoth,
    ReadThenHeadThenTail,
    HeadThenSplice,
    Splice,
    DrainPipe,
}

/// An output that the kernel has, until all that is to be sent of it now has left.
#[derive(Debug)]
pub(crate) struct Transfer {
    output: Output,
    /// How many of its bytes have left.
    sent: usize,
    /// How many are to.
    goal: usize,
    /// Bytes of the file are in memory of ours.
    is_read: bool,
    pub(crate) pipe: Option<Pipe>,
    in_pipe: usize,
    send: SendBy,
    chain: Chain,
}

/// What has become of a transfer.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// There is more to be sent.
    GoesOn,
    /// All of it has left, so many bytes; or none of it will.
    IsOver(Result<usize, SendError>),
}

/// Entries, and how many of them there are.
type Linked = ([Operation; MOST_LINKED], usize);

type Results = [Result<u32, Errno>; MOST_LINKED];

impl Transfer {
    /// `pipe`: through which the bytes of a file go; without one they are read.
    pub(crate) fn new(output: Output, pipe: Option<Pipe>, send: SendBy) -> Self {
        let goal = match output.tail() {
            Tail::File(_, range) => {
                let most = pipe.as_ref().map_or(PIECE, |pipe| pipe.bytes);
                let piece = usize::try_from(range.end - range.start).unwrap_or(most);
                output.head().len() + piece.min(most)
            }
            Tail::None | Tail::Memory(..) => usize::try_from(output.len()).unwrap_or(usize::MAX),
        };
        Self {
            output,
            sent: 0,
            goal,
            is_read: false,
            pipe,
            in_pipe: 0,
            send,
            chain: Chain::Head,
        }
    }

    pub(crate) fn into_output(self) -> Output {
        self.output
    }

    /// Whether its pipe can serve another.
    pub(crate) fn take_pipe(&mut self) -> Option<Pipe> {
        self.pipe.take().filter(|_| self.in_pipe == 0)
    }

    /// What of the head has not left.
    pub(crate) fn head(&self) -> &[u8] {
        let head = self.output.head();
        &head[self.sent.min(head.len())..]
    }

    pub(crate) fn file(&self) -> Option<BorrowedFd<'_>> {
        match self.output.tail() {
            Tail::File(entry, _) => Some(entry.file.as_fd()),
            Tail::None | Tail::Memory(..) => None,
        }
    }

    /// The bytes in memory that are its tail from the start.
    pub(crate) fn tail_in_memory(&self) -> Option<Bytes> {
        match self.output.tail() {
            Tail::Memory(bytes, range) => Some(Bytes::new(Arc::clone(bytes), range.clone())),
            Tail::None | Tail::File(..) => None,
        }
    }

    /// How many bytes have to be read from the file before any can be sent; none if they need not be.
    pub(crate) fn to_be_read(&self) -> Option<usize> {
        let reads = self.pipe.is_none() && !self.is_read && self.file().is_some();
        reads.then(|| self.goal - self.output.head().len())
    }

    /// The entries that are next.
    pub(crate) fn next(&mut self, socket: Registered) -> Linked {
        let zero_copy = self.send == SendBy::ZeroCopy;
        let head = Operation::SendHead { socket, more: true };
        let tail = Operation::SendTail { socket, zero_copy };
        let left = self.goal - self.sent;
        let has_head = !self.head().is_empty();
        match self.output.tail() {
            Tail::None => {
                self.chain = Chain::Head;
                let more = self.output.is_last();
                linked([Operation::SendHead { socket, more }])
            }
            Tail::File(_, range) if self.pipe.is_some() => {
                let out = |length: usize| Operation::SpliceOut {
                    socket,
                    length: length as u32,
                };
                if self.in_pipe > 0 {
                    self.chain = Chain::DrainPipe;
                    linked([Operation::WaitWritable { socket }, out(self.in_pipe)])
                } else {
                    let length = left - self.head().len();
                    let into = Operation::SpliceIn {
                        offset: range.start,
                        length: length as u32,
                    };
                    if has_head {
                        self.chain = Chain::HeadThenSplice;
                        linked([head, into, out(length)])
                    } else {
                        self.chain = Chain::Splice;
                        linked([into, out(length)])
                    }
                }
            }
            Tail::File(_, range) if !self.is_read => {
                let read = Operation::Read {
                    offset: range.start,
                };
                if zero_copy && has_head {
                    self.chain = Chain::ReadThenHeadThenTail;
                    linked([read, head, tail])
                } else {
                    self.chain = Chain::ReadThenBoth;
                    linked([read, self.both(socket, tail)])
                }
            }
            Tail::File(..) | Tail::Memory(..) => {
                if zero_copy && has_head {
                    self.chain = Chain::HeadThenTail;
                    linked([head, tail])
                } else {
                    self.chain = Chain::Both;
                    linked([self.both(socket, tail)])
                }
            }
        }
    }

    /// What is left of head and tail, by one entry.
    fn both(&self, socket: Registered, tail: Operation) -> Operation {
        if self.head().is_empty() {
            tail
        } else {
            Operation::SendBoth { socket }
        }
    }

    /// Its entries have completed, and what was its tail is back; `progress` is told how many bytes have left.
    pub(crate) fn completed(
        &mut self,
        results: &Results,
        tail: Option<&mut Bytes>,
        mut progress: impl FnMut(usize),
    ) -> Outcome {
        let before = self.sent;
        let ended = self.take(results, tail);
        if self.sent > before {
            progress(self.sent - before);
        }
        match ended {
            Err(error) => Outcome::IsOver(Err(error)),
            Ok(()) if self.sent >= self.goal => Outcome::IsOver(Ok(self.sent)),
            Ok(()) => Outcome::GoesOn,
        }
    }

    fn take(&mut self, results: &Results, mut tail: Option<&mut Bytes>) -> Result<(), SendError> {
        let [first, second, third] = *results;
        match self.chain {
            Chain::Head | Chain::Both => self.left(first, tail)?,
            Chain::HeadThenTail => {
                self.left(first, tail.as_deref_mut())?;
                self.left(unless_cancelled(second), tail)?;
            }
            Chain::ReadThenBoth => {
                self.was_read(first, tail.as_deref_mut())?;
                self.left(unless_cancelled(second), tail)?;
            }
            Chain::ReadThenHeadThenTail => {
                self.was_read(first, tail.as_deref_mut())?;
                self.left(unless_cancelled(second), tail.as_deref_mut())?;
                self.left(unless_cancelled(third), tail)?;
            }
            Chain::HeadThenSplice => {
                self.left(first, None)?;
                if self.head().is_empty() {
                    self.was_spliced(second)?;
                    self.has_left_pipe(third)?;
                }
            }
            Chain::Splice => {
                self.was_spliced(first)?;
                self.has_left_pipe(second)?;
            }
            Chain::DrainPipe => {
                first.map_err(|_| SendError::Broken)?;
                self.has_left_pipe(second)?;
            }
        }
        Ok(())
    }

    /// So many bytes have left.
    fn left(
        &mut self,
        sent: Result<u32, Errno>,
        tail: Option<&mut Bytes>,
    ) -> Result<(), SendError> {
        let bytes = sent.map_err(|_| SendError::Broken)? as usize;
        let of_head = bytes.min(self.head().len());
        self.sent += bytes;
        if let Some(tail) = tail {
            tail.advance(bytes - of_head);
        }
        Ok(())
    }

    fn was_read(
        &mut self,
        read: Result<u32, Errno>,
        tail: Option<&mut Bytes>,
    ) -> Result<(), SendError> {
        let bytes = self.of_the_file(read)?;
        if let Some(tail) = tail {
            tail.truncate(bytes);
        }
        self.is_read = true;
        self.goal = self.output.head().len() + bytes;
        Ok(())
    }

    fn was_spliced(&mut self, spliced: Result<u32, Errno>) -> Result<(), SendError> {
        self.in_pipe = self.of_the_file(spliced)?;
        self.goal = self.sent + self.in_pipe;
        Ok(())
    }

    fn has_left_pipe(&mut self, sent: Result<u32, Errno>) -> Result<(), SendError> {
        let bytes = match sent {
            Ok(bytes) => bytes as usize,
            // There was no room; or fewer came into the pipe than were to leave it.
            Err(Errno::AGAIN | Errno::CANCELED) => 0,
            Err(_) => return Err(SendError::Broken),
        };
        self.in_pipe -= bytes.min(self.in_pipe);
        self.sent += bytes;
        Ok(())
    }

    /// How many bytes the file gave.
    fn of_the_file(&self, result: Result<u32, Errno>) -> Result<usize, SendError> {
        match result {
            Ok(0) => Err(SendError::Truncated),
            Ok(bytes) => Ok(bytes as usize),
            Err(_) => {
                if let Tail::File(entry, range) = self.output.tail() {
                    entry.blame(range.start);
                }
                Err(SendError::Unreadable)
            }
        }
    }
}

/// Nothing has left of what was not tried, because an entry before it did less than it was to do.
fn unless_cancelled(result: Result<u32, Errno>) -> Result<u32, Errno> {
    match result {
        Err(Errno::CANCELED) => Ok(0),
        other => other,
    }
}

/// These entries, each only if the one before has done all that it was to do.
fn linked<const N: usize>(operations: [Operation; N]) -> Linked {
    let mut all = [Operation::Look; MOST_LINKED];
    all[..N].copy_from_slice(&operations);
    (all, N)
}
