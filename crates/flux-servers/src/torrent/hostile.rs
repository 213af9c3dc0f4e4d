//! What must hold of the machines of the protocol whatever others send; for a fuzzer (`crates/fuzz`), which knows nothing of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};

use super::announce::{Announcement, Answer, MOST_PEERS};
use super::bitfield::Bitfield;
use super::metainfo::{self, Metainfo};
use super::offence::Offence;
use super::swarm::{Limits, Number, Swarm};
use super::wire::{Handshake, Incoming, Message, Received};

/// Of the torrent that hostile peers share: pieces of one short block each, the last one shorter, all bytes 0.
const BYTES: usize = 300;
const PIECE_BYTES: usize = 32;
/// The hostile peer, and one that has all and unchokes.
const HOSTILE: Number = 1;
const OTHER: Number = 2;

/// A peer says this, in one piece and in those `pieces`. The same is understood, and what of it is a message can be said again; the swarm
/// takes it or drops the peer, and never wants or gives what there is not.
///
/// # Panics
/// When that does not hold.
pub fn peer<'a>(said: &'a [u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let torrent = torrent();
    let understood = understand(&torrent, [said].into_iter());
    assert_eq!(
        understood,
        understand(&torrent, pieces),
        "in one piece and in several"
    );
    say_again(&torrent, &understood);
    share(&torrent, understood);
}

/// Metainfo says this. It is refused, or describes files beneath a folder whose pieces fit into them.
///
/// # Panics
/// When that does not hold.
pub fn metainfo(bytes: &[u8]) {
    let torrent = match metainfo::parse(bytes) {
        Ok(torrent) => torrent,
        Err(why) => return in_a_line(&why.to_string()),
    };
    for name in torrent.files.iter().flat_map(|file| &file.path) {
        assert!(!name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\']));
    }
    let of_pieces = (0..torrent.pieces()).map(|piece| u64::from(torrent.piece_bytes(piece)));
    assert_eq!(of_pieces.sum::<u64>(), torrent.length);
    let last = torrent.pieces() - 1;
    let part = 0..torrent.piece_bytes(last);
    let spans = torrent.spans(last, part.clone());
    let covered: usize = spans.iter().map(|span| span.length).sum();
    assert_eq!(covered, part.len());
    for span in spans {
        assert!(span.offset + span.length as u64 <= torrent.files[span.file].length);
    }
    assert!(torrent.has(torrent.block(last, torrent.blocks(last) - 1)));
}

/// A tracker answers this. It is refused in a line, or says when to come back and names no more peers than are looked at; and can be said
/// again.
///
/// # Panics
/// When that does not hold.
pub fn tracker_answer(bytes: &[u8]) {
    match Answer::parse(bytes) {
        Ok(mut answer) => {
            assert!(answer.interval >= Duration::from_secs(1));
            assert!(answer.peers.len() <= MOST_PEERS);
            // They are said in two lists, and how many there are always is.
            answer.peers.sort_by_key(SocketAddr::is_ipv6);
            let six = |peer: &SocketAddr| match peer {
                SocketAddr::V6(six) => SocketAddr::from((*six.ip(), six.port())),
                four => *four,
            };
            answer.peers = answer.peers.iter().map(six).collect();
            (answer.seeds, answer.leeches) = (answer.seeds.or(Some(0)), answer.leeches.or(Some(0)));
            assert_eq!(Answer::parse(&answer.bytes()), Ok(answer));
        }
        Err(why) => in_a_line(&why),
    }
}

/// A peer announces itself so to the tracker. It is refused in a line, or can be said again.
///
/// # Panics
/// When that does not hold.
pub fn announcement(query: &[u8]) {
    match Announcement::parse(query) {
        Ok(told) => assert_eq!(Announcement::parse(told.query().as_bytes()), Ok(told)),
        Err(why) => in_a_line(&why),
    }
}

/// A refusal can be shown on a terminal.
fn in_a_line(why: &str) {
    assert!(
        !why.is_empty() && !why.contains(char::is_control),
        "{why:?}"
    );
}

fn torrent() -> Arc<Metainfo> {
    let data = [0; BYTES];
    let pieces = data.chunks(PIECE_BYTES);
    let mut text = format!(
        "d4:infod6:lengthi{BYTES}e4:name4:file12:piece lengthi{PIECE_BYTES}e6:pieces{}:",
        20 * pieces.len()
    )
    .into_bytes();
    pieces.for_each(|piece| text.extend(Sha1::digest(piece)));
    text.extend(b"ee");
    Arc::new(metainfo::parse(&text).expect("it is a torrent"))
}

/// What is understood of bytes, up to the end.
fn understand<'a>(torrent: &Metainfo, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Received> {
    let mut incoming = Incoming::new(torrent.pieces());
    let mut understood = Vec::new();
    for piece in pieces {
        incoming.receive(piece);
        while incoming.has_next() {
            let next = incoming.next().expect("there is one");
            let is_end = matches!(next, Received::End(_));
            understood.push(next);
            if is_end {
                return understood;
            }
        }
    }
    incoming.end_of_input();
    understood.extend(incoming.next());
    assert!(matches!(understood.last(), Some(Received::End(_))));
    understood
}

