//! Requests and their answers: what is answered is what HTTP/1.1 answers.

use crate::driver::Driver;
use crate::frames::*;
use crate::support::{Driver as Http1, NOW, request as http1_request};

type Fields = &'static [(&'static str, &'static str)];

/// Methods, targets and fields, each of which makes a request of both versions.
const ALIKE: &[(&str, &str, Fields)] = &[
    ("GET", "/ten.txt", &[]),
    ("GET", "/", &[]),
    ("GET", "/dir/", &[]),
    ("GET", "/dir", &[]),
    ("GET", "/dir?a=b", &[]),
    ("GET", "/a%20b/%e4?x=%zz", &[]),
    ("GET", "/empty", &[]),
    ("GET", "/big.bin", &[]),
    ("GET", "/nowhere", &[]),
    ("GET", "/forbidden", &[]),
    ("GET", "/busy", &[]),
    ("GET", "/failed", &[]),
    ("GET", "/../x", &[]),
    ("GET", "/%zz", &[]),
    ("GET", "/a#b", &[]),
    ("HEAD", "/ten.txt", &[]),
    ("HEAD", "/nowhere", &[]),
    ("HEAD", "/dir", &[]),
    ("OPTIONS", "*", &[]),
    ("OPTIONS", "/ten.txt", &[]),
    ("GET", "*", &[]),
    ("POST", "/ten.txt", &[]),
    ("DELETE", "/nowhere", &[]),
    ("BREW", "/pot", &[]),
    ("get", "/ten.txt", &[]),
    ("GET", "/ten.txt", &[("expect", "wonders")]),
    ("GET", "/ten.txt", &[("expect", "100-continue")]),
    ("GET", "/ten.txt", &[("range", "bytes=2-4")]),
    ("GET", "/ten.txt", &[("range", "bytes=0-0,-2")]),
    ("GET", "/big.bin", &[("range", "bytes=0-9,50-59999,99999-")]),
    ("GET", "/ten.txt", &[("range", "bytes=10-")]),
    ("GET", "/ten.txt", &[("range", "lines=1-2")]),
    ("HEAD", "/ten.txt", &[("range", "bytes=2-4")]),
    ("GET", "/empty", &[("range", "bytes=0-")]),
    (
        "GET",
        "/ten.txt",
        &[("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")],
    ),
    (
        "GET",
        "/ten.txt",
        &[("if-unmodified-since", "Sat, 05 Nov 1994 08:49:37 GMT")],
    ),
    ("GET", "/ten.txt", &[("if-none-match", "*")]),
    ("GET", "/ten.txt", &[("if-match", "\"other\"")]),
    (
        "GET",
        "/ten.txt",
        &[("if-range", "\"other\""), ("range", "bytes=2-4")],
    ),
];

/// The answer of HTTP/1.1, as the fields and the body that HTTP/2 has.
fn of_http1(method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
    let lines: String = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut driver = Http1::new();
    driver.scratch.set_time(NOW);
    driver.feed(http1_request(method, target, &lines));
    let end = driver
        .output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    let head = String::from_utf8(driver.output[..end].to_vec()).unwrap();
    let status = head["HTTP/1.1 ".len()..][..3].to_owned();
    let mut answer = Answer {
        fields: vec![(":status".into(), status)],
        body: driver.output[end..].to_vec(),
        is_whole: true,
        reset: None,
    };
    for line in head.lines().skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        if name != "Connection" {
            answer
                .fields
                .push((name.to_ascii_lowercase(), value.into()));
        }
    }
    answer
}

#[test]
fn answers_are_those_of_http1() {
    let mut together = Driver::new();
    let mut stream = 1;
    for &(method, target, fields) in ALIKE {
        let expected = of_http1(method, target, fields);
        let mut alone = Driver::new();
        alone.feed([settings(&[(4, 1 << 20)]), window_update(0, 1 << 20)].concat());
        alone.feed(request(1, method, target, fields));
        assert_eq!(alone.whole(1), &expected, "{method} {target} {fields:?}");
        assert_eq!(alone.statuses, [expected.status()], "{method} {target}");
        together.feed(request(stream, method, target, fields));
        together.feed([window_update(0, 100_000), window_update(stream, 100_000)].concat());
        assert_eq!(
            together.whole(stream),
            &expected,
            "{method} {target}, after others"
        );
        stream += 2;
    }
    assert_eq!(together.heard.go_away, None);
    assert_eq!(together.fault(), None);
}

