//! How connections and streams end.

use http::h2::Want;
use http::{Config, Phase};

use crate::driver::Driver;
use crate::frames::*;

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const CANCEL: u32 = 8;

#[test]
fn who_is_told_to_stop_answers_what_was_asked() {
    let mut driver = Driver::new();
    driver.holds_works = true;
    driver.feed([get(1, "/ten.txt"), get(3, "/big.bin")].concat());
    driver.connection.finish();
    driver.run();
    assert_eq!(driver.heard.go_away, Some((3, NO_ERROR)));
    assert_eq!(driver.ended, None);
    // Whatever is asked after it is not looked at.
    driver.feed(get(5, "/ten.txt"));
    assert_eq!(driver.answer(5).reset, Some(7));
    driver
        .feed(window_update(0, 1 << 20))
        .feed(window_update(3, 1 << 20));
    while !driver.out.is_empty() {
        driver.done(0);
        driver.run();
    }
    assert_eq!(
        (driver.whole(1).status(), driver.whole(3).body.len()),
        (200, 100_000)
    );
    assert_eq!(driver.ended, Some(Want::Linger));
    assert_eq!(driver.phase(), Phase::Linger);
    driver.connection.end_of_input(&mut driver.scratch);
    driver.run();
    assert_eq!(driver.ended, Some(Want::Close));
}

#[test]
fn a_connection_on_which_nothing_came_just_ends() {
    let mut driver = Driver::silent(Config::default());
    driver.connection.finish();
    driver.run();
    assert_eq!(
        (driver.ended.take(), driver.heard.go_away),
        (Some(Want::Close), None)
    );
}

#[test]
fn idle_connections_are_told_that_they_end() {
    let mut driver = Driver::new();
    driver.feed(get(1, "/ten.txt"));
    assert_eq!(driver.phase(), Phase::Idle);
    driver.expire();
    assert_eq!(driver.heard.go_away, Some((1, NO_ERROR)));
    assert_eq!(driver.ended, Some(Want::Linger));
    driver.expire();
    assert_eq!(driver.ended, Some(Want::Close));
}

#[test]
fn so_many_requests_and_no_more() {
    let limited = |max_requests_per_connection, keep_alive| {
        Driver::silent(Config {
            max_requests_per_connection,
            keep_alive,
            ..Config::default()
        })
    };
    for (mut driver, most) in [(limited(2, true), 2), (limited(0, false), 1)] {
        driver.feed(hello());
        for number in 0..3 {
            driver.feed(get(2 * number + 1, "/ten.txt"));
        }
        assert_eq!(driver.statuses.len(), most);
        let last = 2 * most as u32 - 1;
        assert_eq!(driver.heard.go_away, Some((last, NO_ERROR)));
        assert_eq!(driver.ended, Some(Want::Linger));
    }
}

/// A head that drips is reset; the connection has its idle time-out.
#[test]
fn a_request_that_does_not_come_whole_is_cancelled() {
    let whole = get(1, "/ten.txt");
    let (begin, rest) = whole.split_at(20);
    let continued = block(fields("GET", "/ten.txt", &[]));
    let open = frame(HEADERS, END_HEADERS, 1, &continued);
    for (name, begin, rest) in [
        ("a frame", begin.to_vec(), rest.to_vec()),
        (
            "a block",
            frame(HEADERS, END_STREAM, 1, &continued[..9]),
            frame(CONTINUATION, END_HEADERS, 1, &continued[9..]),
        ),
        ("a body", open, frame(DATA, END_STREAM, 1, b"x")),
    ] {
        let mut driver = Driver::new();
        driver.feed(begin);
        assert_eq!(driver.phase(), Phase::Request, "{name}");
        driver.expire();
        assert_eq!(driver.answer(1).reset, Some(CANCEL), "{name}");
        assert_eq!(driver.phase(), Phase::Idle, "{name}");
        // What is left of it does no harm.
        driver.feed(rest).feed(get(3, "/ten.txt"));
        assert_eq!(driver.whole(3).status(), 200, "{name}");
        assert_eq!(driver.statuses, [200], "{name}");
    }
    let mut driver = Driver::silent(Config::default());
    driver.feed(&PREFACE[..10]);
    assert_eq!(driver.phase(), Phase::Request);
    driver.expire();
    assert_eq!(driver.ended, Some(Want::Close));
}

/// Whoever has no room for an answer loses it, and no more than that.
#[test]
fn answers_without_room_are_cancelled() {
    let mut driver = Driver::new();
    driver.feed(
        [
            window_update(0, 1 << 20),
            get(1, "/big.bin"),
            get(3, "/ten.txt"),
        ]
        .concat(),
    );
    assert_eq!(driver.phase(), Phase::Answer);
    assert_eq!(driver.connection.stalled(), Some(1));
    driver.run();
    assert_eq!(driver.answer(1).reset, Some(CANCEL));
    assert_eq!(driver.whole(3).status(), 200);
    assert_eq!(driver.phase(), Phase::Idle);
}

#[test]
fn bytes_that_cannot_be_had_are_an_error() {
    // Before the answer has begun, 500; afterwards the stream ends, and not as if it were whole.
    let mut driver = Driver::new();
    driver.holds_works = true;
    driver.feed(window_update(0, 1 << 20));
    driver.feed([get(1, "/ten.txt"), get(3, "/big.bin"), get(5, "/ten.txt")].concat());
    for _ in 0..3 {
        driver.done(0);
    }
    driver.run();
    let places: Vec<_> = driver.out.drain(..).map(|(place, _)| place).collect();
    driver.connection.failed(places[0], &mut driver.scratch);
    driver.connection.refuse(places[2], &mut driver.scratch);
    driver.out.push((places[1], true));
    driver.done(0);
    driver.run();
    assert_eq!(
        [driver.whole(1).status(), driver.whole(5).status()],
        [500, 503]
    );
    assert_eq!(driver.answer(3).body.len(), 65_535);
    driver.connection.failed(places[1], &mut driver.scratch);
    driver.run();
    let answer = driver.answer(3);
    assert_eq!(
        (answer.reset, answer.is_whole),
        (Some(INTERNAL_ERROR), false)
    );
    assert_eq!(driver.statuses, [500, 503]);
}

#[test]
fn a_client_that_shuts_its_side_has_what_it_asked_for() {
    let mut driver = Driver::new();
    driver.holds_works = true;
    driver.feed([get(1, "/ten.txt"), get(3, "/nowhere")].concat());
    driver.feed(frame(
        HEADERS,
        END_HEADERS,
        5,
        &block(fields("GET", "/", &[])),
    ));
    driver.connection.end_of_input(&mut driver.scratch);
    driver.run();
    assert_eq!(driver.ended, None);
    while !driver.out.is_empty() {
        driver.done(0);
        driver.run();
    }
    assert_eq!(
        (driver.whole(1).status(), driver.whole(3).status()),
        (200, 404)
    );
    assert_eq!(driver.ended, Some(Want::Close));
    // What waits for room will never have it.
    let mut driver = Driver::new();
    driver.feed(get(1, "/big.bin"));
    driver.connection.end_of_input(&mut driver.scratch);
    driver.run();
    assert_eq!(driver.ended, Some(Want::Close));
}

#[test]
fn a_client_that_says_goodbye_is_let_go() {
    let mut driver = Driver::new();
    driver.feed([get(1, "/ten.txt"), frame(GOAWAY, 0, 0, &[0; 8])].concat());
    driver.whole(1);
    assert_eq!(driver.ended, Some(Want::Linger));
}
