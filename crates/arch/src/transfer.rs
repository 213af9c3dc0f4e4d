//! How bytes leave: one choice for every architecture.
//!
//! | what | how | why |
//! | --- | --- | --- |
//! | heads, and bodies up to [`GATHER_FROM`] | copied into one buffer, one `send` | a copy of a few hundred bytes is cheaper than a second element of a gathering write |
//! | larger copies from the content cache | `sendmsg` with head and body | one system call, no copy of ours |
//! | the last answer of a connection, where one buffer holds it | `send` with `MSG_MORE`, then `shutdown` | the FIN goes with it: a packet less for both ends |
//! | everything else | `send` of the head with `MSG_MORE`, then `sendfile` | the kernel passes on pages of its cache; what is in memory is sent without copying |
//!
//! A mapping of the file (`writev` from `mmap`, as Flash did) is not offered: a file that is truncated while it is
//! sent would kill the server with SIGBUS.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

/// Bodies in memory from this length on are gathered by the kernel instead of copied beside their head.
pub const GATHER_FROM: &str = "8k";

/// Bytes copied at a time with [`SendPath::Copy`].
const COPY: usize = 64 << 10;

/// How the bytes of files that are not in the content cache leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SendPath {
    /// The kernel passes them from its page cache to the socket.
    Sendfile,
    /// They are read into a buffer and written from there.
    Copy,
}

/// Whether more of the same answer follows at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    Follows,
    Nothing,
}

impl More {
    fn flags(self) -> SendFlags {
        match self {
            Self::Follows => SendFlags::NOSIGNAL | SendFlags::MORE,
            Self::Nothing => SendFlags::NOSIGNAL,
        }
    }
}

pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    rustix::io::retry_on_intr(|| rustix::net::recv(&socket, &mut *buffer, RecvFlags::empty()))
        .map(|(count, _)| count)
}

pub(crate) fn send(socket: impl AsFd, bytes: &[u8], more: More) -> Result<usize, Errno> {
    rustix::io::retry_on_intr(|| rustix::net::send(&socket, bytes, more.flags()))
}

/// Sends `head` and `body` as one.
pub(crate) fn gather(socket: impl AsFd, head: &[u8], body: &[u8]) -> Result<usize, Errno> {
    let slices = [IoSlice::new(head), IoSlice::new(body)];
    rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(
            &socket,
            &slices,
            &mut SendAncillaryBuffer::default(),
            More::Nothing.flags(),
        )
    })
}

/// Sends a piece of a file; 0 when the file ends before it.
pub(crate) fn send_file(
    socket: impl AsFd,
    file: &File,
    range: Range<u64>,
    path: SendPath,
    copy: &mut Vec<u8>,
) -> Result<usize, Errno> {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    match path {
        SendPath::Sendfile => rustix::io::retry_on_intr(|| {
            rustix::fs::sendfile(&socket, file, Some(&mut range.start.clone()), length)
        }),
        SendPath::Copy => {
            copy.resize(COPY, 0);
            let buffer = &mut copy[..length.min(COPY)];
            let read = rustix::io::retry_on_intr(|| {
                rustix::io::preadv(file, &mut [IoSliceMut::new(buffer)], range.start)
            })?;
            if read == 0 {
                Ok(0)
            } else {
                send(socket, &buffer[..read], More::Nothing)
            }
        }
    }
}
