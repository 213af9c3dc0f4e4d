//! Answers with parts of a file, byte for byte.

use std::sync::Arc;

use http::{Config, Connection, Entity, FileState, Scratch, Want};

use crate::answers::{ETAG, golden};
use crate::support::{Driver, End, LAST_MODIFIED, check, get, request, serve};

#[test]
fn one_range() {
    golden(
        &get("/ten.txt", "Range: bytes=2-4\r\n"),
        "HTTP/1.1 206 Partial Content\n$STAMP\n$FILE\nContent-Type: text/plain; charset=utf-8\nContent-Range: bytes 2-4/10\nContent-Length: 3\n\n234",
    );
    let served = |value: &str| {
        serve(get("/ten.txt", &format!("Range: {value}\r\n")))
            .answers()
            .remove(0)
    };
    assert_eq!(served("bytes=-3").body, b"789");
    assert_eq!(served("bytes=5-").body, b"56789");
    assert_eq!(
        served("bytes=0-99").field("Content-Range"),
        Some("bytes 0-9/10")
    );
    assert_eq!(
        served("bytes=1-1,20-").field("Content-Range"),
        Some("bytes 1-1/10")
    );
    check(
        request("HEAD", "/ten.txt", "Range: bytes=2-4\r\n"),
        &[200],
        End::Open,
    );
    check(
        get(
            "/ten.txt",
            &format!("If-Range: {ETAG}\r\nRange: bytes=2-4\r\n"),
        ),
        &[206],
        End::Open,
    );
    check(
        get("/ten.txt", "If-Range: \"x\"\r\nRange: bytes=2-4\r\n"),
        &[200],
        End::Open,
    );
    check(
        get("/ten.txt", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n"),
        &[200],
        End::Open,
    );
}

/// Whoever sends If-Range has the fields of the file already (RFC 9110, 15.3.7).
#[test]
fn ranges_of_what_is_known() {
    for validator in [ETAG, LAST_MODIFIED] {
        let condition = format!("If-Range: {validator}\r\n");
        golden(
            &get("/ten.txt", &format!("{condition}Range: bytes=2-4\r\n")),
            &format!(
                "HTTP/1.1 206 Partial Content\n$STAMP\nETag: {ETAG}\nContent-Range: bytes 2-4/10\nContent-Length: 3\n\n234"
            ),
        );
        let several = serve(get(
            "/ten.txt",
            &format!("{condition}Range: bytes=0-1,-1\r\n"),
        ));
        let unconditional = serve(get("/ten.txt", "Range: bytes=0-1,-1\r\n"));
        let (known, new) = (&several.answers()[0], &unconditional.answers()[0]);
        assert_eq!(known.field("ETag"), Some(ETAG));
        assert_eq!(known.field("Last-Modified"), None);
        assert_eq!(known.field("Content-Type"), new.field("Content-Type"));
        assert_eq!(known.body, new.body);
        // What is answered with the whole file is answered with all of its fields.
        for fields in ["Range: bytes=0-,0-\r\n", "Range: lines=1\r\n", ""] {
            let whole = serve(get("/ten.txt", &format!("{condition}{fields}")));
            assert_eq!(whole.output, serve(get("/ten.txt", "")).output);
        }
    }
}

#[test]
fn several_ranges() {
    let body = "\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01\
                \r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 9-9/10\r\n\r\n9\
                \r\n--B--\r\n";
    let boundary = ETAG.trim_matches('"');
    let body = body.replace("--B", &format!("--{boundary}"));
    let input = get("/ten.txt", "Range: bytes=0-1,-1\r\n");
    let driver = serve(&input);
    let answer = &driver.answers()[0];
    assert_eq!(answer.status, 206);
    assert_eq!(
        answer.field("Content-Type"),
        Some(&format!("multipart/byteranges; boundary={boundary}")[..])
    );
    assert_eq!(answer.field("Content-Range"), None);
    assert_eq!(String::from_utf8_lossy(&answer.body), body);
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[206][..], End::Open)
    );
    let mut bytewise = Driver::new();
    bytewise.send = 1;
    assert_eq!(bytewise.feed(&input).output, driver.output);
}

#[test]
fn several_ranges_are_as_long_as_they_say() {
    for value in [
        "0-0,9-9,10-10",
        "0-9,10-99,99-100",
        "9999-10000,99999-,-100",
    ] {
        let driver = serve(get("/big.bin", &format!("Range: bytes={value}\r\n")));
        let answers = driver.answers();
        assert_eq!(answers.len(), 1, "{value}");
        assert!(answers[0].body.ends_with(b"--\r\n"), "{value}");
    }
}

#[test]
fn ranges_that_do_not_count() {
    let ranges = |count: usize| {
        (0..count)
            .map(|i| format!("{i}-{i}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    for (value, status) in [
        (ranges(10), 206),
        ("0-5,5-9".into(), 200),
        ("0-,0-".into(), 200),
        ("4-2".into(), 200),
        ("a".into(), 200),
        ("".into(), 200),
        ("10-".into(), 416),
        ("-0".into(), 416),
    ] {
        check(
            get("/ten.txt", &format!("Range: bytes={value}\r\n")),
            &[status],
            End::Open,
        );
        check(
            get("/empty", &format!("Range: bytes={value}\r\n")),
            &[200],
            End::Open,
        );
    }
    // What guards the server is how many bytes it sends, and that is checked apart from the number.
    for (count, status) in [(16, 206), (20, 206), (100, 206), (101, 200), (1000, 200)] {
        check(
            get("/big.bin", &format!("Range: bytes={}\r\n", ranges(count))),
            &[status],
            End::Open,
        );
    }
    for max_ranges in [0, 1, 3] {
        let config = Config {
            max_ranges,
            ..Config::default()
        };
        for count in 1..5 {
            let mut driver = Driver::with(config.clone());
            driver.feed(get(
                "/big.bin",
                &format!("Range: bytes={}\r\n", ranges(count)),
            ));
            let expected = if count > max_ranges { 200 } else { 206 };
            assert_eq!(driver.statuses, [expected], "{count} of {max_ranges}");
        }
    }
    golden(
        &get("/ten.txt", "Range: bytes=10-\r\n"),
        "HTTP/1.1 416 Range Not Satisfiable\n$STAMP\nContent-Range: bytes */10\nContent-Type: text/plain\nContent-Length: 26\n\n\
         416 Range Not Satisfiable\n~",
    );
}

#[test]
fn four_gibibytes_and_more() {
    let mut scratch = Scratch::new(Arc::new(Config::default()));
    let mut connection = Connection::new();
    let entity = Entity::new(
        b"huge",
        FileState {
            len: 5 << 30,
            ..FileState::default()
        },
    );
    let input = get("/huge", "Range: bytes=4294967296-\r\n");
    connection.receive(input.as_bytes(), &mut scratch);
    connection.found(Ok(&entity), &mut scratch);
    assert_eq!(connection.want(), Want::Load(4 << 30..5 << 30));
    connection.loaded(&entity, &mut scratch);
    assert_eq!(connection.want(), Want::Send(4 << 30..5 << 30));
    let head = String::from_utf8_lossy(&scratch.out);
    assert!(
        head.contains("\r\nContent-Range: bytes 4294967296-5368709119/5368709120\r\n"),
        "{head}"
    );
    connection.sent(1 << 29, &mut scratch);
    assert_eq!(
        connection.want(),
        Want::Load((4 << 30) + (1 << 29)..5 << 30)
    );
}
