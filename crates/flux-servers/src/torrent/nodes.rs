//! The nodes of the program, and the functions of its predicate types.

use std::time::Duration;

use command::output::complain;

pub(crate) use super::announce::Announcement;
use super::connections::{self, Returned};
use super::offence::Offence;
pub(crate) use super::peer::Peer;
pub(crate) use super::visit::Visit;
pub(crate) use super::wire::Received;
use super::wire::{Message, write_piece_head};
pub(crate) use std::net::SocketAddr;
pub(crate) use std::time::Instant;

/// How often it is looked at who gives most (BEP 3).
const CHOKING_ROUND: Duration = Duration::from_secs(10);
/// How often another one is given a chance.
const OPTIMISTIC_ROUND: Duration = Duration::from_secs(30);
/// How often it is looked at who has been silent.
const KEEP_ALIVE_ROUND: Duration = Duration::from_secs(10);

/// Waits for a connection that can go on.
pub(crate) fn listen(peer: &mut Peer) -> Option<Box<Visit>> {
    let lost = |number| {
        let now = Instant::now();
        peer.shared
            .swarm(None, |swarm| swarm.leave(number, Offence::Gone, now));
    };
    let next = peer.shared.connections().next(lost);
    next.unwrap_or_else(|error| {
        peer.shared.fail(format!("connections: {error}"));
        None
    })
}

/// Receives a message.
///
/// # Errors
/// The visit, where none is whole.
pub(crate) fn read_message(
    peer: &mut Peer,
    mut visit: Box<Visit>,
) -> Result<(Box<Visit>, Received), Box<Visit>> {
    match visit.receive(&mut peer.buffer) {
        Some(received) => Ok((visit, received)),
        None => Err(visit),
    }
}

pub(crate) fn is_arrival(received: &Received) -> bool {
    *received == Received::Connection
}

pub(crate) fn is_greeting(received: &Received) -> bool {
    matches!(received, Received::Handshake(_))
}

pub(crate) fn is_block(received: &Received) -> bool {
    matches!(received, Received::Message(Message::Piece { .. }))
}

pub(crate) fn is_whole(visit: &Visit) -> bool {
    visit.whole.is_some()
}

pub(crate) fn is_asked(visit: &Visit) -> bool {
    visit.asked.is_some()
}

/// What a node gives that takes what has come: the visit, or all that it took, where the other is to be dropped.
type Taken = Result<Box<Visit>, (Box<Visit>, Received)>;

/// Takes a connection into the swarm; whoever has called speaks first.
///
/// # Errors
/// Where there is no room, or nobody wants it.
pub(crate) fn join(peer: &mut Peer, mut visit: Box<Visit>, received: Received) -> Taken {
    let (number, address) = (visit.number, visit.address);
    let joined = peer.shared.swarm(Some(number), |swarm| {
        let joined = swarm.join(number, address, Instant::now());
        joined.map(|()| swarm.handshake())
    });
    match joined {
        Ok(handshake) => {
            if visit.is_outgoing {
                visit.say(handshake.bytes().to_vec());
            }
            Ok(visit)
        }
        Err(offence) => refuse(visit, received, offence),
    }
}

/// Takes a handshake, and answers it.
///
/// # Errors
/// Where it is for somebody else.
pub(crate) fn greet(peer: &mut Peer, mut visit: Box<Visit>, received: Received) -> Taken {
    let Received::Handshake(handshake) = &received else {
        return refuse(visit, received, Offence::NoHandshake);
    };
    let number = visit.number;
    let greeted = peer.shared.swarm(Some(number), |swarm| {
        let greeted = swarm.greet(number, handshake, Instant::now());
        greeted.map(|()| swarm.handshake())
    });
    match greeted {
        Ok(handshake) => {
            if !visit.is_outgoing {
                visit.say(handshake.bytes().to_vec());
            }
            Ok(visit)
        }
        Err(offence) => refuse(visit, received, offence),
    }
}

/// Takes part of a piece.
///
/// # Errors
/// Where it was not asked for.
pub(crate) fn take_block(peer: &mut Peer, visit: Box<Visit>, received: Received) -> Taken {
    take(peer, visit, received)
}

