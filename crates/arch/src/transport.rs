//! How bytes move: the seam between a session's outputs and whatever carries them, and the kernel's sockets, which do it alike for
//! every architecture.
//!
//! | what leaves | how | why |
//! | --- | --- | --- |
//! | heads, and bodies up to [`GATHER_FROM`] | copied into one buffer, one `send` | a copy of a few hundred bytes is cheaper than a second element of a gathering write |
//! | larger copies from the content cache | `sendmsg` with head and body | one system call, no copy of ours |
//! | the last answer of a connection, where one buffer holds it | `send` with `MSG_MORE`, then `shutdown` | the FIN goes with it: a packet less for both ends |
//! | several frames of a body in HTTP/2, in memory or in a file | `sendmsg` with headers and payloads in turn; a file's are read between their headers first (`preadv`) | two calls for 64 KiB; each frame by itself takes a head, a look at the file and a `sendfile` for 16 KiB, which cost more than the copy |
//! | everything else | `send` of the head with `MSG_MORE`, then `sendfile` | the kernel passes on pages of its cache; what is in memory is sent without copying |
//!
//! A mapping of the file (`writev` from `mmap`, as Flash did) is not offered: a file that is truncated while it is
//! sent would kill the server with SIGBUS.

use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;

use http::h2::{Frames, Header};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

use crate::Entry;
use crate::listener::Client;
use crate::session::{Output, SendError, Tail};

/// Bodies in memory from this length on are gathered by the kernel instead of copied beside their head.
pub const GATHER_FROM: &str = "8k";

/// Frames that leave by one call; others by the next.
const MOST_FRAMES: usize = 8;

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

/// What carries the bytes of one connection.
pub trait Transport {
    /// Receives into `buffer`; nothing at the end of the input.
    ///
    /// # Errors
    /// [`Errno::AGAIN`] where nothing has come, within the time that the transport waits if it does.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno>;

    /// Sends as much of `output` as can be sent at once, or within the time that the transport waits.
    ///
    /// # Errors
    /// Why no more of it will ever be sent.
    fn send(&mut self, output: &Output, via: &mut SendVia) -> Result<Sent, SendError>;

    /// Ends the sending half, behind what was sent. An error means that the connection is gone, which the next `receive` tells.
    fn shutdown_write(&mut self);

    /// How many bytes were sent that the client has not taken yet, where that can be known.
    fn unacknowledged(&self) -> Option<u64>;
}

/// How much of an output was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Bytes taken.
    pub bytes: usize,
    /// It takes no more at present. Otherwise, if anything is left, it is to be tried again.
    pub is_full: bool,
}

/// How the bytes of files leave, and a buffer for those that have to be copied.
#[derive(Debug)]
pub struct SendVia {
    path: SendPath,
    /// A thread has one, where each connection has a thread of its own as many as those. It stays as long as it once was: to be made
    /// and filled with zeros for each answer, it would cost more than the copy.
    copy: Vec<u8>,
}

impl SendVia {
    pub(crate) fn new(path: SendPath) -> Self {
        Self {
            path,
            copy: Vec::new(),
        }
    }
}

/// A socket of the kernel's that does not block.
impl Transport for Arc<Client> {
    #[inline]
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        receive(&self.socket, buffer)
    }

    #[inline]
    fn send(&mut self, output: &Output, via: &mut SendVia) -> Result<Sent, SendError> {
        send(&self.socket, output, via)
    }

    fn shutdown_write(&mut self) {
        Client::shutdown_write(self);
    }

    fn unacknowledged(&self) -> Option<u64> {
        Client::unacknowledged(self)
    }
}

/// Receives from a socket of the kernel's, as [`Transport::receive`].
///
/// # Errors
/// Likewise.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    rustix::io::retry_on_intr(|| rustix::net::recv(&socket, &mut *buffer, RecvFlags::empty()))
        .map(|(count, _)| count)
}

/// The same from a socket whose calls wait, without waiting.
///
/// # Errors
/// Likewise.
pub fn receive_now(socket: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    let flags = RecvFlags::DONTWAIT;
    rustix::io::retry_on_intr(|| rustix::net::recv(&socket, &mut *buffer, flags))
        .map(|(count, _)| count)
}

