//! The listening sockets, one as a rule: accepting connections, and limiting how many are inside.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meter::{Counters, Event};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SocketFlags, sockopt};
use rustix::process::{Resource, getrlimit};

use crate::address::{Address, SocketFile};
use crate::architecture::Sockets;
use crate::binding::{bind_in_time, unbindable};
use crate::options::ServeOptions;

/// Whether the calls of an accepted socket wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// They wait, for as long as the time-out that is set on the socket.
    Blocking,
    /// They return at once.
    NonBlocking,
}

/// How long to wait when there is no descriptor or memory for another connection: often enough to resume soon, seldom
/// enough to cost nothing.
pub const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// What connections come to, and the count of those that are inside.
#[derive(Debug)]
pub struct Listener {
    /// Several where each of several loops has one of its own; the kernel deals connections out to them.
    sockets: Vec<OwnedFd>,
    address: Address,
    inside: Mutex<Inside>,
    left: Condvar,
    /// Descriptors below this are plenty.
    plenty: RawFd,
}

#[derive(Debug, Default)]
struct Inside {
    connections: usize,
    /// How many there may be; 0 for no limit.
    max_connections: usize,
    /// Threads that wait for somebody to leave: to tell nobody takes a system call all the same.
    waiting: usize,
    /// Nobody else will come in.
    shut: bool,
    /// The file of a Unix socket, until then.
    file: Option<SocketFile>,
}

impl Inside {
    fn is_full(&self) -> bool {
        self.max_connections > 0 && self.connections >= self.max_connections
    }

    fn has_no_place(&self) -> bool {
        self.is_full() && !self.shut
    }
}

/// A connection that was let in. It counts against the limit until it is dropped or turned away.
#[derive(Debug)]
pub struct Client {
    pub(crate) socket: OwnedFd,
    listener: Arc<Listener>,
    inside: AtomicBool,
}

/// What came of asking for a connection without waiting.
#[derive(Debug)]
pub enum Accept {
    /// A connection.
    Client(Client),
    /// Nobody is waiting; the listener will become readable.
    Nobody,
    /// Somebody may be waiting but cannot come in now: the limit is reached, or descriptors are used up. Try again when a
    /// connection has ended, or after [`EXHAUSTED_PAUSE`].
    Full,
    /// The server is stopping.
    Stopped,
}

impl Listener {
    /// Binds so many sockets to one address, and listens at all of them.
    pub(crate) fn open(options: &ServeOptions, sockets: Sockets) -> io::Result<Self> {
        let bound = bind_in_time(options, sockets.count)
            .map_err(|error| unbindable(options, sockets, error))?;
        Ok(Self {
            sockets: bound.sockets,
            address: bound.address,
            inside: Mutex::new(Inside {
                max_connections: options.max_connections,
                file: bound.file,
                ..Inside::default()
            }),
            left: Condvar::new(),
            plenty: plenty(),
        })
    }

    /// For a server that listens by a network stack of its own: nobody comes here, and when it is [shut](Self::shut) whoever polls it is
    /// woken all the same.
    pub(crate) fn of_own_stack(address: SocketAddr) -> io::Result<Self> {
        let (one, other) = std::os::unix::net::UnixStream::pair()?;
        Ok(Self {
            sockets: vec![one.into(), other.into()],
            address: Address::Ip(address),
            inside: Mutex::default(),
            left: Condvar::new(),
            plenty: plenty(),
        })
    }

