//! Who is unchoked (BEP 3, *choking and optimistic unchoking*): those that give most, and one more whoever that is; once this peer has
//! all, those that take most.

use rand::RngExt;

use super::{Number, Swarm};
use crate::torrent::wire::Message;

/// A peer that has just come is as likely to be the optimistic one as so many others.
const NEW: usize = 3;

impl Swarm {
    /// Every ten seconds: looks at what peers gave, or took, in this round and the one before.
    pub(crate) fn choking_round(&mut self) {
        self.rechoke();
        for peer in self.peers.values_mut() {
            peer.received.next_round();
            peer.sent.next_round();
        }
    }

    /// Every thirty seconds: another one is given a chance.
    pub(crate) fn optimistic_round(&mut self) {
        let mut drawn: Vec<Number> = Vec::new();
        for (&number, peer) in &self.peers {
            if peer.is_choked && peer.is_interested {
                let is_new = peer.sent.recent() == 0 && peer.received.recent() == 0;
                drawn.extend(std::iter::repeat_n(number, if is_new { NEW } else { 1 }));
            }
        }
        if !drawn.is_empty() {
            let chosen = self.random.random_range(0..drawn.len());
            self.optimistic = Some(drawn[chosen]);
        }
        self.rechoke();
    }

    /// Chokes and unchokes, by what is known now.
    pub(super) fn rechoke(&mut self) {
        let is_complete = self.is_complete();
        let is_interested = |number: Number| {
            let peer = self.peers.get(&number);
            peer.is_some_and(|peer| peer.is_interested)
        };
        let optimistic = self.optimistic.filter(|&number| is_interested(number));
        let mut rated: Vec<(u64, bool, Number)> = Vec::new();
        for (&number, peer) in &self.peers {
            if peer.is_interested && optimistic != Some(number) {
                let traffic = if is_complete {
                    peer.sent
                } else {
                    peer.received
                };
                // Of those that give alike, whoever has it already keeps it.
                rated.push((traffic.recent(), !peer.is_choked, number));
            }
        }
        rated.sort_unstable_by_key(|&rated| std::cmp::Reverse(rated));
        let places = self.limits.slots - usize::from(optimistic.is_some());
        let unchoked = rated.iter().take(places).map(|&(_, _, number)| number);
        let unchoked: Vec<Number> = unchoked.chain(optimistic).collect();
        let numbers: Vec<Number> = self.peers.keys().copied().collect();
        for number in numbers {
            self.set_choked(number, !unchoked.contains(&number));
        }
    }

    fn set_choked(&mut self, number: Number, is_choked: bool) {
        let Some(peer) = self.peers.get_mut(&number) else {
            return;
        };
        if std::mem::replace(&mut peer.is_choked, is_choked) == is_choked {
            return;
        }
        peer.wanted.clear();
        peer.refused = 0;
        self.post(
            number,
            if is_choked {
                Message::Choke
            } else {
                Message::Unchoke
            },
        );
    }
}
