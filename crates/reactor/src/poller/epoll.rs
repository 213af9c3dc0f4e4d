//! `epoll`, edge-triggered.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use arch::{Interest, Readiness};
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Poll, Registry};
use rustix::event::epoll::{self, EventData, EventFlags};

use super::{Poller, Ready, Trigger};
use crate::{LISTENER, NOTICE};

/// Wakes a poller that waits, from any thread.
pub type Waker = Arc<mio::Waker>;

/// `epoll`, edge-triggered: each socket is registered once, and waiting costs nothing for those that are idle.
pub struct Epoll {
    poll: Poll,
    events: Events,
    /// Of several loops at one listener, one is woken.
    is_exclusive: bool,
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
            is_exclusive: false,
        })
    }

    /// For one of several loops that wait at one listener, of which a connection wakes one that is idle, and not all
    /// (`EPOLLEXCLUSIVE`).
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn exclusive() -> io::Result<Self> {
        Ok(Self {
            is_exclusive: true,
            ..Self::new()?
        })
    }

    /// Waits at the listener, or no longer does.
    fn watch_exclusively(&self, listener: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        let epoll = self.poll.registry();
        if interest == Interest::NOTHING {
            return Ok(epoll::delete(epoll, listener)?);
        }
        let data = EventData::new_u64(LISTENER as u64);
        let flags = EventFlags::IN | EventFlags::ET | EventFlags::EXCLUSIVE;
        Ok(epoll::add(epoll, listener, data, flags)?)
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

    fn withdraws(&self) -> bool {
        self.is_exclusive
    }

    fn watch(
        &mut self,
        descriptor: BorrowedFd<'_>,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        if self.is_exclusive && number == LISTENER {
            return self.watch_exclusively(descriptor, interest);
        }
        register(self.poll.registry(), descriptor, number)
    }

    fn unwatch(&mut self, descriptor: BorrowedFd<'_>) -> bool {
        epoll::delete(self.poll.registry(), descriptor).is_ok()
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
