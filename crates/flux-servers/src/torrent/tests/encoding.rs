//! What is said is understood, however it is cut; what is not is refused, and never more.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::torrent::announce::{Announcement, Answer, Event, refusal};
use crate::torrent::wire::{Incoming, Received};

fn message() -> impl Strategy<Value = Message> {
    let block = (0..99_u32, 0..99_u32, 1..=BLOCK_BYTES).prop_map(|(piece, begin, length)| Block {
        piece,
        begin,
        length,
    });
    prop_oneof![
        Just(Message::KeepAlive),
        Just(Message::Choke),
        Just(Message::Unchoke),
        Just(Message::Interested),
        Just(Message::NotInterested),
        any::<u32>().prop_map(Message::Have),
        vec(any::<u8>(), 0..13).prop_map(Message::Bitfield),
        block.clone().prop_map(Message::Request),
        (any::<u32>(), any::<u32>(), vec(any::<u8>(), 0..300))
            .prop_map(|(piece, begin, data)| { Message::Piece { piece, begin, data } }),
        block.prop_map(Message::Cancel),
    ]
}

fn announcement() -> impl Strategy<Value = Announcement> {
    let event = prop_oneof![
        Just(None),
        Just(Some(Event::Started)),
        Just(Some(Event::Stopped)),
        Just(Some(Event::Completed))
    ];
    let figures = any::<[u64; 3]>();
    (
        any::<[u8; 20]>(),
        any::<[u8; 20]>(),
        1..=u16::MAX,
        figures,
        event,
        0..=200_usize,
    )
        .prop_map(
            |(info_hash, peer_id, port, [uploaded, downloaded, left], event, peers)| Announcement {
                info_hash,
                peer_id,
                port,
                uploaded,
                downloaded,
                left,
                event,
                peers,
            },
        )
}

fn answer() -> impl Strategy<Value = Answer> {
    let peer = (any::<bool>(), any::<[u8; 16]>(), any::<u16>()).prop_map(|(is_four, ip, port)| {
        let [a, b, c, d, ..] = ip;
        match is_four {
            true => SocketAddr::from(([a, b, c, d], port)),
            false => SocketAddr::from((ip, port)),
        }
    });
    (1..86_400_u64, any::<[u32; 2]>(), vec(peer, 0..20)).prop_map(
        |(seconds, [seeds, leeches], mut peers)| {
            // They are sent in two lists.
            peers.sort_by_key(SocketAddr::is_ipv6);
            Answer {
                interval: Duration::from_secs(seconds),
                seeds: Some(seeds.into()),
                leeches: Some(leeches.into()),
                peers,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_are_understood_however_they_are_cut(
        messages in vec(message(), 0..8),
        cuts in vec(1..200_usize, 1..8),
    ) {
        let handshake = Handshake { info_hash: [1; 20], peer_id: [2; 20] };
        let mut bytes = handshake.bytes().to_vec();
        messages.iter().for_each(|message| message.write(&mut bytes));
        let mut incoming = Incoming::new(99);
        let mut understood = Vec::new();
        let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            rest = behind;
            incoming.receive(part);
            while let Some(received) = incoming.next() {
                understood.push(received);
            }
        }
        let messages = messages.into_iter().map(Received::Message);
        let all: Vec<_> = [Received::Handshake(handshake)].into_iter().chain(messages).collect();
        prop_assert_eq!(understood, all);
    }

    /// Nothing that comes breaks the machines: a peer is dropped for it, or it is kept within bounds.
    #[test]
    fn whatever_comes_is_taken_or_refused(bytes in vec(any::<u8>(), 0..600), messages in vec(message(), 0..40)) {
        let mut incoming = Incoming::new(9);
        incoming.receive(&Handshake { info_hash: [1; 20], peer_id: [2; 20] }.bytes());
        incoming.receive(&bytes);
        for _ in 0..700 {
            if let Some(Received::End(_)) | None = incoming.next() {
                break;
            }
        }
        let mut alone = Alone::new(9, 1, true);
        alone.comes(1, &[]);
        for message in messages {
            if alone.says(1, message).is_err() {
                break;
            }
            alone.hears(1);
        }
    }

    #[test]
    fn a_tracker_understands_what_it_is_told(told in announcement()) {
        prop_assert_eq!(Announcement::parse(told.query().as_bytes()), Ok(told));
    }

    #[test]
    fn a_peer_understands_what_a_tracker_answers(answer in answer()) {
        prop_assert_eq!(Answer::parse(&answer.bytes()), Ok(answer));
    }

    #[test]
    fn what_is_not_bencoded_is_refused(bytes in vec(prop_oneof![
        Just(b'd'), Just(b'l'), Just(b'i'), Just(b'e'), Just(b'-'), Just(b':'), b'0'..=b'9', any::<u8>()
    ], 0..60)) {
        let _ = parse(&bytes);
        let _ = Answer::parse(&bytes);
        let _ = Announcement::parse(&bytes);
    }
}

#[test]
fn a_refusal_is_told_in_the_tracker_s_words() {
    let said = Answer::parse(&refusal("not\u{1b}[2J here")).unwrap_err();
    assert_eq!(said, "it says: not[2J here");
}

#[test]
fn a_list_of_peers_that_is_not_compact_is_understood() {
    let text = b"d8:intervali9e5:peersld2:ip9:127.0.0.17:peer id1:x4:porti80eed2:ip4:what4:porti80eed2:ip3:::14:porti81eeee";
    let answer = Answer::parse(text).unwrap();
    assert_eq!(
        answer.peers,
        ["127.0.0.1:80", "[::1]:81"].map(|text| text.parse().unwrap())
    );
    assert_eq!(answer.seeds, None);
}
