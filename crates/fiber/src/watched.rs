//! Parking until a descriptor is ready.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use mio::Interest;

use crate::handle::Fiber;
use crate::place::Place;
use crate::poller::{ENDED, NEVER, READABLE, Source, URGENT, WRITABLE};
use crate::runtime::Shared;

/// What the kernel says of a descriptor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness {
    /// There is something to be read, or the end.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The other side sends no more.
    pub is_ended: bool,
    /// There is urgent data.
    pub is_urgent: bool,
}

/// A descriptor that a fiber waits for. It is told once of each thing that becomes so (edge-triggered).
pub struct Watched {
    key: usize,
    source: Arc<Source>,
    shared: Arc<Shared>,
}

impl Watched {
    /// Watches a socket for everything, until it is closed: this is to be dropped first.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn socket(fiber: &Fiber<'_>, socket: impl AsFd) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        Self::new(fiber, socket, interest)
    }

    /// Watches whatever can be read from, likewise.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn readable(fiber: &Fiber<'_>, descriptor: impl AsFd) -> io::Result<Self> {
        Self::new(fiber, descriptor, Interest::READABLE)
    }

    fn new(fiber: &Fiber<'_>, descriptor: impl AsFd, interest: Interest) -> io::Result<Self> {
        let shared = Arc::clone(fiber.shared());
        let descriptor = descriptor.as_fd().as_raw_fd();
        let waiter = fiber.unparker().0;
        let (key, source) = shared.poller.watch(descriptor, interest, waiter)?;
        Ok(Self {
            key,
            source,
            shared,
        })
    }

    /// What has become so since it was asked last; parks until something has, but at most until the deadline, which is missed by a
    /// quarter of a second at the most. Nothing: it has passed.
    pub fn wait(
        &self,
        fiber: &Fiber<'_>,
        place: &'static Place,
        deadline: Option<Instant>,
    ) -> Option<Readiness> {
        let deadline_ms = deadline.map(|deadline| self.shared.poller.deadline_ms(deadline));
        let deadline_ms = deadline_ms.unwrap_or(NEVER);
        self.source.deadline_ms.store(deadline_ms, Relaxed);
        let news = loop {
            if let Some(news) = self.news() {
                break Some(news);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break None;
            }
            fiber.park(place);
        };
        self.source.deadline_ms.store(NEVER, Relaxed);
        news
    }

    /// What has become so since it was asked last, if anything has.
    pub fn news(&self) -> Option<Readiness> {
        match self.source.take_news() {
            0 => None,
            news => Some(Readiness {
                readable: news & READABLE != 0,
                writable: news & WRITABLE != 0,
                is_ended: news & ENDED != 0,
                is_urgent: news & URGENT != 0,
            }),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.shared.poller.forget(self.key);
    }
}
