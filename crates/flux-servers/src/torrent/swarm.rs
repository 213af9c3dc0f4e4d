//! The peers that share a torrent, as one of them sees them: who has what, who is choked, what is asked of whom.
//!
//! No socket, no file, no clock: it is told what others say and what time it is, and keeps mail for each of them. Whatever of it grows
//! with what others do has a bound.

mod choking;
mod fetching;
mod peer;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::bitfield::Bitfield;
use super::metainfo::Metainfo;
use super::offence::Offence;
use super::wire::{Block, Handshake, Message, PeerId};
use peer::Peer;

/// Names a connection; none is named twice.
pub(crate) type Number = u64;

/// Whoever asks for more blocks at a time does not wait for them.
const MOST_WANTED: usize = 256;
/// Messages that may wait for a peer to read those before them.
const MOST_MAIL: usize = 4096;
/// Addresses that are remembered for what they did.
const MOST_BANNED: usize = 1024;
/// A handshake has to be there by then.
const UNTIL_GREETED: Duration = Duration::from_secs(20);
/// A keep-alive is due after so long without a word (BEP 3: every two minutes).
const QUIET: Duration = Duration::from_secs(100);
/// And whoever says nothing for longer is gone.
const SILENT: Duration = Duration::from_secs(180);
/// A block that was asked for has to come by then, and what is sent has to be read.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections.
    pub(crate) peers: usize,
    /// Peers that are unchoked because of what they give, and the optimistic one.
    pub(crate) slots: usize,
}

/// A piece that has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) piece: u32,
    pub(crate) data: Vec<u8>,
}

/// What is to be sent to a peer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) messages: Vec<Message>,
    /// A block that it waits for.
    pub(crate) block: Option<Block>,
}

/// How much of pieces has passed, in bytes; and in blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) blocks_sent: u64,
}

/// A torrent's peers.
#[derive(Debug)]
pub(crate) struct Swarm {
    torrent: Arc<Metainfo>,
    own: Handshake,
    limits: Limits,
    have: Bitfield,
    /// How many peers have each piece.
    availability: Vec<u32>,
    /// Pieces that are asked of somebody, and of how many.
    fetched: BTreeMap<u32, u32>,
    peers: BTreeMap<Number, Peer>,
    optimistic: Option<Number>,
    banned: BTreeSet<IpAddr>,
    /// Those for whom there is mail that they have not been told of.
    nudged: BTreeSet<Number>,
    totals: Totals,
    random: Xoshiro256PlusPlus,
}

impl Swarm {
    /// Of this peer alone, which has so much of the torrent.
    pub(crate) fn new(
        torrent: Arc<Metainfo>,
        peer_id: PeerId,
        have: Bitfield,
        limits: Limits,
        seed: u64,
    ) -> Self {
        Self {
            own: Handshake {
                info_hash: torrent.info_hash,
                peer_id,
            },
            limits,
            have,
            availability: vec![0; torrent.pieces() as usize],
            fetched: BTreeMap::new(),
            peers: BTreeMap::new(),
            optimistic: None,
            banned: BTreeSet::new(),
            nudged: BTreeSet::new(),
            totals: Totals::default(),
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            torrent,
        }
    }

    /// A connection is there, in either direction.
    ///
    /// # Errors
    /// Why it is not wanted.
    pub(crate) fn join(
        &mut self,
        number: Number,
        address: SocketAddr,
        now: Instant,
    ) -> Result<(), Offence> {
        if self.banned.contains(&address.ip()) {
            return Err(Offence::Banned);
        }
        if self.peers.len() >= self.limits.peers {
            return Err(Offence::Crowded);
        }
        let peer = Peer::new(address, self.torrent.pieces(), now);
        self.peers.insert(number, peer);
        Ok(())
    }