/// Sends to a socket of the kernel's, as [`Transport::send`].
///
/// # Errors
/// Likewise.
pub fn send(socket: impl AsFd, output: &Output, via: &mut SendVia) -> Result<Sent, SendError> {
    let head = output.head();
    if let Some(frames) = output.frames() {
        return send_frames(&socket, output, frames, via);
    }
    match output.tail() {
        Tail::None => send_bytes(&socket, head, more(output.is_last())),
        Tail::Memory(..) if head.is_empty() => {
            send_bytes(&socket, output.tail_in_memory(), more(false))
        }
        Tail::Memory(..) => {
            let tail = output.tail_in_memory();
            let slices = [IoSlice::new(head), IoSlice::new(tail)];
            gather(&socket, &slices, head.len() + tail.len())
        }
        Tail::File(entry, range) => {
            if output.announces_its_tail() && is_shorter(entry, range.end) {
                return Err(SendError::Truncated);
            }
            send_with_file(&socket, head, entry, range.clone(), via)
        }
    }
}

/// Sends `head` and a piece of a file behind it.
fn send_with_file(
    socket: impl AsFd,
    head: &[u8],
    entry: &Entry,
    range: Range<u64>,
    via: &mut SendVia,
) -> Result<Sent, SendError> {
    let mut sent = 0;
    if !head.is_empty() {
        let of_head = send_bytes(&socket, head, more(true))?;
        if of_head.bytes < head.len() {
            return Ok(of_head);
        }
        sent = head.len();
    }
    match send_file(&socket, entry, range, via) {
        Ok(of_file) => Ok(Sent {
            bytes: sent + of_file.bytes,
            ..of_file
        }),
        // It is met again when the rest is to be sent.
        Err(_) if sent > 0 => Ok(Sent {
            bytes: sent,
            is_full: false,
        }),
        Err(error) => Err(error),
    }
}

/// Sends a head and frames, or the first of them, as one.
fn send_frames(
    socket: impl AsFd,
    output: &Output,
    frames: &Frames,
    via: &mut SendVia,
) -> Result<Sent, SendError> {
    match output.tail() {
        Tail::File(entry, range) => match read_frames(output.head(), entry, range, frames, via)? {
            0 => {
                // As a frame by itself, which tells a file that is shorter from one that gave little this time.
                let first = frames.iter().next().map_or(0, |(_, length)| length as u64);
                let first = range.start..range.start + first;
                if output.announces_its_tail() && is_shorter(entry, first.end) {
                    return Err(SendError::Truncated);
                }
                send_with_file(socket, output.head(), entry, first, via)
            }
            length => send_bytes(socket, &via.copy[..length], more(false)),
        },
        Tail::None | Tail::Memory(..) => {
            let mut payload = output.tail_in_memory();
            let mut headers = [Header::default(); MOST_FRAMES];
            let mut pieces = [(&[][..], &[][..]); MOST_FRAMES];
            let frames = frames.iter().zip(&mut headers).zip(&mut pieces);
            let (mut length, mut count) = (0, 0);
            for (((header, of_frame), place), piece) in frames {
                let (before, after) = payload.split_at(of_frame.min(payload.len()));
                payload = after;
                let header = match header {
                    Some(header) => {
                        *place = header;
                        &place[..]
                    }
                    None => output.head(),
                };
                length += header.len() + before.len();
                *piece = (header, before);
                count += 1;
            }
            let mut slices = [IoSlice::new(&[]); 2 * MOST_FRAMES];
            for ((header, payload), slices) in pieces.iter().zip(slices.chunks_exact_mut(2)) {
                slices[0] = IoSlice::new(header);
                slices[1] = IoSlice::new(payload);
            }
            gather(socket, &slices[..2 * count], length)
        }
    }
}

