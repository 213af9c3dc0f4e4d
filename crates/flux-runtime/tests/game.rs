//! A source that is a flow of others beside one whose flows belong to sessions: a constraint of a session keeps its flows apart, and lets
//! those of another session by.

#![deny(warnings)]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

mod flows {
    include!("../../flux/src/tests/golden/seats.rs");
}

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};

const PLAYERS: usize = 3;

static LEFT: AtomicI64 = AtomicI64::new(0);
static BEATS: AtomicU64 = AtomicU64::new(0);
static AT_SEAT: [AtomicU64; PLAYERS] = [const { AtomicU64::new(0) }; PLAYERS];
static SEATED: AtomicU64 = AtomicU64::new(0);
static MOST_SEATED: AtomicU64 = AtomicU64::new(0);

mod nodes {
    use std::time::{Duration, Instant};

    use super::{AT_SEAT, BEATS, LEFT, MOST_SEATED, PLAYERS, SEATED, SeqCst};

    pub(crate) struct Packet(usize);

    pub(crate) fn datagram() -> Option<Packet> {
        let left = LEFT.fetch_sub(1, SeqCst);
        (left > 0).then_some(Packet(left as usize % PLAYERS))
    }

    pub(crate) fn player_of(packet: &Packet) -> u64 {
        packet.0 as u64
    }

    /// It may wait, so that several are under way on the loop too: each until somebody sits at another seat.
    pub(crate) fn sit(packet: Packet) {
        let seat = &AT_SEAT[packet.0];
        assert_eq!(seat.fetch_add(1, SeqCst), 0, "two of one session");
        let seated = SEATED.fetch_add(1, SeqCst) + 1;
        MOST_SEATED.fetch_max(seated, SeqCst);
        let until = Instant::now() + Duration::from_millis(5);
        while MOST_SEATED.load(SeqCst) < 2 && Instant::now() < until {
            std::thread::yield_now();
        }
        SEATED.fetch_sub(1, SeqCst);
        seat.fetch_sub(1, SeqCst);
    }

    pub(crate) fn players() -> Option<u64> {
        let beat = BEATS.fetch_add(1, SeqCst);
        (beat < 10).then_some(beat)
    }

    pub(crate) fn pause(beat: u64) -> u64 {
        std::thread::yield_now();
        beat
    }

    pub(crate) fn tell(beat: u64) {
        assert!(beat < 10);
    }
}

#[test]
fn sessions_keep_their_own_flows_apart_and_no_others() {
    support::on_each_runtime::<flows::Flow>(
        || {
            LEFT.store(60, SeqCst);
            BEATS.store(0, SeqCst);
            MOST_SEATED.store(0, SeqCst);
        },
        |runtime, profile| {
            let paths = profile.lines();
            assert!(
                paths.contains("\npath 0 60\npath 1 10\n"),
                "{runtime}\n{paths}"
            );
            assert!(
                MOST_SEATED.load(SeqCst) > 1,
                "{runtime}: no two sessions at a time"
            );
        },
    );
}
