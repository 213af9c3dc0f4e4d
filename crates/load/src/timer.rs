//! Waking up on the microsecond.
//!
//! A timer in the event loop (timerfd) fires within the kernel's timer slack, but the thread runs only some microseconds later: the
//! core has to leave its sleep and the scheduler to switch. So the timer is set early, by as much as wake-ups have lately been late, and the rest
//! is spun away. How early is learned: it tracks the 99th percentile of lateness, up to a bound.

use crate::clock::Nanos;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// The least margin.
const LEAST: Nanos = 3_000;
/// How far the margin moves when a wake-up came within it. Ninety-nine times as far when one was late: it settles where one in a hundred is.
const STEP: Nanos = 20;

/// A timer of the event loop.
#[derive(Debug)]
pub(crate) struct Timer {
    fd: OwnedFd,
    margin: Nanos,
    most: Nanos,
    /// When it is set to fire.
    armed: Option<Nanos>,
}

/// How to wait for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It is so near that the loop only looks for events and goes on.
    Spin,
    /// The timer is set; sleep until it or an event comes.
    Sleep,
}

impl Timer {
    pub(crate) fn new(registry: &Registry, token: Token, most_spin: Nanos) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self {
            fd,
            margin: (20_000).min(most_spin),
            most: most_spin,
            armed: None,
        })
    }

    /// Prepares to wait from `now` until `until`. `exact`: it matters by the microsecond.
    pub(crate) fn wait(&mut self, now: Nanos, until: Nanos, exact: bool) -> io::Result<Wait> {
        let margin = if exact { self.margin } else { 0 };
        let at = until.saturating_sub(margin);
        if at <= now {
            return Ok(Wait::Spin);
        }
        if self.armed != Some(at) {
            let left = at - now;
            let time = Itimerspec {
                it_interval: Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: Timespec {
                    tv_sec: (left / crate::clock::SECOND) as i64,
                    tv_nsec: (left % crate::clock::SECOND) as i64,
                },
            };
            timerfd_settime(&self.fd, TimerfdTimerFlags::empty(), &time)?;
            self.armed = Some(at);
        }
        Ok(Wait::Sleep)
    }

    /// The timer fired and the loop runs again, at `now`.
    pub(crate) fn fired(&mut self, now: Nanos) {
        // Setting the timer again rearms it; its count of expirations is never read.
        if let Some(at) = self.armed.take_if(|at| *at <= now) {
            if now - at > self.margin {
                self.margin = (self.margin + 99 * STEP).min(self.most);
            } else {
                self.margin = self.margin.saturating_sub(STEP).max(LEAST.min(self.most));
            }
        }
    }
}
