//! Requests matched to their answers: a pure function of the segments of a port.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;

use crate::connection::{Connection, Exchange, Step};
use crate::segment::Segment;

/// What was seen in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Direction {
    /// Packets, those without a payload among them.
    pub packets: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Bytes of their payloads.
    pub payload_bytes: u64,
    /// Packets with bytes, or a SYN, that had been seen before.
    pub retransmissions: u64,
    /// Packets larger than a frame of Ethernet, which segmentation offload would cut before a wire.
    pub giant: u64,
}

/// What was seen apart from the exchanges themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// From clients to the server.
    pub to_server: Direction,
    /// From the server to clients.
    pub to_client: Direction,
    /// Connections that were seen to open or to carry anything.
    pub connections: u64,
    /// Connections that were reset.
    pub resets: u64,
    /// Connections that were matched by bytes and time from some point on.
    pub lost: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Answers without a request.
    pub unasked: u64,
    /// The largest frame.
    pub largest_frame_bytes: u32,
}

/// The largest packet on Ethernet, with its header.
pub(crate) const ETHERNET_FRAME_BYTES: u32 = 1514;

/// Segments in, exchanges out, as they complete.
///
/// Segments come in the order in which they were captured.
#[derive(Debug, Clone)]
pub struct Matcher {
    port: u16,
    connections: HashMap<(SocketAddr, SocketAddr), Connection>,
    counts: Counts,
}

/// What a segment completed, apart from exchanges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How long the server's kernel took to answer a SYN.
    pub handshake: Option<std::time::Duration>,
}

impl Matcher {
    /// For the server at `port`.
    pub fn new(port: u16) -> Self {
        Self {
            port,
            connections: HashMap::new(),
            counts: Counts::default(),
        }
    }

    /// Takes a segment; `done` is called with each exchange that it completes.
    pub fn take(&mut self, segment: &Segment<'_>, mut done: impl FnMut(Exchange)) -> Taken {
        let from_server = segment.source.port() == self.port;
        let ends = match from_server {
            true => (segment.destination, segment.source),
            false => (segment.source, segment.destination),
        };
        let counts = &mut self.counts;
        let mut step = Step::default();
        // What acknowledges the end of one that is over opens no other.
        let speaks = segment.syn || segment.payload_bytes > 0;
        let mut entry = match self.connections.entry(ends) {
            Entry::Vacant(vacant) if speaks => {
                counts.connections += 1;
                Some(vacant.insert_entry(Connection::new()))
            }
            Entry::Vacant(_) => None,
            Entry::Occupied(occupied) => Some(occupied),
        };
        if let Some(entry) = &mut entry {
            let known = entry.get_mut();
            if segment.syn && !from_server && known.is_another(segment) {
                counts.connections += 1;
                counts.unanswered += known.end(&mut done);
                *known = Connection::new();
            }
            step = known.take(segment, from_server, &mut done);
        }
        if let Some(entry) = entry
            && entry.get().is_over()
        {
            counts.unanswered += entry.remove().end(&mut done);
        }
        let direction = match from_server {
            true => &mut counts.to_client,
            false => &mut counts.to_server,
        };
        direction.packets += 1;
        direction.bytes += u64::from(segment.frame_bytes);
        direction.payload_bytes += segment.payload_bytes as u64;
        direction.retransmissions += u64::from(step.brought.retransmission);
        direction.giant += u64::from(segment.frame_bytes > ETHERNET_FRAME_BYTES);
        counts.largest_frame_bytes = counts.largest_frame_bytes.max(segment.frame_bytes);
        counts.resets += u64::from(segment.reset);
        counts.lost += u64::from(step.lost);
        counts.unasked += step.unasked;
        Taken {
            handshake: step.handshake,
        }
    }

    /// The capture is over.
    pub fn end(mut self, mut done: impl FnMut(Exchange)) -> Counts {
        for connection in self.connections.values_mut() {
            self.counts.unanswered += connection.end(&mut done);
        }
        self.counts
    }
}

#[cfg(test)]
mod tests;
