//! What is wrong with requests and frames, and what comes of it.

use http::h2::{ErrorCode, Fault};
use proptest::prelude::*;

use crate::driver::Driver;
use crate::frames::*;

const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const COMPRESSION_ERROR: u32 = 9;

/// Requests that are none (RFC 9113, section 8): their streams are reset, and the connection goes on.
#[test]
fn requests_that_are_none() {
    let good = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "h"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&good[..], more].concat();
    let without = |name| {
        good.into_iter()
            .filter(|field| field.0 != name)
            .collect::<Vec<_>>()
    };
    let instead = |name, value| [&without(name)[..], &[(name, value)]].concat();
    let table = [
        ("no method", without(":method")),
        ("no scheme", without(":scheme")),
        ("no path", without(":path")),
        ("an empty path", instead(":path", "")),
        ("an absolute path", instead(":path", "http://h/")),
        ("a relative path", instead(":path", "a")),
        ("an empty scheme", instead(":scheme", "")),
        ("a method that is no token", instead(":method", "G T")),
        ("a method twice", with(&[(":method", "GET")])),
        ("a path twice", with(&[(":path", "/")])),
        ("an authority twice", with(&[(":authority", "h")])),
        ("an unknown pseudo-field", with(&[(":protocol", "x")])),
        ("one of answers", with(&[(":status", "200")])),
        (
            "a late pseudo-field",
            [&good[..3], &[("a", "b"), (":authority", "h")]].concat(),
        ),
        ("an upper-case name", with(&[("Accept", "x")])),
        ("an empty name", with(&[("", "x")])),
        ("a name that is no token", with(&[("a b", "x")])),
        ("a name with a colon", with(&[("a:", "x")])),
        ("a line feed in a value", with(&[("a", "b\nc")])),
        ("NUL in a value", with(&[("a", "b\0c")])),
        ("a control byte in a value", with(&[("a", "b\x01c")])),
        ("white space before a value", with(&[("a", " b")])),
        ("white space after a value", with(&[("a", "b\t")])),
        ("connection", with(&[("connection", "close")])),
        ("keep-alive", with(&[("keep-alive", "1")])),
        ("proxy-connection", with(&[("proxy-connection", "x")])),
        (
            "transfer-encoding",
            with(&[("transfer-encoding", "chunked")]),
        ),
        ("upgrade", with(&[("upgrade", "h2c")])),
        ("te", with(&[("te", "gzip")])),
        ("a Host that says otherwise", with(&[("host", "other")])),
        ("a length that is none", with(&[("content-length", "+1")])),
        (
            "lengths that differ",
            with(&[("content-length", "0"), ("content-length", "1")]),
        ),
        (
            "a length of a body that is none",
            with(&[("content-length", "1")]),
        ),
        ("CONNECT with a path", instead(":method", "CONNECT")),
        ("CONNECT without an authority", vec![(":method", "CONNECT")]),
    ];
    for (name, fields) in table {
        let mut driver = Driver::new();
        driver.feed(frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(fields)));
        assert_eq!(driver.answer(1).reset, Some(PROTOCOL_ERROR), "{name}");
        assert_eq!(driver.fault(), Some(Fault::Request), "{name}");
        driver.feed(get(3, "/ten.txt"));
        assert_eq!(driver.whole(3).status(), 200, "{name}");
    }
}