/// Reads the payloads of frames, or of the first of them, into the buffer of `via`, behind `head` and between their headers. Returns
/// how long that is; nothing where the file does not give the first payload.
fn read_frames(
    head: &[u8],
    entry: &Entry,
    range: &Range<u64>,
    frames: &Frames,
    via: &mut SendVia,
) -> Result<usize, SendError> {
    let mut length = head.len();
    for (header, of_frame) in frames.iter().take(MOST_FRAMES) {
        length += header.map_or(0, |header| header.len()) + of_frame;
    }
    if via.copy.len() < length {
        via.copy.resize(length, 0);
    }
    let (to_head, mut rest) = via.copy[..length].split_at_mut(head.len());
    to_head.copy_from_slice(head);
    let mut payloads = std::array::from_fn::<_, MOST_FRAMES, _>(|_| IoSliceMut::new(&mut []));
    let mut count = 0;
    for ((header, of_frame), payload) in frames.iter().zip(&mut payloads) {
        let header = header.as_ref().map_or(&[][..], |header| &header[..]);
        let (to_header, behind) = std::mem::take(&mut rest).split_at_mut(header.len());
        to_header.copy_from_slice(header);
        let (to_payload, behind) = behind.split_at_mut(of_frame);
        *payload = IoSliceMut::new(to_payload);
        (rest, count) = (behind, count + 1);
    }
    let read = rustix::io::retry_on_intr(|| {
        rustix::io::preadv(&entry.file, &mut payloads[..count], range.start)
    });
    let mut left = read.map_err(|_| {
        entry.blame(range.start);
        SendError::Unreadable
    })?;
    // Those that are whole: what a header promises has to follow.
    let mut whole = 0;
    for (header, of_frame) in frames.iter().take(count) {
        if left < of_frame {
            break;
        }
        left -= of_frame;
        whole += header.map_or(head.len(), |header| header.len()) + of_frame;
    }
    Ok(whole)
}

/// Whether more follows at once, so that it may share a packet.
fn more(follows: bool) -> SendFlags {
    if follows {
        SendFlags::NOSIGNAL | SendFlags::MORE
    } else {
        SendFlags::NOSIGNAL
    }
}

fn send_bytes(socket: impl AsFd, bytes: &[u8], flags: SendFlags) -> Result<Sent, SendError> {
    let sent = rustix::io::retry_on_intr(|| rustix::net::send(&socket, bytes, flags));
    taken(sent, bytes.len())
}

/// Sends slices, of so many bytes, as one.
fn gather(socket: impl AsFd, slices: &[IoSlice<'_>], length: usize) -> Result<Sent, SendError> {
    let mut control = SendAncillaryBuffer::default();
    let sent = rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(&socket, slices, &mut control, more(false))
    });
    taken(sent, length)
}

/// What a socket took of `wanted` bytes: fewer mean that it is full.
fn taken(sent: Result<usize, Errno>, wanted: usize) -> Result<Sent, SendError> {
    match sent {
        Ok(bytes) => Ok(Sent {
            bytes,
            is_full: bytes < wanted,
        }),
        Err(Errno::AGAIN) => Ok(FULL),
        Err(_) => Err(SendError::Broken),
    }
}

const FULL: Sent = Sent {
    bytes: 0,
    is_full: true,
};

/// Whether a file ends before `end` by now.
fn is_shorter(entry: &Entry, end: u64) -> bool {
    let size = rustix::fs::fstat(&entry.file).map(|file| u64::try_from(file.st_size));
    !matches!(size, Ok(Ok(size)) if size >= end)
}

/// Sends a piece of a file.
fn send_file(
    socket: impl AsFd,
    entry: &Entry,
    range: Range<u64>,
    via: &mut SendVia,
) -> Result<Sent, SendError> {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    if via.path == SendPath::Copy {
        if via.copy.len() < COPY {
            via.copy.resize(COPY, 0);
        }
        let buffer = &mut via.copy[..length.min(COPY)];
        let read = rustix::io::retry_on_intr(|| {
            rustix::io::preadv(&entry.file, &mut [IoSliceMut::new(buffer)], range.start)
        });
        return match read {
            Ok(0) => Err(SendError::Truncated),
            Ok(read) => send_bytes(socket, &buffer[..read], more(false)),
            Err(_) => {
                entry.blame(range.start);
                Err(SendError::Unreadable)
            }
        };
    }
    let sent = rustix::io::retry_on_intr(|| {
        rustix::fs::sendfile(&socket, &entry.file, Some(&mut range.start.clone()), length)
    });
    match sent {
        Ok(0) => Err(SendError::Truncated),
        // Fewer than wanted may mean a full socket or a shorter file: the next call tells.
        Ok(bytes) => Ok(Sent {
            bytes,
            is_full: false,
        }),
        Err(Errno::AGAIN) => Ok(FULL),
        Err(Errno::PIPE | Errno::CONNRESET) => Err(SendError::Broken),
        // One call speaks of a socket and a file, in the same words: the file is asked.
        Err(_) if entry.blame(range.start).is_some() => Err(SendError::Unreadable),
        Err(_) => Err(SendError::Broken),
    }
}

#[cfg(test)]
mod tests;
