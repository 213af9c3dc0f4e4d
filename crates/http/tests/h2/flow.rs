//! Flow control on both levels: what may be sent, and that it is sent.

use proptest::prelude::*;

use crate::driver::Driver;
use crate::frames::*;

fn big() -> Vec<u8> {
    (0..100_000u32).map(|i| (i % 251) as u8).collect()
}

#[test]
fn a_window_is_kept_to_and_then_goes_on() {
    let mut driver = Driver::new();
    driver.feed(get(1, "/big.bin"));
    assert_eq!(driver.answer(1).body.len(), 65_535);
    // Of the stream alone, then of the connection.
    driver.feed(window_update(1, 50_000));
    assert_eq!(driver.answer(1).body.len(), 65_535);
    driver.feed(window_update(0, 10_000));
    assert_eq!(driver.answer(1).body.len(), 75_535);
    driver.feed(window_update(0, 100_000));
    assert_eq!(driver.whole(1).body, big());
    // What needs no window has none to wait for.
    driver.feed(settings(&[(4, 0)]));
    driver.feed(
        [
            get(3, "/empty"),
            request(5, "HEAD", "/big.bin", &[]),
            get(7, "/ten.txt"),
        ]
        .concat(),
    );
    driver.whole(3);
    driver.whole(5);
    assert!(driver.answer(7).body.is_empty() && !driver.answer(7).is_whole);
    driver.feed(window_update(7, 10));
    driver.whole(7);
}

/// A client that makes all windows smaller can make them less than nothing (RFC 9113, section 6.9.2).
#[test]
fn a_window_below_nothing_has_to_come_up_first() {
    let mut driver = Driver::new();
    driver.feed([get(1, "/big.bin"), window_update(0, 1 << 20)].concat());
    driver.feed(settings(&[(4, 0)]));
    driver.feed(window_update(1, 65_535));
    assert_eq!(driver.answer(1).body.len(), 65_535);
    driver.feed(window_update(1, 7));
    assert_eq!(driver.answer(1).body.len(), 65_542);
    driver.feed(settings(&[(4, 65_535)]));
    assert_eq!(driver.whole(1).body, big());
}

/// While a window is closed for one, others go on.
#[test]
fn nobody_waits_for_anothers_window() {
    let mut driver = Driver::new();
    driver.feed(window_update(0, 1 << 21));
    for stream in (1..41).step_by(2) {
        driver.feed(request(stream, "GET", "/big.bin", &[("priority", "u=0")]));
    }
    driver.feed(get(41, "/ten.txt"));
    driver.whole(41);
}

/// Frames are as long as the client takes them, and no longer.
#[test]
fn frames_are_as_long_as_they_may_be() {
    let mut driver = Driver::new();
    driver.feed(get(1, "/big.bin"));
    let lengths: Vec<_> = driver
        .heard
        .data
        .iter()
        .map(|(_, length)| *length)
        .collect();
    assert_eq!(lengths, [16_384, 16_384, 16_384, 16_383]);
}

/// However many are sent at a time, and wherever a transport cuts them, they are the same frames, and no room is lost.
#[test]
fn frames_that_leave_together_are_those_that_leave_singly() {
    let asked = [
        settings(&[(4, 1 << 20)]),
        get(1, "/big.bin"),
        window_update(0, 100_000 - 65_535),
    ];
    let mut singly = Driver::new();
    singly.feed(asked.concat());
    assert_eq!((singly.sends, singly.heard.data.len()), (7, 7));
    for takes in (1..40).chain([16_384, 16_385, 16_392, 16_393, 16_394, 40_000, u64::MAX]) {
        let mut together = Driver::gathering();
        together.takes = takes;
        together.feed(asked.concat());
        assert_eq!(together.whole(1).body, big(), "{takes} at a time");
        assert_eq!(
            together
                .heard
                .data
                .iter()
                .map(|(_, length)| length)
                .sum::<usize>(),
            100_000
        );
        let longest = together.heard.data.iter().map(|(_, length)| *length).max();
        assert_eq!(longest, Some(16_384));
        if takes == u64::MAX {
            assert_eq!(together.heard.data, singly.heard.data);
            assert_eq!(together.sends, 2);
        }
    }
}

