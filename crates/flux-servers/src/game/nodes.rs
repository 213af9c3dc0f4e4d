//! The nodes of the program, and the functions of its predicate types.

pub(crate) use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::Site;
pub(crate) use super::beats::Beat;
pub(crate) use super::board::Frame;
pub(crate) use super::message::Message;
use super::message::{self, LONGEST_OF_PLAYER};

/// What each thread lends to the nodes that it runs.
pub(crate) struct Worker {
    site: Arc<Site>,
}

/// A datagram, as it came; of one that is too long, the beginning and one byte more than there may be.
pub(crate) struct Packet {
    from: SocketAddr,
    bytes: [u8; LONGEST_OF_PLAYER + 1],
    length: usize,
}

impl Worker {
    pub(crate) fn new(site: &Arc<Site>) -> Self {
        Self {
            site: Arc::clone(site),
        }
    }

    fn count(&self, of: impl Fn(&super::Counts) -> &AtomicU64) {
        of(&self.site.counts).fetch_add(1, Relaxed);
    }
}

/// The next datagram, for which it waits; none once the server has been stopped.
pub(crate) fn receive(worker: &mut Worker) -> Option<Packet> {
    let site = &worker.site;
    let mut bytes = [0; LONGEST_OF_PLAYER + 1];
    loop {
        let received = site.socket.recv_from(&mut bytes);
        if site.interrupt.came() {
            return None;
        }
        // What fails is what was sent before, to a player who has gone.
        if let Ok((length, from)) = received {
            return Some(Packet {
                from,
                bytes,
                length,
            });
        }
    }
}

/// Reads what a player says.
///
/// # Errors
/// The packet, where it is none of the game's, or lacks the token of where it comes from.
pub(crate) fn parse(worker: &mut Worker, packet: Packet) -> Result<(SocketAddr, Message), Packet> {
    let message = Message::parse(&packet.bytes[..packet.length]);
    let expected = worker.site.token(packet.from);
    match message {
        Some(Message::Wish { token, .. } | Message::Leave { token }) if token != expected => {
            Err(packet)
        }
        Some(message) => Ok((packet.from, message)),
        None => Err(packet),
    }
}

pub(crate) fn is_hello(message: &Message) -> bool {
    matches!(message, Message::Hello)
}

pub(crate) fn is_wish(message: &Message) -> bool {
    matches!(message, Message::Wish { .. })
}

/// Sends the token that wishes have to have.
pub(crate) fn challenge(worker: &mut Worker, player: SocketAddr, _: Message) {
    let site = &worker.site;
    let challenge = message::challenge(site.token(player));
    // One that does not arrive is asked for again.
    let _ = site.socket.send_to(&challenge, player);
}

/// Takes down where a player wishes to go.
pub(crate) fn steer(worker: &mut Worker, player: SocketAddr, message: Message) {
    if let Message::Wish {
        sequence,
        direction,
        ..
    } = message
    {
        let is_taken = worker.site.board().wish(player, sequence, direction);
        worker.count(|counts| match is_taken {
            true => &counts.wishes,
            false => &counts.ignored,
        });
    }
}

pub(crate) fn leave(worker: &mut Worker, player: SocketAddr, _: Message) {
    worker.site.board().leave(player);
}

pub(crate) fn ignore(worker: &mut Worker, _: Packet) {
    worker.count(|counts| &counts.ignored);
}

/// The next heartbeat, for which it waits; none once the server has been stopped.
pub(crate) fn wait(worker: &mut Worker) -> Option<Beat> {
    let site = &worker.site;
    loop {
        let due = site.beats().due();
        let until = due.saturating_duration_since(Instant::now());
        if site.interrupt.sleep(until) {
            return None;
        }
        let (number, missed) = site.beats().take(Instant::now());
        site.counts.missed.fetch_add(missed.into(), Relaxed);
        match Beat::begin(number, &site.is_beating) {
            Some(beat) => return Some(beat),
            None => worker.count(|counts| &counts.missed),
        }
    }
}

/// Has everybody move.
pub(crate) fn advance(worker: &mut Worker, beat: Beat) -> (Beat, Frame) {
    worker.count(|counts| &counts.beats);
    let frame = worker.site.board().advance(beat.number());
    (beat, frame)
}

/// Tells everybody where everybody is.
pub(crate) fn broadcast(worker: &mut Worker, _: Beat, mut frame: Frame) {
    for (player, number) in frame.to {
        message::address(&mut frame.datagram, number);
        // One that does not arrive is made up for by the next.
        if worker.site.socket.send_to(&frame.datagram, player).is_ok() {
            worker.count(|counts| &counts.told);
        }
    }
}
