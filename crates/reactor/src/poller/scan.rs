//! Asking nobody.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use arch::{Interest, Readiness};

use super::{Places, Poller, Ready, Trigger};

/// A scan of all sockets: says of everybody that it may be ready, so that each is tried in turn by calls that do not wait, and most
/// in vain. Between two rounds it may sleep, which takes less of the processor and lets clients wait.
pub struct Scan {
    pause: Duration,
    /// Everybody, with what it waits for.
    watched: Vec<Ready>,
    places: Places,
}

impl Scan {
    /// With a pause between two rounds.
    pub fn new(pause: Duration) -> Self {
        Self {
            pause,
            watched: Vec::new(),
            places: Places::default(),
        }
    }
}

impl Poller for Scan {
    fn trigger(&self) -> Trigger {
        Trigger::Level
    }

    fn watch(
        &mut self,
        descriptor: BorrowedFd<'_>,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        let readiness = Readiness {
            readable: interest.readable,
            writable: interest.writable,
            ..Readiness::default()
        };
        let ready = Ready { number, readiness };
        match self.places.place(descriptor.as_raw_fd()) {
            Some(place) => self.watched[place] = ready,
            None => self.watched.push(ready),
        }
        Ok(())
    }

    fn forget(&mut self, descriptor: RawFd) {
        if let Some(place) = self.places.leave(descriptor) {
            self.watched.swap_remove(place);
        }
    }

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let pause = at_most.map_or(self.pause, |at_most| at_most.min(self.pause));
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
        ready.extend_from_slice(&self.watched);
        Ok(())
    }
}