/// Those that are of use from their first byte on take turns, frame by frame, whoever sends several at a time.
#[test]
fn those_that_take_turns_do_so_frame_by_frame() {
    let turns = |mut driver: Driver| {
        let asked = [
            window_update(0, 1 << 20),
            settings(&[(4, 1 << 20)]),
            request(1, "GET", "/big.bin", &[("priority", "i")]),
            request(3, "GET", "/big.bin", &[("priority", "i")]),
        ];
        driver.feed(asked.concat());
        assert_eq!(
            (driver.whole(1).body.clone(), driver.whole(3).body.clone()),
            (big(), big())
        );
        driver.heard.data.clone()
    };
    assert_eq!(turns(Driver::gathering()), turns(Driver::new()));
}

/// A transport that takes one frame of several leaves the room of the others to whoever is next.
#[test]
fn room_that_was_not_used_is_given_back() {
    let mut driver = Driver::gathering();
    driver.takes = 16_384;
    driver.feed(get(1, "/big.bin"));
    assert_eq!(driver.answer(1).body.len(), 65_535);
    driver.feed([window_update(0, 40_000), get(3, "/big.bin")].concat());
    assert_eq!(driver.answer(3).body.len(), 40_000);
}

/// Where a transport cuts a frame, that one is ended, and those behind it have not begun: who is heard meanwhile comes before them.
#[test]
fn what_stands_behind_a_cut_frame_is_decided_anew() {
    for takes in [
        1, 9_000, 16_383, 16_384, 16_385, 16_393, 16_394, 30_000, 33_000,
    ] {
        let mut driver = Driver::gathering();
        (driver.takes, driver.most_sends) = (takes, 1);
        let room = [settings(&[(4, 1 << 20)]), window_update(0, 1 << 20)];
        driver.feed([room.concat(), get(1, "/big.bin")].concat());
        while !driver.connection.can_receive() {
            driver.run();
        }
        let begun = 1 + takes.saturating_sub(16_384).div_ceil(16_384 + 9) as usize;
        assert_eq!(
            driver.answer(1).body.len(),
            begun * 16_384,
            "{takes} at a time"
        );
        let urgent = request(3, "GET", "/ten.txt", &[("priority", "u=0")]);
        driver.connection.receive(&urgent, &mut driver.scratch);
        (driver.takes, driver.most_sends) = (u64::MAX, usize::MAX);
        driver.run();
        let frames = driver.heard.data.iter();
        let before = frames.take_while(|(stream, _)| *stream == 1).count();
        assert_eq!(before, begun, "{takes} at a time");
        assert_eq!(
            (driver.whole(1).body.clone(), driver.whole(3).is_whole),
            (big(), true)
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Get(u8),
    Stream(u8, u16),
    Connection(u16),
    Initial(u32),
    Reset(u8),
    Frames(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_u8).prop_map(Step::Get),
        4 => (0..12_u8, 1..30_000_u16).prop_map(|(stream, by)| Step::Stream(stream, by)),
        4 => (1..u16::MAX).prop_map(Step::Connection),
        1 => (0..100_000_u32).prop_map(Step::Initial),
        1 => (0..12_u8).prop_map(Step::Reset),
        1 => any::<u16>().prop_map(Step::Frames),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_algorithm: proptest::test_runner::RngAlgorithm::ChaCha,
        rng_seed: proptest::test_runner::RngSeed::Fixed(9218),
        ..ProptestConfig::default()
    })]

    /// Whatever a client grants, no more is sent, and nothing is held back that may be; in the end everybody has all of it.
    #[test]
    fn what_is_granted_is_sent(
        steps in prop::collection::vec(step(), 1..40),
        takes in 1..80_000_u64,
        gathers in any::<bool>(),
    ) {
        let paths = ["/big.bin", "/ten.txt", "/empty", "/nowhere"];
        let mut driver = match gathers {
            true => Driver::gathering(),
            false => Driver::new(),
        };
        driver.takes = takes;
        let (mut opened, mut initial): (Vec<(usize, i64, bool)>, _) = (Vec::new(), 65_535_i64);
        let mut connection = 65_535_i64;
        for step in steps {
            match step {
                Step::Get(path) if opened.len() < 12 => {
                    let path = usize::from(path);
                    opened.push((path, initial, false));
                    driver.feed(get(2 * opened.len() as u32 - 1, paths[path]));
                }
                Step::Stream(stream, by) if usize::from(stream) < opened.len() => {
                    opened[usize::from(stream)].1 += i64::from(by);
                    driver.feed(window_update(2 * u32::from(stream) + 1, by.into()));
                }
                Step::Connection(by) => {
                    connection += i64::from(by);
                    driver.feed(window_update(0, by.into()));
                }
                Step::Initial(size) => {
                    let by = i64::from(size) - initial;
                    initial += by;
                    opened.iter_mut().for_each(|(_, window, _)| *window += by);
                    driver.feed(settings(&[(4, size)]));
                }
                Step::Reset(stream) if usize::from(stream) < opened.len() => {
                    opened[usize::from(stream)].2 = true;
                    driver.feed(reset(2 * u32::from(stream) + 1));
                }
                Step::Frames(by) => {
                    driver.feed(settings(&[(5, 16_384 + u32::from(by))]));
                    // The client of this test takes no longer ones after all.
                    driver.feed(settings(&[(5, 16_384)]));
                }
                _ => {}
            }
            let mut sent = 0;
            let mut waits = false;
            for (number, (_, window, is_reset)) in opened.iter().enumerate() {
                let Some(answer) = driver.heard.answers.get(&(2 * number as u32 + 1)) else {
                    prop_assert!(*is_reset);
                    continue;
                };
                let bytes = answer.body.len() as i64;
                sent += bytes;
                // A window may have become smaller than what was sent before.
                waits |= !answer.is_whole && !is_reset && bytes < *window;
            }
            prop_assert!(sent <= connection, "{sent} bytes of {connection}");
            prop_assert!(!waits || sent == connection, "{} could be sent", connection - sent);
        }
        driver.feed(window_update(0, 1 << 30));
        for (number, (path, _, is_reset)) in opened.iter().enumerate() {
            let stream = 2 * number as u32 + 1;
            if *is_reset {
                continue;
            }
            driver.feed(window_update(stream, 1 << 20));
            let answer = driver.answer(stream);
            prop_assert!(answer.is_whole);
            if *path == 0 {
                prop_assert_eq!(&answer.body, &big());
            }
        }
        prop_assert_eq!(driver.heard.go_away, None);
    }

    /// Of bodies, which nobody here wants: on both levels as much room is given back as was taken, so that no client that has some left has
    /// to wait for more, and none is given that was not taken.
    #[test]
    fn what_is_taken_is_given_back(
        frames in prop::collection::vec((0..4_u32, 0..16_000_usize, prop::option::of(any::<u8>())), 1..40),
    ) {
        let mut driver = Driver::new();
        let mut taken = [0_u64; 8];
        for stream in [1, 3, 5, 7] {
            driver.feed(frame(HEADERS, END_HEADERS, stream, &block(fields("GET", "/ten.txt", &[]))));
        }
        for (number, length, padding) in frames {
            let stream = 2 * number + 1;
            let answer = driver.heard.answers.get(&stream);
            if answer.is_some_and(|answer| answer.is_whole || answer.reset.is_some()) {
                continue;
            }
            let (flags, mut payload) = match padding {
                Some(padding) => (PADDED, vec![padding; 1 + usize::from(padding)]),
                None => (0, Vec::new()),
            };
            payload.resize(payload.len() + length, 0);
            driver.feed(frame(DATA, flags, stream, &payload));
            let answer = driver.heard.answers.get(&stream);
            let is_over = answer.is_some_and(|answer| answer.is_whole || answer.reset.is_some());
            for level in [0, stream] {
                let taken = &mut taken[level as usize];
                *taken += payload.len() as u64;
                let given = driver.heard.granted.get(&level).copied().unwrap_or_default();
                prop_assert!(given <= *taken, "{given} of {taken} bytes");
                // Nobody needs room for more of what is over.
                prop_assert!(given + 65_535 / 2 >= *taken || level != 0 && is_over, "{given} of {taken} bytes");
            }
        }
        prop_assert_eq!(driver.heard.go_away, None);
    }
}