    /// One of its sockets, by a number; of one socket, by any.
    pub fn socket(&self, number: usize) -> BorrowedFd<'_> {
        self.sockets[number % self.sockets.len()].as_fd()
    }

    /// The address that it really listens on.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Lets in `most` connections at a time, or fewer if fewer are wanted.
    pub(crate) fn limit(&self, most: usize) {
        let mut inside = self.inside();
        inside.max_connections = match inside.max_connections {
            0 => most,
            wanted => wanted.min(most),
        };
    }

    /// Waits for the next connection; `None` when the server is stopping. For whoever may wait.
    pub fn accept(self: &Arc<Self>, counters: &Counters) -> Option<Client> {
        loop {
            // Of several threads that wait here, only as many may go on to accept as may come in.
            self.wait_for_place();
            match self.accept_with(0, SocketFlags::CLOEXEC, counters) {
                Accept::Client(client) => return Some(client),
                Accept::Nobody => {}
                Accept::Full => std::thread::sleep(EXHAUSTED_PAUSE),
                Accept::Stopped => return None,
            }
        }
    }

    /// The next connection if there is one. For whoever must not wait; call
    /// [`never_block`](Self::never_block) first.
    pub fn try_accept(self: &Arc<Self>, kind: Socket, counters: &Counters) -> Accept {
        self.try_accept_at(0, kind, counters)
    }

    /// The same at one of its sockets.
    pub(crate) fn try_accept_at(
        self: &Arc<Self>,
        socket: usize,
        kind: Socket,
        counters: &Counters,
    ) -> Accept {
        let mut inside = self.inside();
        if inside.is_full() {
            return Accept::Full;
        }
        inside.connections += 1;
        drop(inside);
        let flags = match kind {
            Socket::Blocking => SocketFlags::CLOEXEC,
            Socket::NonBlocking => SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        };
        self.accept_with(socket, flags, counters)
    }

    /// Lets in a connection that was accepted already, whether or not the limit is reached.
    pub fn admit(self: &Arc<Self>, socket: OwnedFd, counters: &Counters) -> Client {
        self.inside().connections += 1;
        counters.count(Event::Connection, 1);
        Client {
            socket,
            listener: Arc::clone(self),
            inside: AtomicBool::new(true),
        }
    }

    /// How many more may come in now; `None` without a limit.
    pub fn places(&self) -> Option<usize> {
        let inside = self.inside();
        let most = inside.max_connections;
        (most > 0).then(|| most.saturating_sub(inside.connections))
    }

    /// Makes [`try_accept`](Self::try_accept) return when nobody is waiting.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn never_block(&self) -> io::Result<()> {
        for socket in &self.sockets {
            rustix::io::ioctl_fionbio(socket, true)?;
        }
        Ok(())
    }

    /// Waits until somebody may come in, at most so long; whether there is somebody, or nobody will come any more.
    pub(crate) fn wait_for_notice(&self, at_most: Duration) -> bool {
        let inside = self.wait(self.inside(), at_most, Inside::has_no_place);
        if inside.has_no_place() {
            return false;
        }
        drop(inside);
        let notices = &mut [PollFd::new(self, PollFlags::IN)];
        // An error is left for `accept` to meet.
        Timespec::try_from(at_most).is_ok_and(|at_most| poll(notices, Some(&at_most)) != Ok(0))
    }

    /// The next connection, for which there is a place; without one, the place is given back.
    fn accept_with(
        self: &Arc<Self>,
        socket: usize,
        flags: SocketFlags,
        counters: &Counters,
    ) -> Accept {
        let outcome = self.accept_into_place(self.socket(socket), flags, counters);
        if !matches!(outcome, Accept::Client(_)) {
            self.leave();
        }
        outcome
    }

    fn accept_into_place(
        self: &Arc<Self>,
        socket: BorrowedFd<'_>,
        flags: SocketFlags,
        counters: &Counters,
    ) -> Accept {
        loop {
            match rustix::net::accept_with(socket, flags) {
                Ok(socket) => {
                    counters.count(Event::Connection, 1);
                    return Accept::Client(Client {
                        socket,
                        listener: Arc::clone(self),
                        inside: AtomicBool::new(true),
                    });
                }
                // Also how a time-out for accepted sockets shows on the listener itself.
                Err(Errno::AGAIN) => return Accept::Nobody,
                // The listener was shut.
                Err(Errno::INVAL | Errno::BADF) => return Accept::Stopped,
                // The connection died in the queue; the next one is another.
                Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO | Errno::PERM) => {}
                // No descriptor or memory left, as a rule: no use in asking again at once.
                Err(_) => {
                    counters.count(Event::AcceptFailed, 1);
                    return Accept::Full;
                }
            }
        }
    }

    /// Lets nobody else in, here and in every process that shares the socket, and wakes whoever waits for somebody.
    pub fn shut(&self) {
        // Before anybody is woken, for who is woken may end the process.
        self.inside().file = None;
        for socket in &self.sockets {
            // Fails only if it is shut already.
            let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
        }
        self.inside().shut = true;
        self.left.notify_all();
    }

    /// Whether it was shut, in whichever of the processes that share the socket.
    pub fn is_shut(&self) -> bool {
        sockopt::socket_acceptconn(self).is_ok_and(|accepts| !accepts)
    }

    /// Waits until no connection is inside; a little longer than the drain deadline at most, when all are broken off.
    pub(crate) fn wait_until_empty(&self, is_overdue: impl Fn(Instant) -> bool) {
        const GRACE: Duration = Duration::from_millis(500);
        let mut inside = self.inside();
        while inside.connections > 0 && !is_overdue(Instant::now() - GRACE) {
            inside = self.wait(inside, GRACE, |inside| inside.connections > 0);
        }
    }

    /// Takes a place for a connection to come, when there is one or nobody else will come in.
    fn wait_for_place(&self) {
        let mut inside = self.inside();
        while inside.has_no_place() {
            inside = self.wait(inside, Duration::MAX, Inside::has_no_place);
        }
        inside.connections += 1;
    }

    /// Waits for connections to leave, while `condition` holds, at most so long.
    fn wait<'a>(
        &self,
        mut inside: MutexGuard<'a, Inside>,
        at_most: Duration,
        condition: impl Fn(&Inside) -> bool,
    ) -> MutexGuard<'a, Inside> {
        inside.waiting += 1;
        let (mut inside, _) = self
            .left
            .wait_timeout_while(inside, at_most, |inside| condition(inside))
            .unwrap_or_else(PoisonError::into_inner);
        inside.waiting -= 1;
        inside
    }

    fn leave(&self) {
        let mut inside = self.inside();
        inside.connections -= 1;
        let waiting = inside.waiting;
        drop(inside);
        if waiting > 0 {
            self.left.notify_one();
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A quarter of those that this process may have.
fn plenty() -> RawFd {
    let most = getrlimit(Resource::Nofile).current;
    most.map_or(RawFd::MAX, |most| {
        RawFd::try_from(most / 4).unwrap_or(RawFd::MAX)
    })
}

/// The first of its sockets.
impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket(0)
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Client {
    /// Ends the sending half. An error means that the connection is gone, which the next read or the end tells.
    pub fn shutdown_write(&self) {
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Write);
    }

    /// How many bytes were sent that it has not taken yet.
    pub fn unacknowledged(&self) -> Option<u64> {
        sys::socket::unacknowledged(self.socket.as_fd()).ok()
    }

    /// Whether nobody is kept out if it stays a little longer, though all has been said: there is no limit on connections, and descriptors are
    /// plenty, of which the lowest that is free is always the next.
    pub fn may_stay(&self) -> bool {
        self.socket.as_raw_fd() < self.listener.plenty && self.listener.places().is_none()
    }

    /// Gives its place to another.
    pub(crate) fn leave(&self) {
        if self.inside.swap(false, Relaxed) {
            self.listener.leave();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.leave();
    }
}
