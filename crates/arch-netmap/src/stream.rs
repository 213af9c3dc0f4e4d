//! A connection's bytes: what carries a session's input and outputs, in place of the kernel's socket.

use std::cell::{Ref, RefCell, RefMut};
use std::io::IoSliceMut;
use std::ops::Range;
use std::rc::Rc;

use arch::session::{Frames, Output, SendError, Tail};
use arch::transport::{SendVia, Sent, Transport};
use arch::{Entry, Readiness};
use rustix::io::Errno;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{self, RecvError};

/// One TCP connection of the stack's, in a set of its own: the stack looks at all sockets of a set for every packet.
#[derive(Debug)]
pub(crate) struct Tcp {
    pub(crate) sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl Tcp {
    pub(crate) fn new(socket: tcp::Socket<'static>) -> Self {
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let handle = sockets.add(socket);
        Self { sockets, handle }
    }

    pub(crate) fn socket(&self) -> &tcp::Socket<'static> {
        self.sockets.get(self.handle)
    }

    pub(crate) fn socket_mut(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

/// The connection as its session has it; the stack has it too, and one thread both.
#[derive(Debug)]
pub(crate) struct Stream(pub(crate) Rc<RefCell<Tcp>>);

impl Stream {
    /// What can be done without waiting. Room to write is said to be there when half of the buffer is free, so that a slow client does not
    /// have its answer in crumbs.
    pub(crate) fn readiness(&self) -> Readiness {
        let tcp = self.0.borrow();
        let socket = tcp.socket();
        let is_ended = !socket.may_recv();
        let is_roomy = socket.send_queue() * 2 <= socket.send_capacity();
        Readiness {
            readable: socket.can_recv() || is_ended,
            // Of one that broke, sending tells.
            writable: is_roomy || !socket.may_send(),
            is_ended,
            is_urgent: false,
        }
    }

    /// Whether something was sent that its client has not taken.
    pub(crate) fn has_unacknowledged(&self) -> bool {
        self.socket().send_queue() > 0
    }

    fn socket(&self) -> Ref<'_, tcp::Socket<'static>> {
        Ref::map(self.0.borrow(), Tcp::socket)
    }

    fn socket_mut(&mut self) -> RefMut<'_, tcp::Socket<'static>> {
        RefMut::map(self.0.borrow_mut(), Tcp::socket_mut)
    }
}

impl Transport for Stream {
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        match self.socket_mut().recv_slice(buffer) {
            Ok(0) => Err(Errno::AGAIN),
            Ok(count) => Ok(count),
            Err(RecvError::Finished) => Ok(0),
            Err(RecvError::InvalidState) => Err(Errno::CONNRESET),
        }
    }

    fn send(&mut self, output: &Output, _: &mut SendVia) -> Result<Sent, SendError> {
        let mut socket = self.socket_mut();
        let mut sent = take(&mut socket, output.head())?;
        if sent.is_full {
            return Ok(sent);
        }
        if let Some(frames) = output.frames() {
            return take_frames(&mut socket, output, frames, sent);
        }
        let tail = match output.tail() {
            Tail::None => Ok(sent),
            Tail::Memory(..) => take(&mut socket, output.tail_in_memory()),
            Tail::File(entry, range) => take_file(&mut socket, entry, range.clone()),
        };
        match tail {
            Ok(tail) if !matches!(output.tail(), Tail::None) => {
                sent.bytes += tail.bytes;
                sent.is_full = tail.is_full;
            }
            // It is met again when the rest is to be sent.
            Err(error) if sent.bytes == 0 => return Err(error),
            _ => {}
        }
        Ok(sent)
    }

    fn shutdown_write(&mut self) {
        self.socket_mut().close();
    }

    fn unacknowledged(&self) -> Option<u64> {
        Some(self.socket().send_queue() as u64)
    }
}

/// Copies bytes into the connection's buffer, as many as there is room for.
fn take(socket: &mut tcp::Socket<'static>, bytes: &[u8]) -> Result<Sent, SendError> {
    let taken = socket.send_slice(bytes).map_err(|_| SendError::Broken)?;
    Ok(Sent {
        bytes: taken,
        is_full: taken < bytes.len(),
    })
}

/// Copies or reads frames into the connection's buffer, as much of them as there is room for, behind what was taken before.
fn take_frames(
    socket: &mut tcp::Socket<'static>,
    output: &Output,
    frames: &Frames,
    mut sent: Sent,
) -> Result<Sent, SendError> {
    let mut done = 0;
    for (header, length) in frames.iter() {
        if let Some(header) = header {
            let taken = take(socket, &header)?;
            sent.bytes += taken.bytes;
            sent.is_full = taken.is_full;
            if taken.is_full {
                break;
            }
        }
        let taken = match output.tail() {
            Tail::File(entry, range) => {
                let start = range.start + done as u64;
                take_file(socket, entry, start..start + length as u64)
            }
            Tail::None | Tail::Memory(..) => {
                let payload = output.tail_in_memory().get(done..done + length);
                take(socket, payload.unwrap_or_default())
            }
        };
        match taken {
            Ok(taken) => {
                sent.bytes += taken.bytes;
                sent.is_full = taken.is_full;
                if taken.bytes < length {
                    break;
                }
            }
            // It is met again when the rest is to be sent.
            Err(_) if sent.bytes > 0 => break,
            Err(error) => return Err(error),
        }
        done += length;
    }
    Ok(sent)
}

/// Reads a piece of a file into the connection's buffer, as much as there is room for; it is not copied a second time on our side of
/// the buffer.
fn take_file(
    socket: &mut tcp::Socket<'static>,
    entry: &Entry,
    range: Range<u64>,
) -> Result<Sent, SendError> {
    let wanted = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let mut taken = 0;
    while taken < wanted && socket.can_send() {
        let at = range.start + taken as u64;
        let read = socket.send(|room| {
            let length = room.len().min(wanted - taken);
            let read = rustix::io::retry_on_intr(|| {
                rustix::io::preadv(&entry.file, &mut [IoSliceMut::new(&mut room[..length])], at)
            });
            (read.unwrap_or(0), read)
        });
        match read.map_err(|_| SendError::Broken)? {
            Ok(read @ 1..) => taken += read,
            // What was read leaves first; the rest is met again.
            _ if taken > 0 => break,
            Ok(_) => return Err(SendError::Truncated),
            Err(_) => {
                entry.blame(at);
                return Err(SendError::Unreadable);
            }
        }
    }
    if taken == 0 && !socket.may_send() {
        return Err(SendError::Broken);
    }
    Ok(Sent {
        bytes: taken,
        is_full: taken < wanted && !socket.can_send(),
    })
}
