//! Operations that follow each other, and the memory that is theirs until the last has completed.

use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use io_uring::types::{Fd, OpenHow, Timespec};
use io_uring::{opcode, squeue};
use rustix::io::Errno;

use super::operation::{Finished, Operand, Operation, Status, Tail};
use super::{Kind, MOST_LINKED, Shared, mark};

/// What the kernel reads and writes, at an address that does not change.
struct Chain<O> {
    operand: Option<O>,
    tail: Option<Tail>,
    opens: bool,
    looks: bool,
    results: [Result<u32, Errno>; MOST_LINKED],
    /// Entries that have not completed.
    pending: usize,
    /// Notifications that the tail is not needed any more, yet to come.
    notifications: usize,
    parts: [libc::iovec; 2],
    message: libc::msghdr,
    path: Vec<u8>,
    how: OpenHow,
    status: libc::statx,
    time: Timespec,
}

/// All chains of a ring, used over and over.
pub(super) struct Chains<O> {
    all: Vec<NonNull<Chain<O>>>,
    idle: Vec<u32>,
    spare: Vec<Shared>,
    unnotified: usize,
}

impl<O> Default for Chains<O> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            idle: Vec::new(),
            spare: Vec::new(),
            unnotified: 0,
        }
    }
}

/// The most tails kept for later.
const MOST_SPARE: usize = 256;
const POSITION_BITS: u32 = 8;
const CANCELED: Result<u32, Errno> = Err(Errno::CANCELED);

impl<O: Operand> Chains<O> {
    /// The entries of a chain, which has what they need from now on.
    pub(super) fn begin(
        &mut self,
        operations: &[Operation],
        operand: O,
        tail: Option<Tail>,
    ) -> Result<([squeue::Entry; MOST_LINKED], usize), O> {
        let index = self.idle.pop().unwrap_or_else(|| {
            self.all
                .push(NonNull::from(Box::leak(Box::new(Chain::new()))));
            (self.all.len() - 1) as u32
        });
        // SAFETY: an idle chain is nobody else's: none of its entries is in flight.
        let chain = unsafe { self.all[index as usize].as_mut() };
        chain.operand = Some(operand);
        chain.tail = tail;
        (chain.opens, chain.looks) = (false, false);
        chain.results = [CANCELED; MOST_LINKED];
        (chain.pending, chain.notifications) = (operations.len(), 0);
        let mut entries = [const { None }; MOST_LINKED];
        for (position, operation) in operations.iter().enumerate() {
            let follows = position + 1 < operations.len();
            let Some(entry) = chain.entry(*operation, follows) else {
                self.idle.push(index);
                return Err(chain.operand.take().expect("it was put there above"));
            };
            let value = u64::from(index) << POSITION_BITS | position as u64;
            let entry = entry.user_data(mark(Kind::Chain, value));
            entries[position] = Some(match follows {
                true => entry.flags(squeue::Flags::IO_LINK),
                false => entry,
            });
        }
        let nothing = || opcode::Nop::new().build();
        Ok((
            entries.map(|entry| entry.unwrap_or_else(nothing)),
            operations.len(),
        ))
    }

    /// An entry has completed, or the kernel has let go of what one has sent; the chain, if it is over.
    pub(super) fn complete(
        &mut self,
        value: u64,
        result: Result<u32, Errno>,
        goes_on: bool,
        is_notification: bool,
    ) -> Option<Finished<O>> {
        let (index, position) = (
            (value >> POSITION_BITS) as u32,
            (value & ((1 << POSITION_BITS) - 1)) as usize,
        );
        // SAFETY: the mark is one that `begin` made of a chain of these, and chains are not freed while any entry of theirs is in
        // flight. The kernel may be using what the fields below do not reach: the operand's and the tail's bytes, which are
        // elsewhere, and what was handed to entries that are yet to complete.
        let chain = unsafe { self.all.get(index as usize)?.as_ptr().as_mut()? };
        if is_notification {
            chain.notifications -= 1;
            if chain.notifications == 0 && chain.pending == 0 {
                self.unnotified -= 1;
                self.idle.push(index);
                if let Some(tail) = chain.tail.take() {
                    self.recycle(tail.into_bytes());
                }
            }
            return None;
        }
        *chain.results.get_mut(position)? = result;
        chain.notifications += usize::from(goes_on);
        chain.pending -= 1;
        if chain.pending > 0 {
            return None;
        }
        let opened = match (chain.opens, chain.results[0]) {
            // SAFETY: the kernel has made this descriptor for the chain, which is over once.
            (true, Ok(number)) => Some(unsafe { OwnedFd::from_raw_fd(number.cast_signed()) }),
            _ => None,
        };
        let status = (chain.looks && chain.results[0].is_ok()).then(|| chain.status());
        let tail = if chain.notifications > 0 {
            self.unnotified += 1;
            chain.tail.clone()
        } else {
            self.idle.push(index);
            chain.tail.take()
        };
        Some(Finished {
            operand: chain.operand.take()?,
            tail,
            results: chain.results,
            opened,
            status,
        })
    }

    pub(super) fn spare_tail(&mut self, length: usize) -> Tail {
        let spare = match length {
            ..=Tail::BYTES => self.spare.pop(),
            _ => None,
        };
        let bytes = spare.unwrap_or_else(|| Arc::from(vec![0; length.max(Tail::BYTES)]));
        Tail::new(bytes, 0..length)
    }