/// Takes what another says of itself, or asks for.
///
/// # Errors
/// Where that cannot be, or it says nothing any more.
pub(crate) fn take_news(peer: &mut Peer, visit: Box<Visit>, received: Received) -> Taken {
    take(peer, visit, received)
}

fn take(peer: &Peer, mut visit: Box<Visit>, received: Received) -> Taken {
    let number = visit.number;
    let message = match received {
        Received::Message(message) => message,
        Received::End(offence) => return refuse(visit, received, offence),
        Received::Connection | Received::Handshake(_) => return Ok(visit),
    };
    let taken = peer.shared.swarm(Some(number), |swarm| {
        swarm.take(number, message, Instant::now())
    });
    match taken {
        Ok(whole) => {
            visit.whole = whole;
            Ok(visit)
        }
        Err(offence) => refuse(visit, Received::End(offence), offence),
    }
}

fn refuse(mut visit: Box<Visit>, received: Received, offence: Offence) -> Taken {
    visit.over = Some(offence);
    Err((visit, received))
}

/// Looks whether a piece is what the torrent says.
///
/// # Errors
/// Where it is not.
pub(crate) fn check_piece(
    peer: &mut Peer,
    mut visit: Box<Visit>,
) -> Result<Box<Visit>, Box<Visit>> {
    let torrent = &peer.shared.torrent;
    match visit.whole.take() {
        Some(whole) if !torrent.is_piece(whole.piece, &whole.data) => {
            visit.over = Some(Offence::WrongData(whole.piece));
            Err(visit)
        }
        whole => {
            visit.whole = whole;
            Ok(visit)
        }
    }
}

/// Writes a piece to its files. Where that fails there is no use in going on.
pub(crate) fn store_piece(peer: &mut Peer, visit: Box<Visit>) -> Box<Visit> {
    let (shared, torrent) = (&peer.shared, &peer.shared.torrent);
    if let Some(whole) = &visit.whole {
        let spans = torrent.spans(whole.piece, 0..torrent.piece_bytes(whole.piece));
        if let Err(error) = shared.storage.write(&spans, &whole.data) {
            shared.fail(format!("cannot write piece {}: {error}", whole.piece));
        }
    }
    visit
}

/// Tells all that a piece is there.
pub(crate) fn keep_piece(peer: &mut Peer, mut visit: Box<Visit>) -> Box<Visit> {
    if let Some(whole) = visit.whole.take()
        && !peer.shared.has_failed()
    {
        let number = visit.number;
        let is_complete = peer.shared.swarm(Some(number), |swarm| {
            swarm.keep(number, whole.piece, Instant::now());
            swarm.is_complete()
        });
        if is_complete {
            peer.shared.completed();
        }
    }
    visit
}

/// Takes what is to be said to the other.
///
/// # Errors
/// Where it is to be dropped.
pub(crate) fn take_mail(peer: &mut Peer, mut visit: Box<Visit>) -> Result<Box<Visit>, Box<Visit>> {
    let (number, has_room) = (visit.number, visit.has_room());
    let taken = peer.shared.swarm(Some(number), |swarm| {
        let mail = swarm.mail(number, has_room, Instant::now());
        mail.map(|mail| (mail, swarm.has_mail(number)))
    });
    match taken {
        Ok((mail, has_more)) => {
            let mut said = Vec::new();
            for message in &mail.messages {
                message.write(&mut said);
            }
            visit.say(said);
            (visit.asked, visit.has_mail) = (mail.block, has_more);
            Ok(visit)
        }
        Err(offence) => {
            visit.over = Some(offence);
            Err(visit)
        }
    }
}

