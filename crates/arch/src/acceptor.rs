//! Accepting in an event loop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use meter::Counters;

use crate::listener::{Accept, Client, EXHAUSTED_PAUSE, Listener, Socket};

/// The acceptor of an event loop: lets connections in without waiting for any, and remembers when to look again.
#[derive(Debug)]
pub struct Acceptor {
    listener: Arc<Listener>,
    /// At which of the listener's sockets.
    socket: usize,
    /// When to look whether somebody is there; `None`: when the listener becomes readable.
    look_after: Option<Duration>,
    admitted: usize,
    is_shut: bool,
}

impl Acceptor {
    /// Connections let in before those that are inside get their turn again: few, because those that wait for their clients' leave
    /// hold descriptors meanwhile.
    const AT_ONCE: usize = 16;

    /// An acceptor at `listener`, which from now on never makes anybody wait.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn new(listener: Arc<Listener>) -> io::Result<Self> {
        Self::at(listener, 0)
    }

    /// The same at one of the sockets of `listener`.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn at(listener: Arc<Listener>, socket: usize) -> io::Result<Self> {
        listener.never_block()?;
        Ok(Self {
            listener,
            socket,
            look_after: None,
            admitted: 0,
            is_shut: false,
        })
    }

    /// The listener has become readable.
    pub fn notify(&mut self) {
        self.look_after = Some(Duration::ZERO);
    }

    /// The listener was shut, which accepting at a Unix socket does not tell; whoever waits there may still come in.
    pub fn shut(&mut self) {
        self.is_shut = true;
        self.notify();
    }

    /// How long an event loop may wait before it looks at the listener again; `None`: until somebody notices.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.look_after
    }

    /// Whether it has found that nobody else will come in.
    pub fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// Whether it has to be told that the listener is readable. Not while nobody can come in, nor when nobody will any more.
    #[inline]
    pub fn waits_for_notice(&self) -> bool {
        !self.is_shut && self.look_after.is_none_or(|after| after.is_zero())
    }

    /// The next connection, if one can come in now.
    pub fn admit(&mut self, counters: &Counters) -> Option<Client> {
        self.look_after?;
        if self.admitted < Self::AT_ONCE {
            let accepted = self
                .listener
                .try_accept_at(self.socket, Socket::NonBlocking, counters);
            self.look_after = match accepted {
                Accept::Client(client) => {
                    self.admitted += 1;
                    return Some(client);
                }
                Accept::Nobody => None,
                Accept::Stopped => {
                    self.is_shut = true;
                    None
                }
                Accept::Full => Some(EXHAUSTED_PAUSE),
            };
        }
        self.admitted = 0;
        None
    }
}