    /// Keeps a tail that nobody else has.
    pub(super) fn recycle(&mut self, mut bytes: Shared) {
        let is_ours = bytes.len() == Tail::BYTES && Arc::get_mut(&mut bytes).is_some();
        if is_ours && self.spare.len() < MOST_SPARE {
            self.spare.push(bytes);
        }
    }

    pub(super) fn unnotified(&self) -> usize {
        self.unnotified
    }
}

impl<O> Chains<O> {
    /// Frees all. Nothing may be in flight.
    pub(super) fn free(&mut self) {
        for chain in self.all.drain(..) {
            // SAFETY: it was leaked from a box when it was made, and the kernel has nothing of it any more.
            drop(unsafe { Box::from_raw(chain.as_ptr()) });
        }
    }
}

impl<O> Chain<O> {
    fn new() -> Self {
        Self {
            operand: None,
            tail: None,
            opens: false,
            looks: false,
            results: [CANCELED; MOST_LINKED],
            pending: 0,
            notifications: 0,
            // SAFETY: plain integers and pointers, for which all zeroes are a value.
            parts: unsafe { zeroed() },
            // SAFETY: likewise.
            message: unsafe { zeroed() },
            path: Vec::new(),
            how: OpenHow::new(),
            // SAFETY: likewise.
            status: unsafe { zeroed() },
            time: Timespec::new(),
        }
    }

    fn status(&self) -> Status {
        let seen = &self.status;
        Status {
            mode: seen.stx_mode.into(),
            device: libc::makedev(seen.stx_dev_major, seen.stx_dev_minor),
            inode: seen.stx_ino,
            length: seen.stx_size,
            modified: (seen.stx_mtime.tv_sec, seen.stx_mtime.tv_nsec),
            changed: (seen.stx_ctime.tv_sec, seen.stx_ctime.tv_nsec),
        }
    }
}

impl<O: Operand> Chain<O> {
    fn file(&self) -> Option<Fd> {
        let file = self.operand.as_ref()?.file()?;
        Some(Fd(file.as_raw_fd()))
    }

    /// The entry for an operation; nothing where what it needs is not there.
    fn entry(&mut self, operation: Operation, follows: bool) -> Option<squeue::Entry> {
        let whole = if follows { libc::MSG_WAITALL } else { 0 };
        let tail = self.tail.as_ref().map_or(&[][..], Tail::filled);
        Some(match operation {
            Operation::SendHead { socket, more } => {
                let head = self.operand.as_ref()?.head();
                let more = if more { libc::MSG_MORE } else { 0 };
                opcode::Send::new(socket.fixed(), head.as_ptr(), length(head.len()))
                    .flags(more | whole)
                    .build()
            }
            Operation::SendBoth { socket } => {
                let head = self.operand.as_ref()?.head();
                self.parts = [head, tail].map(|part| libc::iovec {
                    iov_base: part.as_ptr().cast_mut().cast(),
                    iov_len: part.len(),
                });
                self.message.msg_iov = self.parts.as_mut_ptr();
                self.message.msg_iovlen = self.parts.len();
                opcode::SendMsg::new(socket.fixed(), &raw const self.message).build()
            }
            Operation::SendTail { socket, zero_copy } => {
                let (start, length) = (tail.as_ptr(), length(tail.len()));
                match zero_copy {
                    true => opcode::SendZc::new(socket.fixed(), start, length).build(),
                    false => opcode::Send::new(socket.fixed(), start, length).build(),
                }
            }
            Operation::Read { offset } => {
                let file = self.file()?;
                // Nobody else may be looking at what the kernel will write.
                let bytes = self.tail.as_mut()?.to_fill()?;
                opcode::Read::new(file, bytes.as_mut_ptr(), length(bytes.len()))
                    .offset(offset)
                    .build()
            }
            Operation::SpliceIn { offset, length } => {
                let pipe = Fd(self.operand.as_ref()?.pipe()?.1.as_raw_fd());
                let offset = i64::try_from(offset).ok()?;
                opcode::Splice::new(self.file()?, offset, pipe, -1, length).build()
            }
            Operation::SpliceOut { socket, length } => {
                let pipe = Fd(self.operand.as_ref()?.pipe()?.0.as_raw_fd());
                opcode::Splice::new(pipe, -1, socket.fixed(), -1, length)
                    .flags(libc::SPLICE_F_NONBLOCK)
                    .build()
            }
            Operation::WaitWritable { socket } => {
                opcode::PollAdd::new(socket.fixed(), libc::POLLOUT as u32).build()
            }
            Operation::Open { flags, resolve } => {
                let path = self.operand.as_ref()?.path()?;
                if path.contains(&0) {
                    return None;
                }
                self.path.clear();
                self.path.extend_from_slice(path);
                self.path.push(0);
                self.opens = true;
                self.how = OpenHow::new().flags(flags).resolve(resolve);
                opcode::OpenAt2::new(self.file()?, self.path.as_ptr().cast(), &raw const self.how)
                    .build()
            }
            Operation::Look => {
                self.looks = true;
                let seen = (&raw mut self.status).cast();
                opcode::Statx::new(self.file()?, c"".as_ptr(), seen)
                    .flags(libc::AT_EMPTY_PATH)
                    .mask(libc::STATX_BASIC_STATS)
                    .build()
            }
            Operation::Sleep(time) => {
                self.time = Timespec::from(time);
                opcode::Timeout::new(&raw const self.time).build()
            }
        })
    }
}

/// As the kernel counts: what is longer is sent in several parts.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
