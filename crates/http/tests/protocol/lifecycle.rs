//! The life of a connection: half-close, deadlines, stopping, failure, limits.

use std::sync::Arc;

use http::{Config, Connection, Finished, Phase, Scratch, Want, refusal};

use crate::support::{Driver, End, get, request, serve};

#[test]
fn phases() {
    let mut driver = Driver::new();
    assert_eq!(driver.connection.phase(), Phase::Idle);
    driver.feed("\r\n");
    assert_eq!(driver.connection.phase(), Phase::Idle);
    driver.feed("G");
    assert_eq!(driver.connection.phase(), Phase::Request);
    driver.feed("ET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(driver.connection.phase(), Phase::Request);
    driver.feed("xx");
    assert_eq!(driver.connection.phase(), Phase::Idle);
    driver.feed("\n");
    assert_eq!(driver.connection.phase(), Phase::Linger);
}

#[test]
fn half_close() {
    let mut driver = Driver::new();
    driver.end_of_input();
    assert_eq!((driver.text().as_str(), driver.end()), ("", End::Close));

    let mut driver = serve(get("/ten.txt", "").repeat(2));
    driver.end_of_input();
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[200, 200][..], End::Close)
    );

    for cut in [
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nx",
    ] {
        let mut driver = serve(cut);
        driver.end_of_input();
        assert_eq!(
            (&driver.statuses[..], driver.end()),
            (&[400][..], End::Close)
        );
    }

    let mut driver = serve("\x01");
    assert_eq!(driver.end(), End::Linger);
    driver.end_of_input();
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[400][..], End::Close)
    );
}

#[test]
fn half_close_while_the_answer_is_under_way() {
    for steps in 1..4 {
        let mut driver = Driver::new();
        let taken = driver
            .connection
            .receive(get("/ten.txt", "").as_bytes(), &mut driver.scratch);
        assert_eq!(taken, get("/ten.txt", "").len());
        for _ in 1..steps {
            driver.step();
        }
        driver.end_of_input();
        assert_eq!(
            (&driver.statuses[..], driver.end()),
            (&[200][..], End::Close)
        );
        assert_eq!(driver.answers()[0].body, b"0123456789");
    }
}

#[test]
fn deadlines() {
    let mut idle = serve(get("/ten.txt", ""));
    let before = idle.text();
    idle.expire();
    assert_eq!((idle.text(), idle.end()), (before, End::Close));

    for cut in [
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n",
    ] {
        let mut driver = serve(cut);
        driver.expire();
        assert_eq!(
            (&driver.statuses[..], driver.end()),
            (&[408][..], End::Linger)
        );
        assert_eq!(driver.answers()[0].field("Connection"), Some("close"));
        driver.expire();
        assert_eq!(
            (&driver.statuses[..], driver.end()),
            (&[408][..], End::Close)
        );
    }

    let mut driver = Driver::new();
    driver
        .connection
        .receive(get("/ten.txt", "").as_bytes(), &mut driver.scratch);
    driver.expire();
    assert_eq!((driver.text().as_str(), driver.end()), ("", End::Close));
}

#[test]
fn finishing() {
    let mut idle = Driver::new();
    idle.connection.finish();
    assert_eq!(idle.end(), End::Close);

    let mut begun = serve("GET /ten.txt HT");
    begun.connection.finish();
    begun.feed("TP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(
        (&begun.statuses[..], begun.end()),
        (&[200][..], End::Linger)
    );
    assert_eq!(begun.answers()[0].field("Connection"), Some("close"));

    let mut driver = Driver::new();
    let input = get("/ten.txt", "");
    driver
        .connection
        .receive(input.as_bytes(), &mut driver.scratch);
    driver.connection.finish();
    assert_eq!(driver.connection.want(), Want::Find);
    driver.feed("");
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[200][..], End::Linger)
    );

    // The head had promised to keep the connection; closing it between answers is within the
    // protocol all the same.
    let mut driver = Driver::new();
    driver.send = 5;
    driver
        .connection
        .receive(input.as_bytes(), &mut driver.scratch);
    for _ in 0..3 {
        driver.step();
    }
    driver.connection.finish();
    driver.feed("");
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[200][..], End::Linger)
    );
}

