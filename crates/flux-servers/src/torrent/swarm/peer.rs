//! One other peer.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use crate::torrent::bitfield::Bitfield;
use crate::torrent::metainfo::Metainfo;
use crate::torrent::offence::Offence;
use crate::torrent::wire::{BLOCK_BYTES, Block, Message, PeerId};

/// What this peer knows of another.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Since its handshake.
    pub(super) id: Option<PeerId>,
    pub(super) have: Bitfield,
    /// How many pieces it has that this peer lacks.
    pub(super) useful: u32,
    /// It chokes this peer; it is of interest to this peer, and has been told so.
    pub(super) chokes: bool,
    pub(super) interests: bool,
    /// This peer chokes it; it is interested in this peer.
    pub(super) is_choked: bool,
    pub(super) is_interested: bool,
    /// What it asks for.
    pub(super) wanted: VecDeque<Block>,
    /// How often it asked in vain since it was choked.
    pub(super) refused: usize,
    /// What is asked of it.
    pub(super) fetches: Vec<Fetch>,
    /// A piece of its that is whole, and whose hash is not known yet.
    pub(super) checking: Option<u32>,
    /// Blocks that may still come, though nobody waits for them any more.
    pub(super) forgiven: usize,
    pub(super) mail: Vec<Message>,
    /// It is to be dropped.
    pub(super) over: Option<Offence>,
    pub(super) received: Traffic,
    pub(super) sent: Traffic,
    pub(super) joined: Instant,
    /// When it last said something; when something was last said to it.
    pub(super) heard: Instant,
    pub(super) said: Instant,
    /// Since when a block is waited for, and none has come.
    pub(super) waits: Option<Instant>,
    /// Since when it does not read what it is sent.
    pub(super) blocked: Option<Instant>,
}

/// Bytes in this round of choking, and in the one before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    now: u64,
    before: u64,
}

impl Traffic {
    pub(super) fn add(&mut self, bytes: u32) {
        self.now += u64::from(bytes);
    }

    pub(super) fn recent(self) -> u64 {
        self.now + self.before
    }

    pub(super) fn next_round(&mut self) {
        (self.before, self.now) = (self.now, 0);
    }
}

/// A piece that is asked of one peer, and of nobody else at the same time but at the very end: whose fault a wrong hash is, is known.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) piece: u32,
    blocks: Vec<Asking>,
    data: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    NotYet,
    Asked,
    Arrived,
}

impl Fetch {
    pub(super) fn new(piece: u32, torrent: &Metainfo) -> Self {
        Self {
            piece,
            blocks: vec![Asking::NotYet; torrent.blocks(piece) as usize],
            data: vec![0; torrent.piece_bytes(piece) as usize],
        }
    }

    /// Blocks that were asked for and have not come, by their numbers.
    pub(super) fn outstanding(&self) -> impl Iterator<Item = u32> {
        let numbered = self.blocks.iter().zip(0..);
        numbered.filter_map(|(&asking, number)| (asking == Asking::Asked).then_some(number))
    }

    /// The next block to be asked for.
    fn ask(&mut self, torrent: &Metainfo) -> Option<Block> {
        let is_new = |asking: &Asking| *asking == Asking::NotYet;
        let number = self.blocks.iter().position(is_new)?;
        self.blocks[number] = Asking::Asked;
        Some(torrent.block(self.piece, u32::try_from(number).ok()?))
    }

    /// Takes a block, if it is one that is waited for.
    fn put(&mut self, begin: u32, data: &[u8], torrent: &Metainfo) -> bool {
        let number = begin / BLOCK_BYTES;
        let block = torrent.block(self.piece, number);
        let state = self.blocks.get_mut(number as usize);
        let Some(asked @ Asking::Asked) = state else {
            return false;
        };
        if block.begin != begin || data.len() != block.length as usize {
            return false;
        }
        *asked = Asking::Arrived;
        self.data[begin as usize..][..data.len()].copy_from_slice(data);
        true
    }

    fn is_whole(&self) -> bool {
        self.blocks.iter().all(|&asking| asking == Asking::Arrived)
    }

    /// The piece.
    pub(super) fn into_data(self) -> Vec<u8> {
        self.data
    }
}

impl Peer {
    pub(super) fn new(address: SocketAddr, pieces: u32, now: Instant) -> Self {
        Self {
            address,
            id: None,
            have: Bitfield::none(pieces),
            useful: 0,
            chokes: true,
            interests: false,
            is_choked: true,
            is_interested: false,
            wanted: VecDeque::new(),
            refused: 0,
            fetches: Vec::new(),
            checking: None,
            forgiven: 0,
            mail: Vec::new(),
            over: None,
            received: Traffic::default(),
            sent: Traffic::default(),
            joined: now,
            heard: now,
            said: now,
            waits: None,
            blocked: None,
        }
    }

    /// Blocks that were asked for and have not come.
    pub(super) fn outstanding(&self) -> usize {
        let fetches = self.fetches.iter();
        fetches.map(|fetch| fetch.outstanding().count()).sum()
    }

    /// The next block to be asked for of what is asked of it already.
    pub(super) fn ask(&mut self, torrent: &Metainfo) -> Option<Block> {
        self.fetches.iter_mut().find_map(|fetch| fetch.ask(torrent))
    }

    /// It chokes this peer: what was asked will not come, unless it is on its way.
    pub(super) fn is_choked_by(&mut self) {
        self.chokes = true;
        self.waits = None;
        for fetch in &mut self.fetches {
            for asking in &mut fetch.blocks {
                if *asking == Asking::Asked {
                    *asking = Asking::NotYet;
                    self.forgiven += 1;
                }
            }
        }
    }

    /// Takes a block that came; the piece, if that is whole now. None, where it was not waited for.
    pub(super) fn put(
        &mut self,
        piece: u32,
        begin: u32,
        data: &[u8],
        torrent: &Metainfo,
    ) -> Option<Option<Fetch>> {
        let place = self.fetches.iter().position(|fetch| fetch.piece == piece)?;
        let fetch = &mut self.fetches[place];
        if !fetch.put(begin, data, torrent) {
            return None;
        }
        Some(fetch.is_whole().then(|| self.fetches.remove(place)))
    }
}