/// Requests that are odd, and are answered.
#[test]
fn requests_that_are_odd() {
    let start = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/ten.txt"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&start[..], more].concat();
    let authority = (":authority", "h");
    let table = [
        ("no host at all", with(&[]), 400),
        ("Host alone", with(&[("host", "h")]), 200),
        ("Host twice", with(&[("host", "h"), ("host", "h")]), 400),
        ("Host and authority", with(&[authority, ("host", "h")]), 200),
        (
            "an authority with a user",
            with(&[(":authority", "u@h")]),
            400,
        ),
        (
            "an authority with a path",
            with(&[(":authority", "h/x")]),
            400,
        ),
        ("an empty authority", with(&[(":authority", "")]), 200),
        ("te: trailers", with(&[authority, ("te", "trailers")]), 200),
        ("an empty value", with(&[authority, ("a", "")]), 200),
        (
            "https in the clear",
            vec![
                (":method", "GET"),
                (":scheme", "https"),
                (":path", "/ten.txt"),
                authority,
            ],
            200,
        ),
        (
            "CONNECT",
            vec![(":method", "CONNECT"), (":authority", "h:80")],
            405,
        ),
        (
            "a space in the path",
            vec![
                (":method", "GET"),
                (":scheme", "http"),
                (":path", "/a b"),
                authority,
            ],
            400,
        ),
    ];
    for (name, fields, status) in table {
        let mut driver = Driver::new();
        driver.feed(frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(fields)));
        assert_eq!(driver.whole(1).status(), status, "{name}");
    }
    // Padding and a priority of the old kind.
    let block = block(fields("GET", "/ten.txt", &[]));
    let padded = [&[4, 0, 0, 0, 0, 9][..], &block, &[0; 4]].concat();
    let mut driver = Driver::new();
    driver.feed(frame(
        HEADERS,
        END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY,
        1,
        &padded,
    ));
    assert_eq!(driver.whole(1).body, b"0123456789");
    // What nobody knows is ignored.
    driver
        .feed(frame(0xfe, 0xff, 77, b"whatever"))
        .feed(frame(PRIORITY, 0, 9, &[0, 0, 0, 0, 1]));
    driver.feed(settings(&[(0x99, 7), (1, 0)]));
    driver.feed(get(3, "/ten.txt"));
    assert_eq!(driver.whole(3).status(), 200);
}

