//! Asking the kernel who is ready: the seam behind which an event loop has `epoll`, or whatever else it is made to ask.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use arch::Readiness;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll};

/// Who has become ready, by the number that it is watched under.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// The number.
    pub number: usize,
    /// What has become of it.
    pub readiness: Readiness,
}

/// Wakes a poller that waits, from any thread.
pub type Waker = Arc<mio::Waker>;

/// Whoever waits for descriptors on behalf of an event loop.
pub trait Poller: Send {
    /// Watches a descriptor under a number until it is closed: for everything where `is_socket`, otherwise for input.
    ///
    /// # Errors
    /// What the kernel reports.
    fn watch(&mut self, descriptor: RawFd, number: usize, is_socket: bool) -> io::Result<()>;

    /// Something that wakes [`wait`](Self::wait), which then says that `number` is readable.
    ///
    /// # Errors
    /// What the kernel reports.
    fn waker(&mut self, number: usize) -> io::Result<Waker>;

    /// Waits until somebody is ready, at most so long, and adds who is to `ready`.
    ///
    /// # Errors
    /// What the kernel reports.
    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()>;
}

/// `epoll`, edge-triggered: each socket is registered once, and waiting costs nothing for those that are idle.
pub struct Epoll {
    poll: Poll,
    events: Events,
}

impl Epoll {
    /// Events taken at a time.
    const EVENTS: usize = 1024;

    /// Without anybody to watch.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(Self::EVENTS),
        })
    }
}

impl Poller for Epoll {
    fn watch(&mut self, descriptor: RawFd, number: usize, is_socket: bool) -> io::Result<()> {
        let interest = if is_socket {
            Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY
        } else {
            Interest::READABLE
        };
        self.poll
            .registry()
            .register(&mut SourceFd(&descriptor), mio::Token(number), interest)
    }

    fn waker(&mut self, number: usize) -> io::Result<Waker> {
        mio::Waker::new(self.poll.registry(), mio::Token(number)).map(Arc::new)
    }

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, at_most) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        ready.extend(self.events.iter().map(|event| Ready {
            number: event.token().0,
            readiness: Readiness {
                readable: event.is_readable(),
                writable: event.is_writable(),
                is_ended: event.is_read_closed(),
                is_urgent: event.is_priority(),
            },
        }));
        Ok(())
    }
}
