//! Who comes in, and when nobody can.

use std::os::fd::OwnedFd;
use std::time::Instant;

use arch::CompletionEndpoint;
use arch::listener::EXHAUSTED_PAUSE;
use meter::Event as Counted;
use rustix::io::Errno;

use crate::CompletionLoop;

/// Whether connections are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepting {
    /// They are: for one, or for all that come.
    Armed { is_multishot: bool },
    /// Not before somebody has left, or until then: the limit is reached, or descriptors are used up.
    Paused(Option<Instant>),
    /// Nobody else will come in.
    Over,
}

impl CompletionLoop {
    /// Sees that connections are asked for, if any may come in.
    pub(crate) fn accept(&mut self) {
        let Accepting::Paused(until) = self.accepting else {
            return;
        };
        let is_early = until.is_some_and(|until| self.worker.now < until);
        let places = self.listener.places();
        if is_early || places == Some(0) {
            return;
        }
        let is_multishot = places.is_none() && !self.connections.is_empty();
        self.ring.accept(self.registered_listener, is_multishot);
        self.accepting = Accepting::Armed { is_multishot };
    }

    pub(crate) fn accepted(&mut self, socket: Result<OwnedFd, Errno>, goes_on: bool) {
        if !goes_on && matches!(self.accepting, Accepting::Armed { .. }) {
            self.accepting = Accepting::Paused(None);
        }
        match socket {
            Ok(socket) => {
                let client = self.listener.admit(socket, &self.worker.counters);
                let endpoint = CompletionEndpoint::new(client, &self.worker);
                match self.ring.register(endpoint.socket()) {
                    Some(socket) => {
                        let token = self.connections.insert(endpoint, socket);
                        self.advance(token);
                    }
                    None => self.worker.counters.count(Counted::AcceptFailed, 1),
                }
            }
            // The listener was shut.
            Err(Errno::INVAL | Errno::BADF) => self.accepting = Accepting::Over,
            // The connection died in the queue; the next one is another.
            Err(
                Errno::CONNABORTED
                | Errno::INTR
                | Errno::PROTO
                | Errno::PERM
                | Errno::AGAIN
                | Errno::CANCELED,
            ) => {}
            // No descriptor or memory left, as a rule: no use in asking again at once.
            Err(_) => {
                self.worker.counters.count(Counted::AcceptFailed, 1);
                self.accepting = Accepting::Paused(Some(self.worker.now + EXHAUSTED_PAUSE));
            }
        }
    }
}