#[test]
fn the_settings_of_both_are_told_and_acknowledged() {
    let mut driver = Driver::silent(http::Config::default());
    driver.run();
    // The server need not wait.
    let told: Vec<_> = driver.heard.settings.clone().into_iter().collect();
    assert_eq!(told, [(3, 100), (6, 32 << 10), (9, 1)]);
    assert_eq!(driver.heard.settings_acks, 0);
    driver.feed(hello()).feed(frame(SETTINGS, ACK, 0, &[]));
    assert_eq!(driver.heard.settings_acks, 1);
    driver
        .feed(frame(PING, 0, 0, b"12345678"))
        .feed(frame(PING, ACK, 0, b"87654321"));
    assert_eq!(driver.heard.pongs, [b"12345678"]);
}

/// Many requests of one client are under way, their works end in any order, and each has its own answer.
#[test]
fn works_end_in_any_order() {
    let paths = [
        "/ten.txt", "/big.bin", "/nowhere", "/dir/", "/empty", "/dir",
    ];
    for seed in 0..50_usize {
        let mut driver = Driver::new();
        driver.holds_works = true;
        driver.feed([settings(&[(4, 1 << 20)]), window_update(0, 1 << 20)].concat());
        for (number, path) in paths.iter().enumerate() {
            driver.feed(get(2 * number as u32 + 1, path));
        }
        let mut step = seed;
        while !driver.out.is_empty() {
            step = step * 7 + 3;
            driver.done(step % driver.out.len());
            driver.run();
        }
        for (number, path) in paths.iter().enumerate() {
            let expected = of_http1("GET", path, &[]);
            assert_eq!(driver.whole(2 * number as u32 + 1), &expected, "{path}");
        }
        assert_eq!(driver.statuses.len(), paths.len());
    }
}

/// The more urgent goes first, and of the same urgency the earlier, unless they are of use in pieces (RFC 9218, section 10).
#[test]
fn urgency_decides() {
    let order = |list: &[(&str, &str)], update: &[u8]| {
        let mut driver = Driver::new();
        driver.holds_works = true;
        // Not a byte, until all are at hand.
        driver.feed(settings(&[(4, 0)]));
        for (number, (path, priority)) in list.iter().enumerate() {
            let stream = 2 * number as u32 + 1;
            let more: &[_] = if priority.is_empty() {
                &[]
            } else {
                &[("priority", *priority)]
            };
            driver.feed(request(stream, "GET", path, more));
        }
        driver.feed(update);
        driver.feed([settings(&[(4, 1 << 20)]), window_update(0, 1 << 20)].concat());
        while !driver.out.is_empty() {
            driver.done(0);
            if driver.out.is_empty() {
                driver.run();
            }
        }
        let mut streams: Vec<_> = driver
            .heard
            .data
            .iter()
            .map(|(stream, _)| *stream)
            .collect();
        let frames = streams.len();
        streams.dedup();
        (streams, frames)
    };
    let big = "/big.bin";
    assert_eq!(order(&[(big, ""), (big, "")], &[]), (vec![1, 3], 14));
    assert_eq!(order(&[(big, ""), (big, "u=1")], &[]).0, [3, 1]);
    assert_eq!(
        order(&[(big, "u=7"), (big, ""), (big, "u=0")], &[]).0,
        [5, 3, 1]
    );
    let (turns, frames) = order(&[(big, "i"), (big, "i")], &[]);
    assert_eq!(turns.len(), frames, "each has its turn");
    let update = frame(
        PRIORITY_UPDATE,
        0,
        0,
        &[&3u32.to_be_bytes()[..], b"u=0"].concat(),
    );
    assert_eq!(order(&[(big, ""), (big, "")], &update).0, [3, 1]);
}