    /// Its handshake has come.
    ///
    /// # Errors
    /// Why it is to be dropped.
    pub(crate) fn greet(
        &mut self,
        number: Number,
        handshake: &Handshake,
        now: Instant,
    ) -> Result<(), Offence> {
        if handshake.info_hash != self.own.info_hash {
            return Err(Offence::OtherTorrent);
        }
        if handshake.peer_id == self.own.peer_id {
            return Err(Offence::Itself);
        }
        let is_it = |peer: &Peer| peer.id == Some(handshake.peer_id);
        if self.peers.values().any(is_it) {
            return Err(Offence::Twice);
        }
        let peer = self.peers.get_mut(&number).ok_or(Offence::Gone)?;
        (peer.id, peer.heard) = (Some(handshake.peer_id), now);
        if self.have.count() > 0 {
            let bitfield = Message::Bitfield(self.have.bytes().to_vec());
            self.post(number, bitfield);
        }
        Ok(())
    }

    /// A message has come; the piece that is whole by it.
    ///
    /// # Errors
    /// Why the peer is to be dropped.
    pub(crate) fn take(
        &mut self,
        number: Number,
        message: Message,
        now: Instant,
    ) -> Result<Option<Whole>, Offence> {
        let pieces = self.torrent.pieces();
        let peer = self.peers.get_mut(&number).ok_or(Offence::Gone)?;
        peer.heard = now;
        match message {
            Message::KeepAlive => {}
            Message::Choke => peer.is_choked_by(),
            Message::Unchoke => {
                peer.chokes = false;
                self.fill(number, now);
            }
            Message::Interested | Message::NotInterested => {
                peer.is_interested = message == Message::Interested;
                self.rechoke();
            }
            Message::Have(piece) if piece >= pieces => return Err(Offence::NoSuchPiece(piece)),
            Message::Have(piece) => self.learn(number, &[piece], now),
            // Some say it again later, in place of what came since.
            Message::Bitfield(bytes) => {
                let theirs = Bitfield::received(&bytes, pieces)?;
                self.learn(number, &theirs.pieces().collect::<Vec<_>>(), now);
            }
            Message::Request(block) => self.want(number, block)?,
            Message::Cancel(block) => peer.wanted.retain(|wanted| *wanted != block),
            Message::Piece { piece, begin, data } => {
                return self.take_block(number, piece, begin, &data, now);
            }
        }
        Ok(None)
    }

    /// A peer has pieces.
    fn learn(&mut self, number: Number, pieces: &[u32], now: Instant) {
        let Some(peer) = self.peers.get_mut(&number) else {
            return;
        };
        for &piece in pieces {
            if peer.have.insert(piece) {
                self.availability[piece as usize] += 1;
                peer.useful += u32::from(!self.have.has(piece));
            }
        }
        self.tell_interest(number);
        self.fill(number, now);
    }

    fn tell_interest(&mut self, number: Number) {
        let Some(peer) = self.peers.get_mut(&number) else {
            return;
        };
        let interests = peer.useful > 0;
        if std::mem::replace(&mut peer.interests, interests) != interests {
            let message = match interests {
                true => Message::Interested,
                false => Message::NotInterested,
            };
            self.post(number, message);
        }
    }

    /// A peer asks for a block.
    fn want(&mut self, number: Number, block: Block) -> Result<(), Offence> {
        if !self.torrent.has(block) {
            return Err(Offence::NoSuchBlock);
        }
        if !self.have.has(block.piece) {
            return Err(Offence::NotOffered(block.piece));
        }
        let peer = self.peers.get_mut(&number).ok_or(Offence::Gone)?;
        if peer.is_choked {
            // It may not have heard of that yet.
            peer.refused += 1;
        } else {
            peer.wanted.push_back(block);
        }
        match peer.refused.max(peer.wanted.len()) > MOST_WANTED {
            true => Err(Offence::Flood),
            false => Ok(()),
        }
    }

