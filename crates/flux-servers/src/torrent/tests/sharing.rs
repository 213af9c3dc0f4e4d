//! What is asked of whom, until all is there.

use std::collections::HashSet;

use super::*;

fn pieces_received(said: &[(usize, Message)]) -> usize {
    let is_piece = |message: &Message| matches!(message, Message::Piece { .. });
    said.iter().filter(|(_, message)| is_piece(message)).count()
}

#[test]
fn a_peer_gets_all_from_one_that_has_it() {
    let mut world = World::new(7, 3, &[true, false]);
    world.connect(0, 1);
    let said = world.settle();
    assert!(world.swarms[1].is_complete());
    assert_eq!(world.swarms[1].left_bytes(), 0);
    assert_eq!(world.swarms[0].totals().sent, world.data.len() as u64);
    // Each block once: there is nobody else to ask, at the end neither.
    assert_eq!(pieces_received(&said), 21);
    let haves = |message: &Message| matches!(message, Message::Have(_));
    assert_eq!(said.iter().filter(|(_, message)| haves(message)).count(), 7);
    let last: Vec<_> = said.iter().filter(|(from, _)| *from == 1).collect();
    assert!(
        last.iter()
            .any(|(_, message)| *message == Message::NotInterested)
    );
}

#[test]
fn peers_that_lack_something_give_it_to_each_other() {
    let mut world = World::new(40, 2, &[true, false, false, false]);
    // One of them knows the seed alone, and the others only each other.
    for (one, other) in [(0, 1), (1, 2), (2, 3), (1, 3)] {
        world.connect(one, other);
    }
    let said = world.settle();
    assert!(world.swarms.iter().all(Swarm::is_complete));
    let by_leeches = said
        .iter()
        .filter(|(from, message)| *from > 0 && matches!(message, Message::Piece { .. }));
    assert!(by_leeches.count() >= 160);
}

#[test]
fn the_rarest_is_asked_for_first() {
    let mut alone = Alone::new(4, 1, false);
    alone.comes(1, &[0, 1, 2]);
    alone.comes(2, &[0, 1]);
    alone.comes(3, &[0, 1]);
    assert_eq!(alone.asked(1), []);
    alone.says(1, Message::Unchoke).unwrap();
    assert_eq!(alone.asked(1)[0].piece, 2);
}

/// As aria2 does, in place of several pieces one by one.
#[test]
fn a_bitfield_that_comes_later_adds_to_what_is_known() {
    let mut alone = Alone::new(10, 1, false);
    alone.comes(1, &[0]);
    alone.says(1, Message::Unchoke).unwrap();
    assert_eq!(alone.asked(1).len(), 1);
    alone
        .says(1, Message::Bitfield(vec![0b0110_0000, 0]))
        .unwrap();
    let mut asked: Vec<_> = alone.asked(1).iter().map(|block| block.piece).collect();
    asked.sort_unstable();
    assert_eq!(asked, [1, 2]);
    assert_eq!(
        alone.says(1, Message::Bitfield(vec![0])),
        Err(Offence::WrongBitfield)
    );
}

#[test]
fn no_piece_is_asked_of_two_while_there_are_others() {
    let mut alone = Alone::new(64, 1, false);
    let all: Vec<_> = (0..64).collect();
    let mut asked = HashSet::new();
    for number in 1..=3 {
        alone.comes(number, &all);
        alone.says(number, Message::Unchoke).unwrap();
        let blocks = alone.asked(number);
        assert_eq!(blocks.len(), 16);
        assert!(blocks.into_iter().all(|block| asked.insert(block.piece)));
    }
}

#[test]
fn at_the_end_the_last_pieces_are_asked_of_others_too_and_called_off() {
    let mut alone = Alone::new(2, 2, false);
    alone.comes(1, &[0, 1]);
    alone.says(1, Message::Unchoke).unwrap();
    let of_first = alone.asked(1);
    assert_eq!(of_first.len(), 4);
    alone.comes(2, &[0, 1]);
    alone.says(2, Message::Unchoke).unwrap();
    let of_second = alone.asked(2);
    assert_eq!(of_second.len(), 4);
    for block in &of_second {
        let data = alone.world.block(*block);
        alone.says(2, data).unwrap();
    }
    assert!(alone.swarm().is_complete());
    let mut cancelled: Vec<_> = alone.hears(1).into_iter().collect();
    cancelled.retain(|message| matches!(message, Message::Cancel(_)));
    assert_eq!(cancelled.len(), 4);
    // What was under way comes all the same, and nothing beside it.
    for block in &of_first {
        let data = alone.world.block(*block);
        alone.says(1, data).unwrap();
    }
    let data = alone.world.block(of_first[0]);
    assert_eq!(alone.says(1, data), Err(Offence::Unasked));
}

#[test]
fn what_was_asked_for_is_asked_for_again_after_a_choke() {
    let mut alone = Alone::new(1, 4, false);
    alone.comes(1, &[0]);
    alone.says(1, Message::Unchoke).unwrap();
    let asked = alone.asked(1);
    let first = alone.world.block(asked[0]);
    alone.says(1, first).unwrap();
    alone.says(1, Message::Choke).unwrap();
    // It was under way already; it is not kept, and does no harm.
    let second = alone.world.block(asked[1]);
    alone.says(1, second).unwrap();
    alone.says(1, Message::Unchoke).unwrap();
    assert_eq!(alone.asked(1), asked[1..]);
    for block in &asked[1..] {
        let data = alone.world.block(*block);
        alone.says(1, data).unwrap();
    }
    assert!(alone.swarm().is_complete());
}

#[test]
fn what_a_peer_was_asked_for_is_asked_of_another_when_it_leaves() {
    let mut alone = Alone::new(3, 1, false);
    alone.comes(1, &[0, 1, 2]);
    alone.says(1, Message::Unchoke).unwrap();
    assert_eq!(alone.asked(1).len(), 3);
    alone.comes(2, &[1]);
    alone.says(2, Message::Unchoke).unwrap();
    let before = alone.asked(2).len();
    let now = alone.world.now;
    alone.swarm().leave(1, Offence::Gone, now);
    assert_eq!(before + alone.asked(2).len(), 1);
    let block = alone.world.torrent.block(1, 0);
    let data = alone.world.block(block);
    alone.says(2, data).unwrap();
    assert_eq!(alone.swarm().held(), 1);
}

#[test]
fn a_block_that_is_called_off_is_not_sent() {
    let mut alone = Alone::new(2, 2, true);
    alone.comes(1, &[]);
    alone.says(1, Message::Interested).unwrap();
    let blocks: Vec<_> = (0..2)
        .map(|number| alone.world.torrent.block(0, number))
        .collect();
    for block in &blocks {
        alone.says(1, Message::Request(*block)).unwrap();
    }
    alone.says(1, Message::Cancel(blocks[0])).unwrap();
    let heard = alone.hears(1);
    assert!(heard.contains(&Message::Unchoke));
    let second = alone.world.block(blocks[1]);
    let sent: Vec<_> = heard
        .into_iter()
        .filter(|m| matches!(m, Message::Piece { .. }))
        .collect();
    assert_eq!(sent, [second]);
}
