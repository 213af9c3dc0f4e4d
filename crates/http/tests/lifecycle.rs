//! The life of a connection: half-close, deadlines, stopping, failure, limits.

mod support;

use std::sync::Arc;

use http::{Config, Connection, Finished, Phase, Scratch, Want, refusal};
use support::{Driver, End, get, request, serve};

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
    assert_eq!((&begun.statuses[..], begun.end()), (&[200][..], End::Close));
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
        (&[200][..], End::Close)
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
        (&[200][..], End::Close)
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
        (&[200][..], End::Close)
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

/// Whoever has asked for several things at a time may have asked for more when the server closes, unless he has said that
/// there is no more.
#[test]
fn a_client_that_pipelines_is_left_with_care() {
    let three = || {
        Driver::with(Config {
            max_requests_per_connection: 3,
            ..Config::default()
        })
    };
    let plain = get("/ten.txt", "");
    for (inputs, end) in [
        ([plain.repeat(2), plain.clone()], End::Linger),
        ([plain.clone(), plain.repeat(2)], End::Linger),
        (
            [plain.repeat(2), get("/ten.txt", "Connection: close\r\n")],
            End::Close,
        ),
        (
            [plain.repeat(2), "GET /ten.txt HTTP/1.0\r\n\r\n".into()],
            End::Close,
        ),
    ] {
        let mut driver = three();
        for input in &inputs {
            driver.feed(input);
        }
        assert_eq!(
            (&driver.statuses[..], driver.end()),
            (&[200, 200, 200][..], end),
            "{inputs:?}"
        );
        // What he has sent meanwhile is dropped.
        driver.feed(&plain);
        assert_eq!(driver.statuses.len(), 3);
    }
    let mut one_at_a_time = three();
    for _ in 0..3 {
        one_at_a_time.feed(&plain);
    }
    assert_eq!(one_at_a_time.end(), End::Close);
    let mut stopped = serve(plain.repeat(2));
    stopped.connection.finish();
    assert_eq!(stopped.end(), End::Close, "nothing is on its way to him");
    let mut half_closed = serve(plain.repeat(2));
    half_closed.end_of_input();
    assert_eq!(half_closed.end(), End::Close);
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
