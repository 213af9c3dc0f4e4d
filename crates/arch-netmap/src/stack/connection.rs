//! One connection in the table: how far it has come.

use std::cell::RefCell;
use std::rc::Rc;

use run_queue::Key;
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};

use super::Settings;
use crate::packet::Remote;
use crate::stream::Tcp;

/// How long a client may take to complete its handshake, or to let go of a connection whose session is over, before it is given up.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_secs(30);

/// Names a connection: its place in the table, and which of those that had that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token {
    pub(super) place: usize,
    pub(super) generation: u64,
}

impl Key for Token {
    fn index(self) -> usize {
        self.place
    }
}

/// How a session lets go of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// What was sent is brought to an end.
    Close,
    /// Nobody waits for a client any longer.
    Reset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// On its way in, or waiting to be accepted.
    Backlog,
    /// It has a session.
    Served,
    /// Its session is over.
    Ending,
    /// And so is all but the time to wait for stray segments.
    TimeWait,
}

/// A connection as the stack keeps it.
pub(super) struct Connection {
    pub(super) tcp: Rc<RefCell<Tcp>>,
    pub(super) remote: Remote,
    pub(super) generation: u64,
    pub(super) phase: Phase,
    /// The earliest of its entries among the timers.
    pub(super) timer: Option<Instant>,
}

impl Connection {
    /// One that begins with the segment that is about to be looked at.
    pub(super) fn new(settings: &Settings, remote: Remote, generation: u64) -> Self {
        let buffer = |bytes| tcp::SocketBuffer::new(vec![0; bytes]);
        let (receive, send) = (settings.receive_bytes, settings.send_bytes);
        let mut socket = tcp::Socket::new(buffer(receive), buffer(send));
        socket.set_nagle_enabled(false);
        socket.set_congestion_control(tcp::CongestionControl::Cubic);
        socket.set_timeout(Some(GIVEN_UP_AFTER));
        let listens = socket.listen((settings.address, settings.port));
        debug_assert_eq!(listens, Ok(()), "a new socket at a port that is not 0");
        Self {
            tcp: Rc::new(RefCell::new(Tcp::new(socket))),
            remote,
            generation,
            phase: Phase::Backlog,
            timer: None,
        }
    }

    /// What names it, at this place in the table.
    pub(super) fn token(&self, place: usize) -> Token {
        Token {
            place,
            generation: self.generation,
        }
    }
}
