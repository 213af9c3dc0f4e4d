//! A connection on its way through a flow: its socket, what has come of it, and what is still to be sent.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use super::connections::{Returned, WayBack};
use super::offence::Offence;
use super::swarm::{Number, Whole};
use super::wire::{Block, Incoming, Received};

/// Nothing more is taken from a peer, or read for it, before what waits to be sent is less.
const MOST_OUTPUT: usize = 64 << 10;

/// A connection that a flow has in hand.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) number: Number,
    pub(crate) address: SocketAddr,
    /// Whether this peer has called the other.
    pub(crate) is_outgoing: bool,
    socket: TcpStream,
    is_new: bool,
    incoming: Incoming,
    /// To be sent, in pieces of which the first may be sent in part.
    output: VecDeque<Vec<u8>>,
    sent: usize,
    /// A block that is to be read for the other.
    pub(crate) asked: Option<Block>,
    /// A piece that has come.
    pub(crate) whole: Option<Whole>,
    /// Why it is to end.
    pub(crate) over: Option<Offence>,
    /// Whether there is more to be said.
    pub(crate) has_mail: bool,
    way_back: Arc<WayBack>,
    is_back: bool,
}

impl Visit {
    /// A connection that has just come, or is about to, at a socket that does not wait.
    pub(crate) fn new(
        number: Number,
        socket: TcpStream,
        address: SocketAddr,
        is_outgoing: bool,
        pieces: u32,
        way_back: &Arc<WayBack>,
    ) -> Self {
        Self {
            number,
            address,
            is_outgoing,
            socket,
            is_new: true,
            incoming: Incoming::new(pieces),
            output: VecDeque::new(),
            sent: 0,
            asked: None,
            whole: None,
            over: None,
            has_mail: false,
            way_back: Arc::clone(way_back),
            is_back: false,
        }
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// The next thing that has come, if it is whole; nothing, as long as the other does not read what it is sent.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> Option<Received> {
        if std::mem::take(&mut self.is_new) {
            return Some(Received::Connection);
        }
        if !self.has_room() {
            return None;
        }
        if !self.incoming.has_next() {
            match self.socket.read(buffer) {
                Ok(0) => self.incoming.end_of_input(),
                Ok(count) => self.incoming.receive(&buffer[..count]),
                Err(error) if is_in_vain(&error) => {}
                Err(_) => self.incoming.end_of_input(),
            }
        }
        self.incoming.next()
    }

    /// Puts something behind what is to be sent.
    pub(crate) fn say(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.output.push_back(bytes);
        }
    }

    /// Sends as much as the other takes.
    pub(crate) fn send(&mut self) {
        while let Some(first) = self.output.front() {
            match self.socket.write(&first[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if is_in_vain(&error) => return,
                Err(_) => {
                    self.output.clear();
                    self.sent = 0;
                    return self.incoming.end_of_input();
                }
            }
            if self.sent == first.len() {
                self.output.pop_front();
                self.sent = 0;
            }
        }
    }

    /// Whether there is room for more to be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.unsent() < MOST_OUTPUT
    }

    fn unsent(&self) -> usize {
        self.output.iter().map(Vec::len).sum::<usize>() - self.sent
    }

    /// Whether something is to be sent.
    pub(crate) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Whether it can go on without waiting for the network.
    pub(crate) fn has_work(&self) -> bool {
        self.has_room() && (self.is_new || self.has_mail || self.incoming.has_next())
    }

    /// Begins a flow.
    pub(crate) fn set_out(&mut self) {
        self.is_back = false;
    }

    /// Ends the flow: the connection goes back to the source.
    pub(crate) fn go_back(mut visit: Box<Self>) {
        visit.is_back = true;
        let way_back = Arc::clone(&visit.way_back);
        way_back.send(Returned::Visit(visit));
    }
}

/// A flow that is lost comes to no end.
impl Drop for Visit {
    fn drop(&mut self) {
        if !self.is_back {
            self.way_back.send(Returned::Lost(self.number));
        }
    }
}

fn is_in_vain(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
