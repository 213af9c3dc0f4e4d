//! The model by its own definition; its statistics are held against their laws in `tests/laws.rs`.

use super::*;

const MS: Duration = Duration::from_millis(1);

/// 80 ms away, at a byte each microsecond.
fn link() -> Model {
    Model {
        round_trip: 80 * MS,
        rate_bits_per_s: Some(8_000_000),
        loss: 0.0,
        jitter: Duration::ZERO,
        queue_bytes: 3000,
        seed: 1,
    }
}

fn arrives(at: Duration, waits: Duration) -> Fate {
    Fate::Arrives { at, waits }
}

#[test]
fn a_packet_takes_its_bytes_over_the_rate_and_half_of_a_round_trip() {
    let mut direction = Direction::new(link(), 0);
    assert_eq!(
        direction.offer(5 * MS, 1000),
        arrives(46 * MS, Duration::ZERO)
    );
    assert_eq!(direction.offer(5 * MS, 500), arrives(46 * MS + MS / 2, MS));
    assert_eq!(
        direction.offer(100 * MS, 1000),
        arrives(141 * MS, Duration::ZERO)
    );
    let mut endless = Direction::new(
        Model {
            rate_bits_per_s: None,
            ..link()
        },
        0,
    );
    for _ in 0..1000 {
        assert_eq!(endless.offer(MS, 1500), arrives(41 * MS, Duration::ZERO));
    }
}

#[test]
fn a_full_queue_drops_whoever_comes_last_and_takes_others_when_it_has_room() {
    let mut direction = Direction::new(link(), 0);
    let mut offer = |now| direction.offer(now, 1000);
    // One is being sent, three wait.
    for n in 0..4 {
        assert_eq!(offer(Duration::ZERO), arrives((41 + n) * MS, n * MS), "{n}");
    }
    assert_eq!(offer(Duration::ZERO), Fate::Dropped);
    assert_eq!(offer(MS - Duration::from_nanos(1)), Fate::Dropped);
    assert_eq!(offer(MS), arrives(45 * MS, 3 * MS));
    assert_eq!(offer(MS), Fate::Dropped);
    // A small one fits where a large one does not.
    let mut direction = Direction::new(
        Model {
            queue_bytes: 1100,
            ..link()
        },
        0,
    );
    direction.offer(Duration::ZERO, 1000);
    direction.offer(Duration::ZERO, 1000);
    assert_eq!(direction.offer(Duration::ZERO, 101), Fate::Dropped);
    assert_eq!(
        direction.offer(Duration::ZERO, 100),
        arrives(42 * MS + MS / 10, 2 * MS)
    );
}

#[test]
fn without_a_queue_only_one_that_waits_for_nobody_is_taken() {
    let mut direction = Direction::new(
        Model {
            queue_bytes: 0,
            ..link()
        },
        0,
    );
    assert_eq!(
        direction.offer(Duration::ZERO, 1000),
        arrives(41 * MS, Duration::ZERO)
    );
    assert_eq!(direction.offer(MS / 2, 1), Fate::Dropped);
    assert_eq!(direction.offer(MS, 1000), arrives(42 * MS, Duration::ZERO));
}

#[test]
fn the_same_seed_gives_the_same_fates_and_each_direction_its_own() {
    let model = Model {
        loss: 0.5,
        jitter: 10 * MS,
        ..link()
    };
    let fates = |number, seed| {
        let mut direction = Direction::new(Model { seed, ..model }, number);
        (0..100)
            .map(|n| direction.offer(n * 100 * MS, 100))
            .collect::<Vec<_>>()
    };
    assert_eq!(fates(0, 1), fates(0, 1));
    assert_ne!(fates(0, 1), fates(1, 1));
    assert_ne!(fates(0, 1), fates(0, 2));
}

#[test]
fn what_is_absurd_overflows_nothing() {
    let mut direction = Direction::new(
        Model {
            round_trip: Duration::MAX,
            rate_bits_per_s: Some(0),
            loss: 1.0,
            jitter: Duration::MAX / 2,
            queue_bytes: u64::MAX,
            seed: 0,
        },
        0,
    );
    for now in [Duration::ZERO, MS, Duration::MAX] {
        direction.offer(now, u64::MAX);
    }
    assert_eq!(
        Model::usual_queue_bytes(Duration::MAX, Some(u64::MAX)),
        u64::MAX
    );
    assert_eq!(Model::usual_queue_bytes(80 * MS, Some(20_000_000)), 200_000);
    assert_eq!(Model::usual_queue_bytes(80 * MS, None), 64 << 10);
}