#[test]
fn finishing_with_a_request_in_the_drivers_hands() {
    let mut driver = Driver::new();
    let input = get("/none", "").repeat(2);
    let taken = driver
        .connection
        .receive(input.as_bytes(), &mut driver.scratch);
    driver.step();
    assert_eq!(driver.connection.want(), Want::Request);
    driver.connection.finish();
    assert_eq!(driver.connection.want(), Want::Request);
    driver.feed(&input[taken..]);
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[404, 404][..], End::Linger)
    );
    assert_eq!(driver.answers()[1].field("Connection"), Some("close"));
}

#[test]
fn limits_on_keeping() {
    let off = Config {
        keep_alive: false,
        ..Config::default()
    };
    let mut driver = Driver::with(off);
    driver.feed(get("/ten.txt", ""));
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[200][..], End::Linger)
    );
    assert_eq!(driver.answers()[0].field("Connection"), Some("close"));

    let three = Config {
        max_requests_per_connection: 3,
        ..Config::default()
    };
    let mut driver = Driver::with(three);
    driver.feed(get("/ten.txt", "").repeat(4));
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[200, 200, 200][..], End::Linger)
    );
    let closing: Vec<_> = driver
        .answers()
        .iter()
        .map(|answer| answer.field("Connection").is_some())
        .collect();
    assert_eq!(closing, [false, false, true]);
}

/// A connection whose last answer has been handed over, by each way that there is, and what the answer said.
fn last_answers() -> Vec<(&'static str, Driver, Option<&'static str>)> {
    let plain = get("/ten.txt", "");
    let with = |config: Config, input: &str| {
        let mut driver = Driver::with(config);
        driver.feed(input);
        driver
    };
    let off = Config {
        keep_alive: false,
        ..Config::default()
    };
    let two = Config {
        max_requests_per_connection: 2,
        ..Config::default()
    };
    let mut stopped_before = serve("GET /ten.txt HT");
    stopped_before.connection.finish();
    stopped_before.feed("TP/1.1\r\nHost: h\r\n\r\n");
    let mut stopped_in_mid_answer = Driver::new();
    stopped_in_mid_answer.send = 5;
    stopped_in_mid_answer
        .connection
        .receive(plain.as_bytes(), &mut stopped_in_mid_answer.scratch);
    for _ in 0..3 {
        stopped_in_mid_answer.step();
    }
    stopped_in_mid_answer.connection.finish();
    stopped_in_mid_answer.feed("");
    let mut stopped_after = serve(&plain);
    stopped_after.connection.finish();
    let close = Some("close");
    vec![
        (
            "Connection: close",
            serve(get("/ten.txt", "Connection: close\r\n")),
            close,
        ),
        ("HTTP/1.0", serve("GET /ten.txt HTTP/1.0\r\n\r\n"), close),
        ("--keep-alive off", with(off, &plain), close),
        ("the last allowed", with(two, &plain.repeat(2)), close),
        ("stopping, before it", stopped_before, close),
        ("stopping, in its midst", stopped_in_mid_answer, None),
        ("stopping, after it", stopped_after, None),
        (
            "a head that is broken",
            serve("GET / HTTP/1.1\r\n\r\n"),
            close,
        ),
        (
            "a body that may never come",
            serve(get(
                "/ten.txt",
                "Expect: 100-continue\r\nContent-Length: 5\r\n",
            )),
            close,
        ),
    ]
}