/// What breaks a connection, and with which code.
#[test]
fn frames_that_are_wrong() {
    let head = block(fields("GET", "/ten.txt", &[]));
    let open = || frame(HEADERS, END_HEADERS, 1, &head);
    let whole = || get(1, "/ten.txt");
    let long = vec![0; 16_385];
    let table: Vec<(&str, Vec<u8>, u32)> = vec![
        (
            "DATA on the connection",
            frame(DATA, 0, 0, b"x"),
            PROTOCOL_ERROR,
        ),
        ("DATA of no stream", frame(DATA, 0, 1, b"x"), PROTOCOL_ERROR),
        (
            "HEADERS on the connection",
            frame(HEADERS, END_HEADERS, 0, &head),
            PROTOCOL_ERROR,
        ),
        (
            "a stream of the server's",
            frame(HEADERS, END_HEADERS, 2, &head),
            PROTOCOL_ERROR,
        ),
        (
            "an older stream",
            [get(5, "/"), get(3, "/")].concat(),
            PROTOCOL_ERROR,
        ),
        (
            "more padding than payload",
            frame(HEADERS, END_HEADERS | PADDED, 1, &[9, 0]),
            PROTOCOL_ERROR,
        ),
        (
            "more padding than data",
            [open(), frame(DATA, PADDED, 1, &[2, 0])].concat(),
            PROTOCOL_ERROR,
        ),
        (
            "CONTINUATION of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &head),
            PROTOCOL_ERROR,
        ),
        (
            "something within a block",
            [frame(HEADERS, 0, 1, &head), frame(PING, 0, 0, &[0; 8])].concat(),
            PROTOCOL_ERROR,
        ),
        (
            "another's CONTINUATION",
            [
                frame(HEADERS, 0, 1, &head),
                frame(CONTINUATION, 4, 3, &head),
            ]
            .concat(),
            PROTOCOL_ERROR,
        ),
        (
            "a block that cannot be decoded",
            frame(HEADERS, END_HEADERS, 1, &[0x80]),
            COMPRESSION_ERROR,
        ),
        (
            "a frame too long",
            frame(0xfe, 0, 0, &long),
            FRAME_SIZE_ERROR,
        ),
        ("a reset of no stream", reset(1), PROTOCOL_ERROR),
        ("a reset of the connection", reset(0), PROTOCOL_ERROR),
        (
            "a short reset",
            [whole(), frame(RST_STREAM, 0, 1, b"abc")].concat(),
            FRAME_SIZE_ERROR,
        ),
        (
            "SETTINGS of a stream",
            frame(SETTINGS, 0, 1, &[]),
            PROTOCOL_ERROR,
        ),
        (
            "SETTINGS cut",
            frame(SETTINGS, 0, 0, &[0; 5]),
            FRAME_SIZE_ERROR,
        ),
        (
            "an acknowledgement that says more",
            frame(SETTINGS, ACK, 0, &[0; 6]),
            FRAME_SIZE_ERROR,
        ),
        ("a push setting of 2", settings(&[(2, 2)]), PROTOCOL_ERROR),
        (
            "a window too large",
            settings(&[(4, 1 << 31)]),
            FLOW_CONTROL_ERROR,
        ),
        ("frames too short", settings(&[(5, 16_383)]), PROTOCOL_ERROR),
        ("frames too long", settings(&[(5, 1 << 24)]), PROTOCOL_ERROR),
        (
            "PUSH_PROMISE",
            frame(PUSH_PROMISE, 4, 1, &[0; 4]),
            PROTOCOL_ERROR,
        ),
        (
            "PING of a stream",
            frame(PING, 0, 1, &[0; 8]),
            PROTOCOL_ERROR,
        ),
        ("a short PING", frame(PING, 0, 0, &[0; 7]), FRAME_SIZE_ERROR),
        (
            "GOAWAY of a stream",
            frame(GOAWAY, 0, 1, &[0; 8]),
            PROTOCOL_ERROR,
        ),
        (
            "a short GOAWAY",
            frame(GOAWAY, 0, 0, &[0; 7]),
            FRAME_SIZE_ERROR,
        ),
        (
            "a short WINDOW_UPDATE",
            frame(WINDOW_UPDATE, 0, 0, &[0; 3]),
            FRAME_SIZE_ERROR,
        ),
        (
            "WINDOW_UPDATE by nothing",
            window_update(0, 0),
            PROTOCOL_ERROR,
        ),
        (
            "WINDOW_UPDATE of no stream",
            window_update(1, 1),
            PROTOCOL_ERROR,
        ),
        (
            "a window of the connection too large",
            window_update(0, (1 << 31) - 1),
            FLOW_CONTROL_ERROR,
        ),
        (
            "PRIORITY of the connection",
            frame(PRIORITY, 0, 0, &[0; 5]),
            PROTOCOL_ERROR,
        ),
        (
            "PRIORITY cut, of no stream",
            frame(PRIORITY, 0, 1, &[0; 4]),
            FRAME_SIZE_ERROR,
        ),
        (
            "PRIORITY_UPDATE of a stream",
            frame(PRIORITY_UPDATE, 0, 1, &[0, 0, 0, 1]),
            PROTOCOL_ERROR,
        ),
        (
            "PRIORITY_UPDATE of the connection",
            frame(PRIORITY_UPDATE, 0, 0, &[0; 4]),
            PROTOCOL_ERROR,
        ),
    ];
    for (name, bytes, code) in table {
        let mut driver = Driver::new();
        driver.feed(&bytes);
        let found = driver.heard.go_away.map(|(_, code)| code);
        assert_eq!(found, Some(code), "{name}");
        assert_eq!(
            driver.fault(),
            Some(Fault::Protocol(ErrorCode::of(code))),
            "{name}"
        );
        assert!(driver.ended.is_some(), "{name}");
        // Whatever comes after it is dropped.
        driver.feed(get(9, "/ten.txt"));
        assert!(!driver.heard.answers.contains_key(&9), "{name}");
    }
}

/// What breaks a stream, and no more than that.
#[test]
fn streams_that_are_wrong() {
    let open = |more| {
        frame(
            HEADERS,
            END_HEADERS,
            1,
            &block(fields("GET", "/ten.txt", more)),
        )
    };
    let table: Vec<(&str, Vec<u8>, u32)> = vec![
        (
            "DATA after the end",
            [get(1, "/big.bin"), frame(DATA, 0, 1, b"x")].concat(),
            STREAM_CLOSED,
        ),
        (
            "HEADERS after the end",
            [get(1, "/big.bin"), get(1, "/")].concat(),
            STREAM_CLOSED,
        ),
        (
            "trailers that end nothing",
            [open(&[]), frame(HEADERS, END_HEADERS, 1, &[])].concat(),
            PROTOCOL_ERROR,
        ),
        (
            "more than was promised",
            [open(&[("content-length", "1")]), frame(DATA, 0, 1, b"xx")].concat(),
            PROTOCOL_ERROR,
        ),
        (
            "less than was promised",
            [open(&[("content-length", "3")]), frame(DATA, 1, 1, b"xx")].concat(),
            PROTOCOL_ERROR,
        ),
        (
            "WINDOW_UPDATE by nothing",
            [get(1, "/big.bin"), window_update(1, 0)].concat(),
            PROTOCOL_ERROR,
        ),
        (
            "a window too large",
            [get(1, "/big.bin"), window_update(1, (1 << 31) - 1)].concat(),
            FLOW_CONTROL_ERROR,
        ),
        (
            "PRIORITY cut",
            [get(1, "/big.bin"), frame(PRIORITY, 0, 1, &[0; 4])].concat(),
            FRAME_SIZE_ERROR,
        ),
    ];
    for (name, bytes, code) in table {
        let mut driver = Driver::new();
        driver.feed(&bytes);
        assert_eq!(driver.answer(1).reset, Some(code), "{name}");
        driver.feed(get(3, "/nowhere"));
        assert_eq!(driver.whole(3).status(), 404, "{name}");
        assert_eq!(driver.heard.go_away, None, "{name}");
    }
}