/// Reads the block that the other waits for.
pub(crate) fn read_block(peer: &mut Peer, mut visit: Box<Visit>) -> Box<Visit> {
    let (shared, torrent) = (&peer.shared, &peer.shared.torrent);
    if let Some(block) = visit.asked.take() {
        let length = block.length as usize;
        let mut said = Vec::with_capacity(13 + length);
        write_piece_head(&mut said, block.piece, block.begin, length);
        let from = said.len();
        said.resize(from + length, 0);
        let spans = torrent.spans(block.piece, block.begin..block.begin + block.length);
        match shared.storage.read(&spans, &mut said[from..]) {
            Ok(()) => visit.say(said),
            Err(error) => shared.fail(format!("cannot read piece {}: {error}", block.piece)),
        }
    }
    visit
}

/// Sends what is to be said, as much as the other takes.
pub(crate) fn send(_: &mut Peer, mut visit: Box<Visit>) -> Box<Visit> {
    visit.send();
    visit
}

/// Lets the connection go back to the source.
pub(crate) fn go_back(_: &mut Peer, visit: Box<Visit>) {
    Visit::go_back(visit);
}

/// Drops whoever said what cannot be.
pub(crate) fn dismiss(peer: &mut Peer, visit: Box<Visit>, _: Received) {
    let_go(peer, visit);
}

/// Drops a connection.
#[allow(clippy::boxed_local, reason = "flows hold visits in their boxes")]
pub(crate) fn let_go(peer: &mut Peer, visit: Box<Visit>) {
    let why = visit.over.unwrap_or(Offence::Gone);
    peer.shared.swarm(Some(visit.number), |swarm| {
        swarm.leave(visit.number, why, Instant::now());
    });
    peer.shared.note(visit.address, why);
}

/// Waits for the next choking round.
pub(crate) fn choke_timer(peer: &mut Peer) -> Option<Instant> {
    peer.tick(CHOKING_ROUND)
}

/// Waits until another one is to be given a chance.
pub(crate) fn optimistic_timer(peer: &mut Peer) -> Option<Instant> {
    peer.tick(OPTIMISTIC_ROUND)
}

/// Waits until it is to be looked at who has been silent.
pub(crate) fn keep_alive_timer(peer: &mut Peer) -> Option<Instant> {
    peer.tick(KEEP_ALIVE_ROUND)
}

/// Waits until the tracker is to be told again.
pub(crate) fn announce_timer(peer: &mut Peer) -> Option<Instant> {
    peer.shared.wait_to_announce()
}

/// Chokes and unchokes, by what peers gave.
pub(crate) fn choking_round(peer: &mut Peer, _: Instant) {
    peer.shared.swarm(None, super::swarm::Swarm::choking_round);
}

/// Gives another one a chance.
pub(crate) fn optimistic_round(peer: &mut Peer, _: Instant) {
    peer.shared
        .swarm(None, super::swarm::Swarm::optimistic_round);
}

/// Says that this peer is there, and drops those that are not.
pub(crate) fn keep_alive(peer: &mut Peer, now: Instant) {
    peer.shared.swarm(None, |swarm| swarm.keep_alive(now));
}

/// Counts what the tracker is to be told.
pub(crate) fn count_bytes(peer: &mut Peer, _: Instant) -> Announcement {
    peer.shared.announcement(None)
}

/// Tells the tracker, and hears of others.
///
/// # Errors
/// Where the tracker does not answer, or refuses.
pub(crate) fn announce(
    peer: &mut Peer,
    announcement: Announcement,
) -> Result<Vec<SocketAddr>, Announcement> {
    peer.shared.announce(&announcement).map_err(|why| {
        complain(format_args!("{why}; it is asked again"));
        announcement
    })
}

/// Has the tracker asked again soon.
pub(crate) fn try_again(peer: &mut Peer, _: Announcement) {
    peer.shared.announce_soon();
}

/// Calls those that are not connected yet.
pub(crate) fn dial(peer: &mut Peer, peers: Vec<SocketAddr>) {
    let shared = &peer.shared;
    for address in peers {
        if address.port() == 0 || shared.swarm(None, |swarm| swarm.knows(address)) {
            continue;
        }
        let way_back = shared.way_back();
        if let Ok(visit) = connections::call(address, shared.torrent.pieces(), way_back) {
            way_back.send(Returned::Called(visit));
        }
    }
}
