//! The descriptors that fibers wait for: one poller for all workers, asked by one of them at a time.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{
    AtomicU8, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use slab::Slab;

use crate::waiter::Waiter;

/// News that is of no descriptor: somebody has work for whoever waits here.
const WAKE: Token = Token(usize::MAX);

/// Events taken at a time.
const EVENTS: usize = 1024;

/// How often deadlines of descriptors are looked at, at most; none is missed by more.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;

/// A descriptor, the fiber that waits for it, and what there is new of it.
pub(crate) struct Source {
    pub(crate) waiter: Arc<Waiter>,
    news: AtomicU8,
    /// When its fiber is to go on nevertheless, in milliseconds since the start.
    pub(crate) deadline_ms: AtomicU64,
}

pub(crate) const READABLE: u8 = 1;
pub(crate) const WRITABLE: u8 = 2;
pub(crate) const ENDED: u8 = 4;
pub(crate) const URGENT: u8 = 8;

impl Source {
    /// What there is new since this was asked last.
    #[inline]
    pub(crate) fn take_news(&self) -> u8 {
        // It is written only if there is something, for others may read it meanwhile.
        match self.news.load(Acquire) {
            0 => 0,
            _ => self.news.swap(0, AcqRel),
        }
    }
}

/// All of them.
pub(crate) struct Poller {
    asked: Mutex<Asked>,
    registry: Registry,
    waker: mio::Waker,
    sources: Mutex<Slab<Arc<Source>>>,
    started: Instant,
    /// When the poller was asked last, in milliseconds since the start.
    asked_ms: AtomicU64,
}

/// What whoever asks needs meanwhile.
pub(crate) struct Asked {
    poll: Poll,
    events: Events,
    next_sweep: Instant,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let now = Instant::now();
        Ok(Self {
            registry: poll.registry().try_clone()?,
            waker: mio::Waker::new(poll.registry(), WAKE)?,
            asked: Mutex::new(Asked {
                poll,
                events: Events::with_capacity(EVENTS),
                next_sweep: now + SWEEP_EVERY,
            }),
            sources: Mutex::default(),
            started: now,
            asked_ms: AtomicU64::new(0),
        })
    }

    /// Watches a descriptor until it is closed, edge-triggered.
    pub(crate) fn watch(
        &self,
        descriptor: RawFd,
        interest: Interest,
        waiter: Arc<Waiter>,
    ) -> io::Result<(usize, Arc<Source>)> {
        let source = Arc::new(Source {
            waiter,
            news: AtomicU8::new(0),
            deadline_ms: AtomicU64::new(NEVER),
        });
        let (key, is_first) = {
            let mut sources = self.sources();
            (sources.insert(Arc::clone(&source)), sources.len() == 1)
        };
        if is_first {
            // Whoever waits there without any looks at no deadline.
            self.wake();
        }
        let watched = self
            .registry
            .register(&mut SourceFd(&descriptor), Token(key), interest);
        if let Err(error) = watched {
            self.forget(key);
            return Err(error);
        }
        Ok((key, source))
    }

    /// Forgets a descriptor, which is to be closed.
    pub(crate) fn forget(&self, key: usize) {
        self.sources().try_remove(key);
    }

    /// Wakes whoever waits for news.
    pub(crate) fn wake(&self) {
        // It fails only where the counter is at its end, and then whoever waits is woken all the same.
        let _ = self.waker.wake();
    }

    /// The right to ask, which one worker has at a time.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Asked>> {
        self.asked.try_lock().ok()
    }

    /// Waits for news, at most so long, and calls `run` with the waiter of each fiber that there is some for.
    pub(crate) fn ask(
        &self,
        asked: &mut Asked,
        at_most: Option<Duration>,
        mut run: impl FnMut(&Waiter),
    ) -> io::Result<Instant> {
        let at_most = match (at_most, self.sources().is_empty()) {
            (at_most, true) => at_most,
            (at_most, false) => {
                let left = asked.next_sweep.saturating_duration_since(Instant::now());
                Some(at_most.map_or(left, |at_most| at_most.min(left)))
            }
        };
        match asked.poll.poll(&mut asked.events, at_most) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            polled => polled?,
        }
        let now = Instant::now();
        self.asked_ms.store(self.ms(now), Relaxed);
        let sources = self.sources();
        for event in &asked.events {
            // One that has been forgotten in between; where another has its place by now, that looks for nothing once.
            let Some(source) = sources.get(event.token().0) else {
                continue;
            };
            let news = [
                (event.is_readable(), READABLE),
                (event.is_writable(), WRITABLE),
                (event.is_read_closed(), ENDED),
                (event.is_priority(), URGENT),
            ];
            let news = news.iter().filter(|(is_so, _)| *is_so);
            let news = news.fold(0, |all, (_, bit)| all | bit);
            source.news.fetch_or(news, AcqRel);
            run(&source.waiter);
        }
        if now >= asked.next_sweep {
            asked.next_sweep = now + SWEEP_EVERY;
            let now_ms = self.ms(now);
            let late = |source: &&Arc<Source>| source.deadline_ms.load(Relaxed) <= now_ms;
            let sources = sources.iter().map(|(_, source)| source);
            sources.filter(late).for_each(|source| run(&source.waiter));
        }
        Ok(now)
    }

    /// A time in milliseconds since the start, of which a part counts as none.
    fn ms(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started);
        u64::try_from(since.as_millis()).unwrap_or(NEVER - 1)
    }

    /// A deadline in milliseconds since the start, of which a part counts as one.
    pub(crate) fn deadline_ms(&self, at: Instant) -> u64 {
        self.ms(at) + 1
    }

    /// How long nobody has asked.
    pub(crate) fn unasked_for(&self, now: Instant) -> Duration {
        let asked_ms = self.asked_ms.load(Relaxed);
        Duration::from_millis(self.ms(now).saturating_sub(asked_ms))
    }

    fn sources(&self) -> MutexGuard<'_, Slab<Arc<Source>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