#[test]
fn the_preface_comes_first_and_then_settings() {
    let begin = |bytes: &[u8]| {
        let mut driver = Driver::silent(http::Config::default());
        driver.feed(bytes);
        driver.heard.go_away.map(|(_, code)| code)
    };
    assert_eq!(begin(b"GET / HTTP/1.1\r\n"), Some(PROTOCOL_ERROR));
    assert_eq!(
        begin(&[PREFACE, &frame(PING, 0, 0, &[0; 8])].concat()),
        Some(PROTOCOL_ERROR)
    );
    assert_eq!(
        begin(&[PREFACE, &frame(SETTINGS, ACK, 0, &[])].concat()),
        Some(PROTOCOL_ERROR)
    );
    assert_eq!(begin(&hello()), None);
}

/// Frames that a client may send, in any order.
fn any_frames() -> impl Strategy<Value = Vec<u8>> {
    let head = block(fields("GET", "/ten.txt", &[]));
    let stream = (0..6_u32).prop_map(|number| 2 * number + 1);
    let one = (0..20_u8, any::<u8>(), stream, any::<u8>()).prop_map(
        move |(kind, flags, stream, byte)| match kind {
            0..4 => get(stream, "/big.bin"),
            4 => frame(HEADERS, flags, stream, &head),
            5 => frame(CONTINUATION, flags, stream, &head),
            6 => window_update(stream, byte.into()),
            7 => window_update(0, byte.into()),
            8 => settings(&[(4, u32::from(byte) * 1000)]),
            9 => reset(stream),
            10 => frame(DATA, flags, stream, &vec![byte; byte.into()]),
            11 => vec![byte],
            kind => frame(
                kind,
                flags,
                if byte % 2 == 0 { 0 } else { stream },
                &[byte; 8],
            ),
        },
    );
    prop::collection::vec(one, 1..30).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_algorithm: proptest::test_runner::RngAlgorithm::ChaCha,
        rng_seed: proptest::test_runner::RngSeed::Fixed(9113),
        ..ProptestConfig::default()
    })]

    /// What is answered does not depend on how the input was cut.
    #[test]
    fn cuts_make_no_difference(bytes in any_frames(), cuts in prop::collection::vec(1..40_usize, 1..20)) {
        let bytes = [&hello()[..], &bytes].concat();
        let mut whole = Driver::silent(http::Config::default());
        whole.feed(&bytes);
        let mut cut = Driver::silent(http::Config::default());
        let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            cut.feed(piece);
            rest = after;
        }
        // Only what was sent before something came that broke it off may differ.
        prop_assert_eq!(whole.heard.go_away, cut.heard.go_away);
        if whole.heard.go_away.is_none() && !bytes.is_empty() {
            let answered = |driver: &Driver| {
                let answers = driver.heard.answers.iter();
                let whole = answers.filter(|(_, answer)| answer.is_whole && answer.reset.is_none());
                whole.map(|(stream, answer)| (*stream, answer.clone())).collect::<Vec<_>>()
            };
            for (stream, answer) in answered(&whole) {
                let same = &cut.heard.answers[&stream];
                prop_assert_eq!(&answer, same);
            }
        }
    }

    /// Nothing that comes does any harm, and whatever is sent is made of frames.
    #[test]
    fn noise(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..60), 1..20)) {
        let mut driver = Driver::new();
        for piece in pieces {
            driver.feed(piece);
        }
        prop_assert!(!driver.heard.is_cut());
    }
}
