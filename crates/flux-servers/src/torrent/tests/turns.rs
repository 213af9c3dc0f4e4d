//! Who is given something, and who is taken for dead: rounds of timers.

use std::time::Duration;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Which of so many are unchoked, by what they have heard.
fn unchoked(alone: &mut Alone, count: Number, before: &mut Vec<bool>) -> Vec<Number> {
    before.resize(count as usize + 1, false);
    for number in 1..=count {
        for message in alone.hears(number) {
            match message {
                Message::Unchoke => before[number as usize] = true,
                Message::Choke => before[number as usize] = false,
                _ => {}
            }
        }
    }
    (1..=count)
        .filter(|&number| before[number as usize])
        .collect()
}

#[test]
fn those_that_give_most_are_unchoked_and_one_more() {
    let mut alone = Alone::new(64, 1, false);
    let mut known = Vec::new();
    for number in 1..=8 {
        let own: Vec<u32> = (0..8).map(|piece| piece * 8 + number as u32 - 1).collect();
        alone.comes(number, &own);
        alone.says(number, Message::Interested).unwrap();
    }
    // Whoever comes first has a place at once.
    assert_eq!(unchoked(&mut alone, 8, &mut known).len(), 4);
    // The higher its number, the more it gives.
    for number in 1..=8 {
        alone.says(number, Message::Unchoke).unwrap();
        let asked = alone.asked(number);
        for block in asked.into_iter().take(number as usize) {
            let data = alone.world.block(block);
            alone.says(number, data).unwrap();
        }
    }
    alone.swarm().choking_round();
    assert_eq!(unchoked(&mut alone, 8, &mut known), [5, 6, 7, 8]);
    // In turn each of the others is given a chance, beside the three best.
    let mut had_a_chance = std::collections::BTreeSet::new();
    for _ in 0..100 {
        alone.swarm().optimistic_round();
        let now = unchoked(&mut alone, 8, &mut known);
        assert_eq!(now.len(), 4, "{now:?}");
        had_a_chance.extend(now);
    }
    assert_eq!(had_a_chance.len(), 8);
    // Two rounds later what was given is forgotten, and whoever has a place keeps it.
    let before = unchoked(&mut alone, 8, &mut known);
    for _ in 0..3 {
        alone.swarm().choking_round();
    }
    assert_eq!(unchoked(&mut alone, 8, &mut known), before);
}

#[test]
fn a_place_that_is_left_is_another_s() {
    let mut alone = Alone::new(1, 1, true);
    let mut known = Vec::new();
    for number in 1..=5 {
        alone.comes(number, &[]);
        alone.says(number, Message::Interested).unwrap();
    }
    assert_eq!(
        unchoked(&mut alone, 5, &mut known),
        [1, 2, 3, 4].map(|n| n as Number)
    );
    alone.says(2, Message::NotInterested).unwrap();
    assert_eq!(
        unchoked(&mut alone, 5, &mut known),
        [1, 3, 4, 5].map(|n| n as Number)
    );
}

#[test]
fn something_is_said_before_the_other_takes_one_for_dead() {
    let mut alone = Alone::new(1, 1, true);
    alone.comes(1, &[]);
    alone.hears(1);
    for seconds in [50, 49] {
        alone.world.now += seconds * SECOND;
        let now = alone.world.now;
        alone.swarm().keep_alive(now);
        assert_eq!(alone.hears(1), []);
    }
    alone.world.now += 2 * SECOND;
    let now = alone.world.now;
    alone.swarm().keep_alive(now);
    assert_eq!(alone.hears(1), [Message::KeepAlive]);
    alone.swarm().keep_alive(now);
    assert_eq!(alone.hears(1), []);
}

/// What becomes of a peer that does `act` after so long.
fn after(seconds: u32, act: impl Fn(&mut Alone)) -> Option<Offence> {
    let mut alone = Alone::new(4, 1, false);
    act(&mut alone);
    alone.world.now += seconds * SECOND;
    let now = alone.world.now;
    alone.swarm().keep_alive(now);
    alone.swarm().mail(1, true, now).err()
}

#[test]
fn whoever_says_nothing_for_too_long_is_dropped() {
    let joins = |alone: &mut Alone| {
        let now = alone.world.now;
        alone.swarm().join(1, address(1), now).unwrap();
    };
    let comes = |alone: &mut Alone| alone.comes(1, &[]);
    let stalls = |alone: &mut Alone| {
        alone.comes(1, &[0]);
        alone.says(1, Message::Unchoke).unwrap();
    };
    let never_reads = |alone: &mut Alone| {
        alone.comes(1, &[]);
        let now = alone.world.now;
        alone.swarm().mail(1, false, now).unwrap();
    };
    assert_eq!(after(20, joins), None);
    assert_eq!(after(21, joins), Some(Offence::Silent));
    assert_eq!(after(180, comes), None);
    assert_eq!(after(181, comes), Some(Offence::Silent));
    assert_eq!(after(60, stalls), None);
    assert_eq!(after(61, stalls), Some(Offence::Silent));
    assert_eq!(after(60, never_reads), None);
    assert_eq!(after(61, never_reads), Some(Offence::DoesNotRead));
}