    /// What is to be sent to a peer next, if there is room for it.
    ///
    /// # Errors
    /// Why it is to be dropped instead.
    pub(crate) fn mail(
        &mut self,
        number: Number,
        has_room: bool,
        now: Instant,
    ) -> Result<Mail, Offence> {
        self.nudged.remove(&number);
        let peer = self.peers.get_mut(&number).ok_or(Offence::Gone)?;
        if let Some(offence) = peer.over {
            return Err(offence);
        }
        if !has_room {
            peer.blocked.get_or_insert(now);
            return Ok(Mail::default());
        }
        peer.blocked = None;
        let mail = Mail {
            messages: std::mem::take(&mut peer.mail),
            block: peer.wanted.pop_front(),
        };
        if let Some(block) = mail.block {
            peer.sent.add(block.length);
            self.totals.sent += u64::from(block.length);
            self.totals.blocks_sent += 1;
        }
        if mail != Mail::default() {
            peer.said = now;
        }
        Ok(mail)
    }

    /// Whether more could be sent to a peer at once.
    pub(crate) fn has_mail(&self, number: Number) -> bool {
        let peer = self.peers.get(&number);
        peer.is_some_and(|peer| !peer.wanted.is_empty() || !peer.mail.is_empty())
    }

    /// A peer is gone, or is to be.
    pub(crate) fn leave(&mut self, number: Number, why: Offence, now: Instant) {
        let Some(peer) = self.peers.remove(&number) else {
            return;
        };
        self.nudged.remove(&number);
        if matches!(why, Offence::WrongData(_)) && self.banned.len() < MOST_BANNED {
            self.banned.insert(peer.address.ip());
        }
        for piece in peer.have.pieces() {
            self.availability[piece as usize] -= 1;
        }
        let fetched = peer.fetches.iter().map(|fetch| fetch.piece);
        for piece in fetched.chain(peer.checking) {
            self.give_back(piece);
        }
        if self.optimistic == Some(number) {
            self.optimistic = None;
        }
        self.rechoke();
        self.fill_all(now);
    }

    /// Says what has to be said lest others take it for dead, and finds those that are.
    pub(crate) fn keep_alive(&mut self, now: Instant) {
        let mut quiet = Vec::new();
        for (&number, peer) in &mut self.peers {
            let since = |then: Instant| now.saturating_duration_since(then);
            let is_late = |then: Option<Instant>| then.is_some_and(|then| since(then) > PATIENCE);
            let is_silent = since(peer.heard) > SILENT || is_late(peer.waits);
            if peer.id.is_none() && since(peer.joined) > UNTIL_GREETED || is_silent {
                peer.over = Some(Offence::Silent);
            } else if is_late(peer.blocked) {
                peer.over = Some(Offence::DoesNotRead);
            } else if peer.id.is_some() && since(peer.said) >= QUIET {
                quiet.push(number);
            }
            if peer.over.is_some() {
                self.nudged.insert(number);
            }
        }
        for number in quiet {
            self.post(number, Message::KeepAlive);
        }
    }

    /// Keeps a message for a peer, and a note that it is there.
    fn post(&mut self, number: Number, message: Message) {
        let Some(peer) = self.peers.get_mut(&number) else {
            return;
        };
        if peer.mail.len() < MOST_MAIL {
            peer.mail.push(message);
        } else {
            peer.over = Some(Offence::DoesNotRead);
        }
        self.nudged.insert(number);
    }

    /// For whom there is something since the last time that this was asked.
    pub(crate) fn nudged(&mut self) -> Vec<Number> {
        std::mem::take(&mut self.nudged).into_iter().collect()
    }

    /// How this peer introduces itself.
    pub(crate) fn handshake(&self) -> Handshake {
        self.own
    }

    /// Whether all of the torrent is there.
    pub(crate) fn is_complete(&self) -> bool {
        self.have.is_all()
    }

    /// How many pieces are there.
    pub(crate) fn held(&self) -> u32 {
        self.have.count()
    }

    /// How many bytes are not.
    pub(crate) fn left_bytes(&self) -> u64 {
        let lacks = |piece: &u32| !self.have.has(*piece);
        let missing = (0..self.torrent.pieces()).filter(lacks);
        missing
            .map(|piece| u64::from(self.torrent.piece_bytes(piece)))
            .sum()
    }

    /// How much has passed.
    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether somebody at this address is connected, who was called there.
    pub(crate) fn knows(&self, address: SocketAddr) -> bool {
        self.peers.values().any(|peer| peer.address == address)
    }
}
