//! `epoll`, edge-triggered.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use arch::{Interest, Readiness};
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Poll, Registry};

use super::{Poller, Ready, Trigger};
use crate::NOTICE;

/// Wakes a poller that waits, from any thread.
pub type Waker = Arc<mio::Waker>;

/// `epoll`, edge-triggered: each socket is registered once, and waiting costs nothing for those that are idle.
pub struct Epoll {
    poll: Poll,
    events: Events,
}

impl Epoll {
    /// Events taken at a time.
    pub(super) const EVENTS: usize = 1024;

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

    /// What others wake the loop with: [`Due::Notice`](crate::Due::Notice).
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn waker(&self) -> io::Result<Waker> {
        mio::Waker::new(self.poll.registry(), mio::Token(NOTICE)).map(Arc::new)
    }

    /// A way to have it watch descriptors while somebody else has it.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn watcher(&self) -> io::Result<Watcher> {
        self.poll.registry().try_clone().map(Watcher)
    }
}

/// Has an [`Epoll`] watch descriptors from any thread, also while another waits in it.
#[derive(Debug)]
pub struct Watcher(Registry);

impl Watcher {
    /// As [`Poller::watch`].
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn watch(&self, descriptor: BorrowedFd<'_>, number: usize) -> io::Result<()> {
        register(&self.0, descriptor, number)
    }
}

fn register(registry: &Registry, descriptor: BorrowedFd<'_>, number: usize) -> io::Result<()> {
    let everything = mio::Interest::READABLE | mio::Interest::WRITABLE | mio::Interest::PRIORITY;
    registry.register(
        &mut SourceFd(&descriptor.as_raw_fd()),
        mio::Token(number),
        everything,
    )
}

impl Poller for Epoll {
    fn trigger(&self) -> Trigger {
        Trigger::Edge
    }

    fn watch(&mut self, descriptor: BorrowedFd<'_>, number: usize, _: Interest) -> io::Result<()> {
        register(self.poll.registry(), descriptor, number)
    }

    fn forget(&mut self, _: RawFd) {}

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, at_most) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let of = |event: &Event| Ready {
            number: event.token().0,
            readiness: Readiness {
                readable: event.is_readable(),
                writable: event.is_writable(),
                is_ended: event.is_read_closed(),
                is_urgent: event.is_priority(),
            },
        };
        ready.extend(self.events.iter().map(of));
        Ok(())
    }
}
