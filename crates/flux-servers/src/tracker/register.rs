//! Who shares which torrent: a pure table, told what is announced and what time it is.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::torrent::announce::{Announcement, Answer, Event};
use crate::torrent::wire::{Hash, PeerId};

/// Torrents that are known at a time.
const MOST_TORRENTS: usize = 10_000;
/// Peers of all of them together.
const MOST_PEERS: usize = 100_000;

/// Peers by torrent.
#[derive(Debug)]
pub(crate) struct Register {
    interval: Duration,
    torrents: HashMap<Hash, Members>,
    peers: usize,
    /// How many announcements were answered, and how many refused.
    answers: u64,
    refused: u64,
}

/// The peers of one torrent.
type Members = BTreeMap<PeerId, Member>;

#[derive(Debug)]
struct Member {
    address: SocketAddr,
    is_seed: bool,
    heard: Instant,
}

impl Register {
    /// Of nobody; all are told to come back after `interval`.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            torrents: HashMap::new(),
            peers: 0,
            answers: 0,
            refused: 0,
        }
    }

    /// Takes an announcement from an address.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn announce(
        &mut self,
        announcement: &Announcement,
        from: IpAddr,
        now: Instant,
    ) -> Result<Answer, &'static str> {
        let hash = announcement.info_hash;
        self.answers += 1;
        if announcement.event == Some(Event::Stopped) {
            if let Some(members) = self.torrents.get_mut(&hash) {
                self.peers -= usize::from(members.remove(&announcement.peer_id).is_some());
            }
            self.forget_empty();
            return Ok(self.answer(announcement));
        }
        let is_new = self
            .torrents
            .get(&hash)
            .is_none_or(|members| !members.contains_key(&announcement.peer_id));
        let is_full = self.torrents.len() >= MOST_TORRENTS && !self.torrents.contains_key(&hash);
        if is_full || is_new && self.peers >= MOST_PEERS {
            (self.answers, self.refused) = (self.answers - 1, self.refused + 1);
            return Err("this tracker has no room for more");
        }
        self.peers += usize::from(is_new);
        let member = Member {
            address: (from, announcement.port).into(),
            is_seed: announcement.left == 0,
            heard: now,
        };
        let members = self.torrents.entry(hash).or_default();
        members.insert(announcement.peer_id, member);
        Ok(self.answer(announcement))
    }

    /// Others of the same torrent: seeds to no seed, and each time from another place in the list on.
    fn answer(&self, announcement: &Announcement) -> Answer {
        let members = self.torrents.get(&announcement.info_hash);
        let members = || members.into_iter().flatten();
        let seeds = members().filter(|(_, member)| member.is_seed).count();
        let all = members().count();
        let is_stopping = announcement.event == Some(Event::Stopped);
        let is_of_use = |member: &Member| !(member.is_seed && announcement.left == 0);
        let others = members()
            .cycle()
            .skip((self.answers as usize).checked_rem(all).unwrap_or(0))
            .take(all)
            .filter(|(id, member)| **id != announcement.peer_id && is_of_use(member));
        let wanted = if is_stopping { 0 } else { announcement.peers };
        Answer {
            interval: self.interval,
            seeds: Some(seeds as u64),
            leeches: Some((all - seeds) as u64),
            peers: others
                .take(wanted)
                .map(|(_, member)| member.address)
                .collect(),
        }
    }

    /// Forgets those that have missed their time twice.
    pub(crate) fn expire(&mut self, now: Instant) {
        let interval = self.interval;
        for members in self.torrents.values_mut() {
            members.retain(|_, member| now.saturating_duration_since(member.heard) <= interval * 2);
        }
        self.peers = self.torrents.values().map(BTreeMap::len).sum();
        self.forget_empty();
    }

    fn forget_empty(&mut self) {
        self.torrents.retain(|_, members| !members.is_empty());
    }

    /// How many announcements were answered.
    pub(crate) fn answers(&self) -> u64 {
        self.answers
    }

    /// How many were refused for want of room.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// How many torrents, and peers of all of them.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.torrents.len(), self.peers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(peer: u8, left: u64) -> Announcement {
        Announcement {
            info_hash: [1; 20],
            peer_id: [peer; 20],
            port: 6881,
            uploaded: 0,
            downloaded: 0,
            left,
            event: None,
            peers: 50,
        }
    }

    fn ip(peer: u8) -> IpAddr {
        [127, 0, 0, peer].into()
    }

    #[test]
    fn peers_hear_of_each_other_until_they_stop_or_are_not_heard_of() {
        let now = Instant::now();
        let mut register = Register::new(Duration::from_secs(60));
        let seed = register.announce(&announcement(1, 0), ip(1), now).unwrap();
        assert_eq!((seed.seeds, seed.leeches), (Some(1), Some(0)));
        assert_eq!(seed.peers, []);
        let mut leech = announcement(2, 9);
        let answer = register.announce(&leech, ip(2), now).unwrap();
        assert_eq!(answer.peers, [(ip(1), 6881).into()]);
        // Two seeds have nothing to say to each other.
        let other = register.announce(&announcement(3, 0), ip(3), now).unwrap();
        assert_eq!(other.peers, [(ip(2), 6881).into()]);
        leech.event = Some(Event::Stopped);
        let answer = register.announce(&leech, ip(2), now).unwrap();
        assert_eq!((answer.leeches, answer.peers.len()), (Some(0), 0));
        assert_eq!(register.size(), (1, 2));
        register
            .announce(&announcement(3, 0), ip(3), now + Duration::from_secs(90))
            .unwrap();
        register.expire(now + Duration::from_secs(121));
        assert_eq!(register.size(), (1, 1));
        register.expire(now + Duration::from_secs(400));
        assert_eq!(register.size(), (0, 0));
    }

    #[test]
    fn nobody_is_told_of_more_than_he_asks_for_and_all_are_told_of() {
        let now = Instant::now();
        let mut register = Register::new(Duration::from_secs(60));
        for peer in 1..=100 {
            register
                .announce(&announcement(peer, 1), ip(peer), now)
                .unwrap();
        }
        let mut asking = announcement(1, 1);
        asking.peers = 7;
        let mut told = std::collections::HashSet::new();
        for _ in 0..100 {
            let answer = register.announce(&asking, ip(1), now).unwrap();
            assert_eq!(answer.peers.len(), 7);
            assert!(!answer.peers.contains(&(ip(1), 6881).into()));
            told.extend(answer.peers);
        }
        assert_eq!(told.len(), 99);
    }

    #[test]
    fn the_table_is_bounded() {
        let now = Instant::now();
        let mut register = Register::new(Duration::from_secs(60));
        let mut strange = announcement(1, 1);
        for torrent in 0..MOST_TORRENTS {
            strange.info_hash[..8].copy_from_slice(&torrent.to_be_bytes());
            register.announce(&strange, ip(1), now).unwrap();
        }
        strange.info_hash = [255; 20];
        assert!(register.announce(&strange, ip(1), now).is_err());
        assert_eq!(register.size(), (MOST_TORRENTS, MOST_TORRENTS));
    }
}
