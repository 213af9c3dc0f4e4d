//! The machines of the protocol, without a socket, on a clock that is turned by hand.

mod encoding;
mod hostile;
mod names;
mod sharing;
mod turns;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use sha1::{Digest, Sha1};

use super::bitfield::Bitfield;
use super::metainfo::{Metainfo, parse};
use super::offence::Offence;
use super::swarm::{Limits, Number, Swarm};
use super::wire::{BLOCK_BYTES, Block, Handshake, Message};

const LIMITS: Limits = Limits {
    peers: 16,
    slots: 4,
};

/// Bytes of which no two blocks are alike.
pub(super) fn data(length: usize) -> Vec<u8> {
    (0..length)
        .map(|place| (place / 7 + place % 251) as u8)
        .collect()
}

/// A torrent of one file with these bytes.
pub(super) fn torrent(data: &[u8], piece_length: u32) -> Arc<Metainfo> {
    let mut text = format!(
        "d4:infod6:lengthi{}e4:name4:file12:piece lengthi{piece_length}e6:pieces{}:",
        data.len(),
        20 * data.len().div_ceil(piece_length as usize)
    )
    .into_bytes();
    for piece in data.chunks(piece_length as usize) {
        text.extend(Sha1::digest(piece));
    }
    text.extend(b"ee");
    Arc::new(parse(&text).unwrap())
}

/// Peers that share a torrent, in memory.
struct World {
    torrent: Arc<Metainfo>,
    data: Vec<u8>,
    swarms: Vec<Swarm>,
    /// Who is connected to whom: the connection has the same number at both ends.
    links: Vec<(usize, usize)>,
    now: Instant,
}

impl World {
    /// Of peers, each of whom has all or nothing.
    fn new(pieces: u32, blocks: u32, has_all: &[bool]) -> Self {
        let piece_length = blocks * BLOCK_BYTES;
        let data = data((pieces * piece_length) as usize - 100);
        let torrent = torrent(&data, piece_length);
        let swarms = has_all.iter().zip(1..).map(|(&has_all, id)| {
            let have = match has_all {
                true => Bitfield::all(pieces),
                false => Bitfield::none(pieces),
            };
            Swarm::new(Arc::clone(&torrent), [id; 20], have, LIMITS, id.into())
        });
        Self {
            swarms: swarms.collect(),
            torrent,
            data,
            links: Vec::new(),
            now: Instant::now(),
        }
    }

    /// Connects two peers; the connection's number.
    fn connect(&mut self, one: usize, other: usize) -> Number {
        let number = self.links.len() as Number;
        self.links.push((one, other));
        for (own, theirs) in [(one, other), (other, one)] {
            let handshake = self.swarms[theirs].handshake();
            let swarm = &mut self.swarms[own];
            swarm.join(number, address(theirs), self.now).unwrap();
            swarm.greet(number, &handshake, self.now).unwrap();
        }
        number
    }

    /// The bytes of a block.
    fn block(&self, block: Block) -> Message {
        let spans = self
            .torrent
            .spans(block.piece, block.begin..block.begin + block.length);
        let from = spans[0].offset as usize;
        Message::Piece {
            piece: block.piece,
            begin: block.begin,
            data: self.data[from..from + block.length as usize].to_vec(),
        }
    }

    /// What one end of a connection says next.
    fn mail(&mut self, own: usize, number: Number) -> Vec<Message> {
        let mail = self.swarms[own].mail(number, true, self.now).unwrap();
        let mut messages = mail.messages;
        messages.extend(mail.block.map(|block| self.block(block)));
        messages
    }

    /// Has one end of a connection hear something, and keep the piece that is whole by it.
    fn hear(&mut self, own: usize, number: Number, message: Message) -> Result<(), Offence> {
        let whole = self.swarms[own].take(number, message, self.now)?;
        if let Some(whole) = whole {
            assert!(self.torrent.is_piece(whole.piece, &whole.data));
            self.swarms[own].keep(number, whole.piece, self.now);
        }
        Ok(())
    }

    /// Lets all of them speak until nobody has anything to say; how often what was said.
    fn settle(&mut self) -> Vec<(usize, Message)> {
        let mut said = Vec::new();
        loop {
            let before = said.len();
            for number in 0..self.links.len() {
                let (one, other) = self.links[number];
                for (from, to) in [(one, other), (other, one)] {
                    for message in self.mail(from, number as Number) {
                        said.push((from, message.clone()));
                        self.hear(to, number as Number, message).unwrap();
                    }
                }
            }
            if said.len() == before {
                return said;
            }
        }
    }
}

fn address(peer: usize) -> SocketAddr {
    ([127, 0, 0, peer as u8 + 1], 6881).into()
}

/// One peer, and others that the test speaks for.
struct Alone {
    world: World,
}

impl Alone {
    /// A peer that has all or nothing of so many pieces.
    fn new(pieces: u32, blocks: u32, has_all: bool) -> Self {
        Self {
            world: World::new(pieces, blocks, &[has_all]),
        }
    }

    /// Another one comes, and says what it has.
    fn comes(&mut self, number: Number, pieces: &[u32]) {
        let handshake = Handshake {
            info_hash: self.world.torrent.info_hash,
            peer_id: [100 + number as u8; 20],
        };
        let (now, all) = (self.world.now, self.world.torrent.pieces());
        let swarm = &mut self.world.swarms[0];
        swarm.join(number, address(number as usize), now).unwrap();
        swarm.greet(number, &handshake, now).unwrap();
        let mut have = Bitfield::none(all);
        pieces.iter().for_each(|&piece| assert!(have.insert(piece)));
        self.says(number, Message::Bitfield(have.bytes().to_vec()))
            .unwrap();
    }

    fn says(&mut self, number: Number, message: Message) -> Result<(), Offence> {
        self.world.hear(0, number, message)
    }

    /// What it is told.
    fn hears(&mut self, number: Number) -> Vec<Message> {
        let mut heard = Vec::new();
        loop {
            let mail = self.world.mail(0, number);
            if mail.is_empty() {
                return heard;
            }
            heard.extend(mail);
        }
    }

    /// What is asked of it.
    fn asked(&mut self, number: Number) -> Vec<Block> {
        let requests = self.hears(number).into_iter();
        let block = |message| match message {
            Message::Request(block) => Some(block),
            _ => None,
        };
        requests.filter_map(block).collect()
    }

    fn swarm(&mut self) -> &mut Swarm {
        &mut self.world.swarms[0]
    }
}
