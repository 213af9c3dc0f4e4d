//! What costs more than it gains is borne for a while, and no longer.

use http::h2::{Fault, Flood};

use crate::driver::Driver;
use crate::frames::*;
use crate::support::NOW;

const ENHANCE_YOUR_CALM: u32 = 11;

/// Sends `piece` time and again, until it is too much: how often that was.
fn flood(mut driver: Driver, mut piece: impl FnMut(u32) -> Vec<u8>, kind: Flood) -> u32 {
    for number in 0..1_000_000 {
        driver.feed(piece(number));
        if driver.heard.go_away.is_some() {
            assert_eq!(
                driver.heard.go_away.unwrap().1,
                ENHANCE_YOUR_CALM,
                "{kind:?}"
            );
            assert_eq!(driver.fault(), Some(Fault::Flood(kind)));
            return number;
        }
        // Nothing is kept for whoever sends it.
        assert!(driver.scratch.out.is_empty());
    }
    panic!("{kind:?} has no end");
}

#[test]
fn floods_have_an_end() {
    let ended = |piece: &dyn Fn(u32) -> Vec<u8>, kind| flood(Driver::new(), piece, kind);
    // The rapid reset: asked, and taken back before there is an answer.
    let mut held = Driver::new();
    held.holds_works = true;
    let rapid = |number: u32| [get(2 * number + 1, "/ten.txt"), reset(2 * number + 1)].concat();
    assert_eq!(flood(held, rapid, Flood::Resets), 200);
    assert_eq!(ended(&rapid, Flood::Resets), 200);
    // Made to reset: as good.
    let bad = |number: u32| request(2 * number + 1, "GET", "relative", &[]);
    assert_eq!(ended(&bad, Flood::Resets), 200);
    let after = |number: u32| match number {
        0 => get(1, "/ten.txt"),
        _ => [
            get(2 * number + 1, "/ten.txt"),
            frame(DATA, 0, 2 * number + 1, b"x"),
        ]
        .concat(),
    };
    assert!(ended(&after, Flood::Resets) >= 200);
    assert_eq!(ended(&|_| settings(&[]), Flood::Settings), 99);
    assert_eq!(ended(&|_| frame(PING, 0, 0, &[0; 8]), Flood::Pings), 100);
    let empty = |number| match number {
        0 => frame(HEADERS, END_HEADERS, 1, &block(fields("GET", "/", &[]))),
        _ => frame(DATA, 0, 1, &[]),
    };
    assert_eq!(ended(&empty, Flood::EmptyFrames), 101);
    let padding = |number| match number {
        0 => empty(0),
        _ => frame(DATA, PADDED, 1, &[1, 0]),
    };
    assert_eq!(ended(&padding, Flood::EmptyFrames), 101);
    assert_eq!(ended(&|_| window_update(0, 1), Flood::Windows), 1000);
    assert_eq!(
        ended(&|_| frame(PRIORITY, 0, 1, &[0; 5]), Flood::Priorities),
        1000
    );
    assert_eq!(ended(&|_| frame(0xfe, 0, 0, &[]), Flood::Priorities), 1000);
    let continuation = |number| match number {
        0 => frame(HEADERS, 0, 1, &block(fields("GET", "/", &[]))),
        _ => frame(CONTINUATION, 0, 1, &block([("x", "y")])),
    };
    assert_eq!(ended(&continuation, Flood::Continuations), 33);
    let long = |number| match number {
        0 => frame(HEADERS, 0, 1, &[]),
        _ => frame(CONTINUATION, 0, 1, &[0; 16_000]),
    };
    assert_eq!(ended(&long, Flood::Continuations), 3);
    // A window of one byte.
    let tiny = |number| match number {
        0 => [settings(&[(4, 0)]), get(1, "/big.bin")].concat(),
        _ => window_update(1, 1),
    };
    assert_eq!(ended(&tiny, Flood::Windows), 1001);
}

/// Counted by the second: who takes his time may go on.
#[test]
fn who_takes_his_time_is_borne() {
    let mut driver = Driver::new();
    for second in 0..50 {
        driver.scratch.set_time(NOW + second);
        for _ in 0..90 {
            driver.feed(settings(&[])).feed(frame(PING, 0, 0, &[0; 8]));
        }
    }
    assert_eq!(driver.heard.go_away, None);
    assert_eq!(driver.heard.pongs.len(), 50 * 90);
}

/// Each frame is a reason for updates once, however often it was handed out before it left.
#[test]
fn a_frame_is_a_reason_once() {
    let borne = |mut driver: Driver, takes| {
        driver.takes = takes;
        for _ in 0..100 {
            driver.feed(window_update(0, 1));
        }
        let room = [settings(&[(4, 1 << 20)]), window_update(0, 1 << 20)];
        driver.feed([room.concat(), get(1, "/big.bin")].concat());
        driver.whole(1);
        let more = (0..2000).take_while(|_| {
            driver.feed(window_update(0, 1));
            driver.heard.go_away.is_none()
        });
        more.count()
    };
    // 101 so far, two taken off for each of seven frames.
    assert_eq!(borne(Driver::new(), u64::MAX), 1000 - 101 + 2 * 7);
    for takes in [9_000, 16_384, 16_390, 16_393, 20_000, 33_000, u64::MAX] {
        assert_eq!(
            borne(Driver::gathering(), takes),
            1000 - 101 + 2 * 7,
            "{takes} at a time"
        );
    }
}

/// Whoever downloads much has a reason for as many updates.
#[test]
fn updates_for_what_was_sent_are_borne() {
    let mut driver = Driver::new();
    driver.feed([settings(&[(4, 16_384)]), get(1, "/ten.txt")].concat());
    let mut stream = 1;
    for _ in 0..1000 {
        stream += 2;
        driver.feed(get(stream, "/big.bin"));
        for _ in 0..6 {
            driver.feed([window_update(0, 16_384), window_update(stream, 16_384)].concat());
        }
        driver.feed(window_update(0, 1696));
        driver.whole(stream);
    }
    assert_eq!(driver.heard.go_away, None);
}

/// Works of requests that were taken back count as requests until they are done.
#[test]
fn works_are_bounded_whatever_is_taken_back() {
    let mut driver = Driver::new();
    driver.holds_works = true;
    for number in 0..150 {
        driver.feed(get(2 * number + 1, "/ten.txt"));
        driver.feed(reset(2 * number + 1));
    }
    assert_eq!(driver.out.len(), 100);
    while !driver.out.is_empty() {
        driver.done(0);
    }
    driver.run();
    assert!(driver.statuses.is_empty() && driver.out.is_empty());
    driver.feed(get(401, "/ten.txt"));
    while !driver.out.is_empty() {
        driver.done(0);
        driver.run();
    }
    assert_eq!(driver.whole(401).status(), 200);
}
