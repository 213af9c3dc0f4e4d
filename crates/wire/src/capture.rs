//! The ring, read: each packet is kept and matched as it comes.

use std::fs::File;
use std::io::{self, BufWriter};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use sys::packet_ring::{Packet, PacketRing, Settings, Statistics, View};

use crate::matcher::{Counts, Matcher};
use crate::segment::{LinkLayer, Segment};
use crate::summary::Tally;
use crate::trace::Trace;
use crate::{Error, filter};

/// What is captured.
#[derive(Debug, Clone)]
pub struct Request {
    /// On which interface of the calling thread's namespace.
    pub interface: String,
    /// Of which port.
    pub port: u16,
    /// Where packets begin.
    pub view: View,
    /// Bytes that are kept of each packet.
    pub kept_bytes: u32,
    /// Bytes of the ring.
    pub ring_bytes: u64,
    /// What does not count in the times.
    pub warm_up: Duration,
}

/// The bytes of a block: so many packets are handed over at once.
const BLOCK_BYTES: u32 = 1 << 20;

/// How long the kernel waits for more packets before it hands over a block that has some.
const PATIENCE: Duration = Duration::from_millis(10);

/// ARPHRD_ETHER, ARPHRD_LOOPBACK and ARPHRD_NONE of if_arp.h.
const ETHERNET: u16 = 1;
const LOOPBACK: u16 = 772;
const NONE: u16 = 65534;

/// A capture that is under way.
pub struct Capture {
    ring: PacketRing,
    link: LinkLayer,
    matcher: Matcher,
    tally: Tally,
    trace: Option<Trace<BufWriter<File>>>,
    last: Duration,
}

impl Capture {
    /// Begins to capture.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub fn begin(request: &Request) -> Result<Self, Error> {
        let interface = &request.interface;
        let missing = |_| Error::NoInterface {
            interface: interface.clone(),
        };
        let index = network::interface::index(interface).map_err(missing)?;
        let filter = filter::tcp_port(request.port, request.kept_bytes);
        let blocks = (request.ring_bytes / u64::from(BLOCK_BYTES)).max(2);
        let settings = Settings {
            interface: index,
            view: request.view,
            filter: &filter,
            only_received: is_loopback(interface),
            block_bytes: BLOCK_BYTES,
            blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
            patience: PATIENCE,
        };
        let ring = PacketRing::open(&settings).map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => Error::Forbidden {
                interface: interface.clone(),
                source,
            },
            _ => Error::Ring {
                interface: interface.clone(),
                bytes: request.ring_bytes,
                source,
            },
        })?;
        let kind = ring
            .link_kind()
            .map_err(Error::own("ask for the kind of links"))?;
        let link = match (request.view, kind) {
            (View::Datagram, _) | (_, NONE) => LinkLayer::None,
            (View::Raw, ETHERNET | LOOPBACK) => LinkLayer::Ethernet,
            (View::Raw, kind) => {
                return Err(Error::LinkKind {
                    interface: interface.clone(),
                    kind,
                });
            }
        };
        Ok(Self {
            ring,
            link,
            matcher: Matcher::new(request.port),
            tally: Tally::new(request.warm_up),
            trace: None,
            last: Duration::ZERO,
        })
    }

    /// What packets begin with.
    pub fn link(&self) -> LinkLayer {
        self.link
    }

    /// Keeps packets from now on.
    pub fn keep(&mut self, trace: Trace<BufWriter<File>>) {
        self.trace = Some(trace);
    }

    /// Takes what has come, and waits up to `wait` for more if nothing has; whether anything had.
    ///
    /// # Errors
    /// When packets cannot be read or kept.
    pub fn turn(&mut self, wait: Duration) -> io::Result<bool> {
        let Self {
            ring,
            link,
            matcher,
            tally,
            trace,
            last,
        } = self;
        let mut kept = Ok(());
        let came = ring.read(|packet| {
            *last = packet.at;
            if let Some(trace) = trace
                && kept.is_ok()
            {
                kept = trace.keep(&packet);
            }
            take(&packet, *link, matcher, tally);
        })?;
        kept?;
        if came {
            return Ok(true);
        }
        let mut watched = [PollFd::new(ring, PollFlags::IN)];
        let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
        match poll(&mut watched, Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what is still in the ring and ends.
    ///
    /// # Errors
    /// As [`turn`](Self::turn).
    pub fn end(mut self) -> io::Result<End> {
        // A block with packets is handed over within the kernel's patience; then one more look shows none.
        let mut quiet = 0;
        while quiet < 3 {
            quiet = if self.turn(PATIENCE)? { 0 } else { quiet + 1 };
        }
        let statistics = self.ring.statistics()?;
        let left_out_of_file = match self.trace {
            Some(trace) => trace.end(self.last, statistics)?,
            None => 0,
        };
        let mut tally = self.tally;
        let counts = self.matcher.end(|exchange| tally.add(&exchange));
        Ok(End {
            tally,
            counts,
            statistics,
            left_out_of_file,
        })
    }
}

/// What a capture has come to.
#[derive(Debug, Clone)]
pub struct End {
    /// The times of the exchanges.
    pub tally: Tally,
    /// What was seen beside them.
    pub counts: Counts,
    /// What became of the packets.
    pub statistics: Statistics,
    /// Packets for which the file had no room.
    pub left_out_of_file: u64,
}

fn take(packet: &Packet<'_>, link: LinkLayer, matcher: &mut Matcher, tally: &mut Tally) {
    let Some(segment) = Segment::parse(packet.at, packet.length, packet.bytes, link) else {
        return;
    };
    tally.see(packet.at);
    let taken = matcher.take(&segment, |exchange| tally.add(&exchange));
    if let Some(took) = taken.handshake {
        tally.shake(packet.at, took);
    }
}

/// Loopback is the one interface where what is sent is received at once.
fn is_loopback(interface: &str) -> bool {
    interface == "lo"
}
