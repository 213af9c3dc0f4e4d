//! Peers that do what they must not.

use super::*;
use crate::torrent::wire::{HANDSHAKE_BYTES, Incoming, Received};

/// What a peer of a torrent of ten pieces makes of bytes, however they are cut.
fn received(bytes: &[u8]) -> Vec<Received> {
    let whole = received_in(&[bytes]);
    for place in 0..bytes.len() {
        assert_eq!(
            received_in(&[&bytes[..place], &bytes[place..]]),
            whole,
            "{place}"
        );
    }
    whole
}

fn received_in(parts: &[&[u8]]) -> Vec<Received> {
    let mut incoming = Incoming::new(10);
    let mut received = Vec::new();
    for part in parts {
        incoming.receive(part);
        while incoming.has_next() {
            let next = incoming.next().unwrap();
            let is_end = matches!(next, Received::End(_));
            received.push(next);
            if is_end {
                return received;
            }
        }
    }
    incoming.end_of_input();
    received.extend(incoming.next());
    received
}

fn handshake() -> Handshake {
    Handshake {
        info_hash: [1; 20],
        peer_id: [2; 20],
    }
}

fn end(bytes: &[u8]) -> Offence {
    match received(bytes).last() {
        Some(Received::End(offence)) => *offence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_handshake_that_is_cut_or_of_another_protocol_is_none() {
    let bytes = handshake().bytes();
    assert_eq!(
        received(&bytes),
        [
            Received::Handshake(handshake()),
            Received::End(Offence::Gone)
        ]
    );
    for length in 0..HANDSHAKE_BYTES {
        assert_eq!(end(&bytes[..length]), Offence::CutHandshake, "{length}");
    }
    for place in 0..20 {
        let mut wrong = bytes;
        wrong[place] ^= 1;
        // As soon as that is known.
        assert_eq!(end(&wrong[..=place]), Offence::NoHandshake, "{place}");
    }
    assert_eq!(end(b"GET / HTTP/1.1\r\n\r\n"), Offence::NoHandshake);
}

/// What comes of a message behind a handshake.
fn offence(message: &[u8]) -> Offence {
    end(&[&handshake().bytes(), message].concat())
}

#[test]
fn unknown_messages_wrong_lengths_and_oversized_ones_end_a_connection() {
    for kind in (9..=255).step_by(41) {
        assert_eq!(offence(&[0, 0, 0, 1, kind]), Offence::UnknownMessage(kind));
    }
    for (kind, length) in [
        (0, 1),
        (1, 4),
        (2, 1),
        (3, 9),
        (4, 3),
        (4, 5),
        (6, 11),
        (6, 13),
        (7, 7),
        (8, 16),
    ] {
        let mut message = vec![0, 0, 0, length + 1, kind];
        message.extend(vec![0; length.into()]);
        assert_eq!(
            offence(&message),
            Offence::WrongLength(kind),
            "{kind} {length}"
        );
    }
    // Nobody waits for the rest of it.
    let longest = 9 + BLOCK_BYTES;
    assert_eq!(
        offence(&(longest + 1).to_be_bytes()),
        Offence::TooLong(longest + 1)
    );
    assert_eq!(offence(&u32::MAX.to_be_bytes()), Offence::TooLong(u32::MAX));
    assert_eq!(offence(&longest.to_be_bytes()), Offence::Gone);
}

#[test]
fn a_handshake_for_another_torrent_or_from_itself_or_a_second_one_is_refused() {
    let mut alone = Alone::new(1, 1, true);
    let own = alone.swarm().handshake();
    alone.comes(1, &[]);
    let now = alone.world.now;
    let swarm = alone.swarm();
    swarm.join(2, address(2), now).unwrap();
    let mut other = own;
    other.info_hash[19] ^= 1;
    assert_eq!(swarm.greet(2, &other, now), Err(Offence::OtherTorrent));
    assert_eq!(swarm.greet(2, &own, now), Err(Offence::Itself));
    let mut twice = own;
    twice.peer_id = [101; 20];
    assert_eq!(swarm.greet(2, &twice, now), Err(Offence::Twice));
}

#[test]
fn a_bitfield_that_does_not_fit_is_refused() {
    for (bytes, expected) in [
        (vec![0xff, 0xc0], Ok(())),
        (vec![0xff, 0xe0], Err(Offence::WrongBitfield)),
        (vec![0xff], Err(Offence::WrongBitfield)),
        (vec![0xff, 0xc0, 0], Err(Offence::WrongBitfield)),
        (vec![], Err(Offence::WrongBitfield)),
    ] {
        let mut world = World::new(10, 1, &[false, false]);
        let number = world.connect(0, 1);
        assert_eq!(world.hear(0, number, Message::KeepAlive), Ok(()));
        assert_eq!(
            world.hear(0, number, Message::Bitfield(bytes.clone())),
            expected,
            "{bytes:?}"
        );
    }
}

#[test]
fn pieces_that_are_not_there_are_neither_had_nor_asked_for() {
    let mut alone = Alone::new(10, 2, true);
    alone.comes(1, &[]);
    assert_eq!(
        alone.says(1, Message::Have(10)),
        Err(Offence::NoSuchPiece(10))
    );
    assert_eq!(
        alone.says(1, Message::Have(u32::MAX)),
        Err(Offence::NoSuchPiece(u32::MAX))
    );
    let (piece_bytes, last_bytes) = (2 * BLOCK_BYTES, 2 * BLOCK_BYTES - 100);
    for (piece, begin, length) in [
        (10, 0, 1),
        (u32::MAX, 0, BLOCK_BYTES),
        (0, 0, 0),
        (0, 0, BLOCK_BYTES + 1),
        (0, piece_bytes, 1),
        (0, piece_bytes - 1, 2),
        (0, u32::MAX, BLOCK_BYTES),
        (9, last_bytes - 1, 2),
    ] {
        let block = Block {
            piece,
            begin,
            length,
        };
        let asked = alone.says(1, Message::Request(block));
        assert_eq!(asked, Err(Offence::NoSuchBlock), "{block:?}");
    }
    let mut lacking = Alone::new(10, 2, false);
    lacking.comes(1, &[3]);
    let block = lacking.world.torrent.block(3, 0);
    assert_eq!(
        lacking.says(1, Message::Request(block)),
        Err(Offence::NotOffered(3))
    );
}

#[test]
fn a_flood_of_requests_ends_a_connection_whether_they_may_be_made_or_not() {
    for is_interested in [true, false] {
        let mut alone = Alone::new(10, 1, true);
        alone.comes(1, &[]);
        if is_interested {
            alone.says(1, Message::Interested).unwrap();
        }
        let block = alone.world.torrent.block(0, 0);
        let asked = (1..).find_map(|count| {
            let asked = alone.says(1, Message::Request(block));
            asked.err().map(|offence| (count, offence))
        });
        assert_eq!(asked, Some((257, Offence::Flood)));
    }
}

#[test]
fn blocks_that_were_not_asked_for_end_a_connection() {
    let mut alone = Alone::new(10, 2, false);
    alone.comes(1, &[0, 1, 2]);
    let piece = |piece, begin, length: u32| Message::Piece {
        piece,
        begin,
        data: vec![0; length as usize],
    };
    // Nothing has been asked for yet.
    assert_eq!(
        alone.says(1, piece(0, 0, BLOCK_BYTES)),
        Err(Offence::Unasked)
    );
    alone.says(1, Message::Unchoke).unwrap();
    for (message, expected) in [
        (piece(3, 0, BLOCK_BYTES), Offence::Unasked),
        (piece(0, 1, BLOCK_BYTES), Offence::Unasked),
        (piece(0, 0, BLOCK_BYTES - 1), Offence::Unasked),
        (piece(0, BLOCK_BYTES, BLOCK_BYTES + 1), Offence::NoSuchBlock),
        (piece(0, 0, 0), Offence::NoSuchBlock),
        (piece(10, 0, BLOCK_BYTES), Offence::NoSuchBlock),
        (piece(0, u32::MAX, 1), Offence::NoSuchBlock),
    ] {
        assert_eq!(alone.says(1, message.clone()), Err(expected), "{message:?}");
    }
}

#[test]
fn whoever_sends_wrong_data_is_banned_and_the_piece_asked_of_another() {
    let mut alone = Alone::new(1, 1, false);
    alone.comes(1, &[0]);
    alone.says(1, Message::Unchoke).unwrap();
    let block = alone.asked(1)[0];
    let (now, mut wrong) = (alone.world.now, alone.world.block(block));
    if let Message::Piece { data, .. } = &mut wrong {
        data[77] ^= 1;
    }
    let whole = alone.swarm().take(1, wrong, now).unwrap().unwrap();
    assert!(!alone.world.torrent.is_piece(whole.piece, &whole.data));
    alone.comes(2, &[0]);
    alone.says(2, Message::Unchoke).unwrap();
    alone.asked(2);
    alone.swarm().leave(1, Offence::WrongData(0), now);
    assert_eq!(alone.swarm().join(3, address(1), now), Err(Offence::Banned));
    let right = alone.world.block(block);
    alone.says(2, right).unwrap();
    assert!(alone.swarm().is_complete());
}

#[test]
fn there_are_no_more_peers_and_no_more_mail_than_there_may_be() {
    let mut alone = Alone::new(1, 1, true);
    let now = alone.world.now;
    for number in 0..LIMITS.peers as Number {
        alone.swarm().join(number, address(1), now).unwrap();
    }
    assert_eq!(
        alone.swarm().join(99, address(1), now),
        Err(Offence::Crowded)
    );
    // It has itself choked and unchoked, and never reads that.
    let mut alone = Alone::new(1, 1, true);
    alone.comes(1, &[]);
    for _ in 0..5000 {
        alone.says(1, Message::Interested).unwrap();
        alone.says(1, Message::NotInterested).unwrap();
    }
    assert_eq!(alone.swarm().mail(1, false, now), Err(Offence::DoesNotRead));
}
