//! What is asked of whom: the rarest piece first, and each of one peer, until at the end nothing else is left to ask for.

use std::time::Instant;

use rand::RngExt;

use super::peer::Fetch;
use super::{Number, Swarm, Whole};
use crate::torrent::offence::Offence;
use crate::torrent::wire::{Block, Message};

/// So many blocks are asked for at a time, lest the line to a peer be idle while a request is under way.
pub(super) const PIPELINE: usize = 16;
/// At the end a piece may be asked of so many peers, since one of them may be slow.
const DUPLICATES: u32 = 3;

impl Swarm {
    /// Asks a peer for as much as may be under way.
    pub(super) fn fill(&mut self, number: Number, now: Instant) {
        loop {
            let Some(peer) = self.peers.get_mut(&number) else {
                return;
            };
            if peer.chokes || !peer.interests || peer.outstanding() >= PIPELINE {
                return;
            }
            if let Some(block) = peer.ask(&self.torrent) {
                peer.waits.get_or_insert(now);
                self.post(number, Message::Request(block));
                continue;
            }
            let Some(piece) = self.pick(number) else {
                return;
            };
            *self.fetched.entry(piece).or_default() += 1;
            let fetch = Fetch::new(piece, &self.torrent);
            if let Some(peer) = self.peers.get_mut(&number) {
                peer.fetches.push(fetch);
            }
        }
    }

    pub(super) fn fill_all(&mut self, now: Instant) {
        let numbers: Vec<_> = self.peers.keys().copied().collect();
        for number in numbers {
            self.fill(number, now);
        }
    }

    /// A piece to ask a peer for: one that is asked of nobody, or, if there is none at all, of few.
    fn pick(&mut self, number: Number) -> Option<u32> {
        let peer = self.peers.get(&number)?;
        let lacking = || peer.have.pieces().filter(|&piece| !self.have.has(piece));
        let is_end = self.have.count() as usize + self.fetched.len() == self.availability.len();
        let rank = |piece: &u32| -> Option<(u32, u32)> {
            let others = self.fetched.get(piece).copied().unwrap_or(0);
            let is_own = || peer.fetches.iter().any(|fetch| fetch.piece == *piece);
            let is_own = others > 0 && (is_own() || peer.checking == Some(*piece));
            let may = others == 0 || is_end && others < DUPLICATES && !is_own;
            may.then_some((others, self.availability[*piece as usize]))
        };
        let best = lacking().filter_map(|piece| rank(&piece)).min()?;
        let best: Vec<u32> = lacking()
            .filter(|piece| rank(piece) == Some(best))
            .collect();
        // By chance, lest all peers ask the same one for the same piece.
        let chosen = self.random.random_range(0..best.len());
        Some(best[chosen])
    }

    /// A block has come.
    pub(super) fn take_block(
        &mut self,
        number: Number,
        piece: u32,
        begin: u32,
        data: &[u8],
        now: Instant,
    ) -> Result<Option<Whole>, Offence> {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let peer = self.peers.get_mut(&number).ok_or(Offence::Gone)?;
        let Some(whole) = peer.put(piece, begin, data, &self.torrent) else {
            let block = Block {
                piece,
                begin,
                length,
            };
            if !self.torrent.has(block) {
                return Err(Offence::NoSuchBlock);
            }
            peer.forgiven = peer.forgiven.checked_sub(1).ok_or(Offence::Unasked)?;
            return Ok(None);
        };
        peer.received.add(length);
        self.totals.received += u64::from(length);
        peer.waits = (peer.outstanding() > 0).then_some(now);
        peer.checking = whole.as_ref().map(|fetch| fetch.piece).or(peer.checking);
        self.fill(number, now);
        Ok(whole.map(|fetch| Whole {
            piece: fetch.piece,
            data: fetch.into_data(),
        }))
    }

    /// A piece is there, and right: all are told, and nobody is asked for it any more.
    pub(crate) fn keep(&mut self, number: Number, piece: u32, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&number) {
            peer.checking = None;
        }
        if !self.have.insert(piece) {
            return;
        }
        self.fetched.remove(&piece);
        let numbers: Vec<_> = self.peers.keys().copied().collect();
        for other in numbers {
            for block in self.call_off(other, piece, now) {
                self.post(other, Message::Cancel(block));
            }
            let Some(peer) = self.peers.get_mut(&other) else {
                continue;
            };
            peer.useful -= u32::from(peer.have.has(piece));
            if peer.id.is_some() {
                self.post(other, Message::Have(piece));
            }
            self.tell_interest(other);
        }
        self.fill_all(now);
    }

    /// Asks a peer for a piece no longer; the blocks that it may still send.
    fn call_off(&mut self, number: Number, piece: u32, now: Instant) -> Vec<Block> {
        let Some(peer) = self.peers.get_mut(&number) else {
            return Vec::new();
        };
        let Some(place) = peer.fetches.iter().position(|fetch| fetch.piece == piece) else {
            return Vec::new();
        };
        let fetch = peer.fetches.remove(place);
        let outstanding = fetch.outstanding();
        let blocks: Vec<_> = outstanding
            .map(|block| self.torrent.block(piece, block))
            .collect();
        peer.forgiven += blocks.len();
        peer.waits = (peer.outstanding() > 0).then_some(now);
        blocks
    }

    /// A piece is asked of one peer less.
    pub(super) fn give_back(&mut self, piece: u32) {
        if let Some(count) = self.fetched.get_mut(&piece) {
            *count -= 1;
            if *count == 0 {
                self.fetched.remove(&piece);
            }
        }
    }
}