#[test]
fn bodies_are_dropped_up_to_a_bound() {
    let head = |stream, method, more: &[(&str, &str)]| {
        frame(
            HEADERS,
            END_HEADERS,
            stream,
            &block(fields(method, "/ten.txt", more)),
        )
    };
    let body = |stream, bytes: usize, flags| frame(DATA, flags, stream, &vec![b'x'; bytes]);
    let mut driver = Driver::new();
    driver
        .feed(head(1, "GET", &[("content-length", "3")]))
        .feed(body(1, 3, END_STREAM));
    assert_eq!(driver.whole(1).status(), 200);
    driver
        .feed(head(3, "POST", &[]))
        .feed(body(3, 10, 0))
        .feed(body(3, 0, END_STREAM));
    assert_eq!(driver.whole(3).status(), 405);
    // Trailers end a body, too.
    driver.feed(head(5, "GET", &[])).feed(body(5, 10, 0));
    driver.feed(frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        5,
        &block([("x", "y")]),
    ));
    assert_eq!(driver.whole(5).status(), 200);
    // Nobody has to send what is not wanted.
    for (stream, method, status) in [(7, "GET", 413), (9, "POST", 405)] {
        driver.feed(head(stream, method, &[("content-length", "70000")]));
        assert_eq!(driver.whole(stream).status(), status);
        assert_eq!(driver.answer(stream).reset, Some(0), "{method}");
        driver.feed(body(stream, 100, 0));
    }
    driver.feed(head(11, "GET", &[]));
    for _ in 0..5 {
        driver.feed(body(11, 16_000, 0));
    }
    assert_eq!(driver.whole(11).status(), 413);
    driver.feed(head(13, "GET", &[("expect", "100-continue")]));
    assert_eq!(driver.whole(13).status(), 200);
    assert!(driver.heard.granted[&0] > 40_000, "the room is given back");
    driver.feed(get(15, "/ten.txt"));
    assert_eq!(driver.whole(15).status(), 200);
    assert_eq!(driver.heard.go_away, None);
}

#[test]
fn heads_have_bounds() {
    let long = |length: usize| "/".to_owned() + &"a".repeat(length - 1);
    let mut driver = Driver::new();
    driver.feed(get(1, &long(8192))).feed(get(3, &long(8193)));
    assert_eq!(
        [driver.whole(1).status(), driver.whole(3).status()],
        [404, 414]
    );
    let many = |count: usize| vec![("x", "y"); count - 4];
    driver
        .feed(request(5, "GET", "/", &many(100)))
        .feed(request(7, "GET", "/", &many(101)));
    assert_eq!(
        [driver.whole(5).status(), driver.whole(7).status()],
        [200, 431]
    );
    // In several frames.
    let value = "y".repeat(10_000);
    let fields = fields(
        "GET",
        "/",
        &[("a", &value), ("b", &value), ("c", &value), ("d", "")],
    );
    let cut = |stream, block: &[u8]| {
        let pieces: Vec<_> = block.chunks(9000).collect();
        let kinds = |number: usize| if number == 0 { HEADERS } else { CONTINUATION };
        let frames = pieces.iter().enumerate().map(|(number, piece)| {
            let last = if number + 1 == pieces.len() {
                END_HEADERS
            } else {
                0
            };
            let first = if number == 0 { END_STREAM } else { 0 };
            frame(kinds(number), last | first, stream, piece)
        });
        frames.collect::<Vec<_>>().concat()
    };
    driver.feed(cut(9, &block(fields.clone())));
    assert_eq!(driver.whole(9).status(), 200);
    // A name in a table makes a head long that is short on the way.
    let remembered = [&[0x40, 1, b'z', 0x7f, 0xa1, 0x0f][..], &[b'z'; 2080]].concat();
    let mut bomb = block(fields);
    bomb.extend(remembered);
    bomb.extend([0xbe; 12]);
    driver.feed(cut(11, &bomb));
    assert_eq!(driver.whole(11).status(), 431);
    driver.feed(get(13, "/ten.txt"));
    assert_eq!(driver.whole(13).status(), 200);
}

/// A location longer than a frame may be goes in several.
#[test]
fn long_heads_of_answers_are_cut() {
    let query = "?".to_owned() + &"\u{e4}".repeat(4000);
    let mut driver = Driver::new();
    driver.feed(get(1, &format!("/dir{query}")));
    let location = driver.whole(1).field("location").unwrap();
    assert_eq!(location.len(), "/dir/?".len() + 3 * 8000);
}

#[test]
fn no_more_streams_than_were_granted() {
    let mut driver = Driver::new();
    driver.holds_works = true;
    for stream in (1..=201).step_by(2) {
        driver.feed(get(stream, "/ten.txt"));
    }
    assert_eq!(driver.out.len(), 100);
    assert_eq!(driver.answer(201).reset, Some(7), "refused");
    while !driver.out.is_empty() {
        driver.done(0);
        driver.run();
    }
    assert_eq!(driver.statuses, [200; 100]);
    driver.feed(get(203, "/ten.txt"));
    assert_eq!(driver.out.len(), 1);
}