/// RFC 9112, 9.6: whatever a client still sends must not turn the close into a reset, which would destroy the answer that
/// it has not read.
#[test]
fn every_last_answer_is_closed_after_in_stages() {
    for (way, mut driver, announced) in last_answers() {
        assert_eq!(driver.end(), End::Linger, "{way}");
        let answers = driver.answers();
        let last = answers.last().unwrap();
        assert_eq!(last.field("Connection"), announced, "{way}");
        // What comes is dropped, and changes nothing.
        let (output, statuses) = (driver.output.clone(), driver.statuses.clone());
        for more in ["\r\n", &get("/ten.txt", ""), "\x01"] {
            driver.feed(more);
            assert_eq!(driver.end(), End::Linger, "{way}");
        }
        assert_eq!((&driver.output, &driver.statuses), (&output, &statuses));
        // It ends with the client, or when its time is over.
        driver.end_of_input();
        assert_eq!(driver.end(), End::Close, "{way}");
    }
    for (way, mut driver, _) in last_answers() {
        driver.expire();
        assert_eq!(driver.end(), End::Close, "{way}");
    }
}

/// Nothing can come any more from a client who has shut its side, and nothing is lost to one that was answered nothing.
#[test]
fn who_needs_no_care_is_left_at_once() {
    for input in [
        get("/ten.txt", "Connection: close\r\n"),
        get("/ten.txt", ""),
        "GET /ten.txt HTTP/1.0\r\n\r\n".into(),
    ] {
        let mut driver = Driver::new();
        driver
            .connection
            .receive(input.as_bytes(), &mut driver.scratch);
        driver.end_of_input();
        assert_eq!(
            (&driver.statuses[..], driver.end()),
            (&[200][..], End::Close)
        );
    }
    let mut fresh = Driver::new();
    fresh.connection.finish();
    assert_eq!(fresh.end(), End::Close);
    let mut idle = serve(get("/ten.txt", ""));
    idle.expire();
    assert_eq!(idle.end(), End::Close, "idle for so long that it has read");
}

#[test]
fn failing_loads() {
    let mut driver = Driver::new();
    driver.send = 5;
    driver
        .connection
        .receive(get("/ten.txt", "").as_bytes(), &mut driver.scratch);
    driver.step();
    assert!(matches!(driver.connection.want(), Want::Load(_)));
    driver.connection.failed(&mut driver.scratch);
    driver.feed(get("/ten.txt", "").repeat(2));
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[500, 200, 200][..], End::Open)
    );

    // The second piece, and the second part, come too late for that.
    for fields in ["", "Range: bytes=0-4,6-7\r\n"] {
        let mut driver = Driver::new();
        driver.send = 5;
        driver
            .connection
            .receive(get("/ten.txt", fields).as_bytes(), &mut driver.scratch);
        for _ in 0..3 {
            driver.step();
        }
        assert!(matches!(driver.connection.want(), Want::Load(_)));
        driver.connection.failed(&mut driver.scratch);
        assert_eq!((&driver.statuses[..], driver.end()), (&[][..], End::Close));
    }
}

#[test]
fn refusals() {
    let mut scratch = Scratch::new(Arc::new(Config::default()));
    refusal(&mut scratch);
    let text = String::from_utf8_lossy(&scratch.out);
    assert!(
        text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{text}"
    );
    assert!(
        text.contains("\r\nRetry-After: 1\r\n") && text.contains("\r\nConnection: close\r\n"),
        "{text}"
    );
    assert_eq!(scratch.finished, [Finished { status: 503 }]);
}

#[test]
fn calls_out_of_turn_change_nothing() {
    let mut scratch = Scratch::new(Arc::new(Config::default()));
    let mut connection = Connection::new();
    let entity = http::Entity::new(
        b"x",
        http::FileState {
            len: 5,
            ..http::FileState::default()
        },
    );
    connection.found(Ok(&entity), &mut scratch);
    connection.loaded(&entity, &mut scratch);
    connection.sent(0, &mut scratch);
    connection.failed(&mut scratch);
    assert_eq!(connection.receive(b"", &mut scratch), 0);
    assert_eq!((connection.want(), scratch.out.len()), (Want::Request, 0));
    assert_eq!(connection.target().path(), b"");
    connection.receive(request("GET", "/", "").as_bytes(), &mut scratch);
    connection.loaded(&entity, &mut scratch);
    connection.sent(1, &mut scratch);
    assert_eq!((connection.want(), scratch.out.len()), (Want::Find, 0));
}

#[test]
fn a_connection_is_small() {
    assert!(size_of::<Connection>() <= 64, "{}", size_of::<Connection>());
}