/// What was understood, said and understood again.
fn say_again(torrent: &Metainfo, understood: &[Received]) {
    let mut said = Vec::new();
    for received in understood {
        match received {
            Received::Handshake(handshake) => said.extend(handshake.bytes()),
            Received::Message(message) => message.write(&mut said),
            Received::Connection | Received::End(_) => {}
        }
    }
    let again = understand(torrent, [&said[..]].into_iter());
    let all = understood.len() - 1;
    assert_eq!(again[..all], understood[..all]);
}

/// A swarm that has half of the torrent hears what was understood, until it drops who says it.
fn share(torrent: &Arc<Metainfo>, understood: Vec<Received>) {
    let limits = Limits { peers: 2, slots: 1 };
    let mut have = Bitfield::none(torrent.pieces());
    (0..torrent.pieces())
        .step_by(2)
        .for_each(|piece| assert!(have.insert(piece)));
    let mut swarm = Swarm::new(Arc::clone(torrent), [7; 20], have.clone(), limits, 1);
    let mut now = Instant::now();
    let address = |number: Number| SocketAddr::from((Ipv4Addr::LOCALHOST, number as u16));
    for number in [HOSTILE, OTHER] {
        swarm.join(number, address(number), now).expect("room");
    }
    let other = Handshake {
        info_hash: torrent.info_hash,
        peer_id: [9; 20],
    };
    swarm.greet(OTHER, &other, now).expect("nobody else");
    swarm
        .take(OTHER, Message::Unchoke, now)
        .expect("it is heard");
    for received in understood {
        now += Duration::from_secs(1);
        swarm
            .take(OTHER, Message::KeepAlive, now)
            .expect("it is heard");
        let heard = match received {
            // Nobody finds the hash by chance.
            Received::Handshake(Handshake { peer_id, .. }) => {
                let info_hash = torrent.info_hash;
                let handshake = Handshake { info_hash, peer_id };
                swarm.greet(HOSTILE, &handshake, now).map(|()| None)
            }
            Received::Message(message) => swarm.take(HOSTILE, message, now),
            Received::Connection => Ok(None),
            Received::End(offence) => Err(offence),
        };
        let heard = heard.and_then(|whole| {
            if let Some(whole) = whole {
                assert_eq!(whole.data.len(), torrent.piece_bytes(whole.piece) as usize);
                if torrent.is_piece(whole.piece, &whole.data) {
                    have.insert(whole.piece);
                    swarm.keep(HOSTILE, whole.piece, now);
                }
            }
            swarm.keep_alive(now);
            swarm.mail(HOSTILE, true, now)
        });
        let mail = match heard {
            Ok(mail) => mail,
            Err(offence) => {
                swarm.leave(HOSTILE, offence, now);
                break;
            }
        };
        if let Some(block) = mail.block {
            assert!(torrent.has(block) && have.has(block.piece));
        }
        for message in mail.messages {
            if let Message::Request(block) = message {
                assert!(torrent.has(block) && !have.has(block.piece));
            }
        }
    }
    assert_eq!(swarm.held(), have.count());
    swarm.mail(OTHER, true, now).expect("the other one stays");
    swarm.leave(OTHER, Offence::Gone, now);
}
