//! Heads: lines, fields, Host and limits, as raw bytes.

use http::Config;

use crate::support::{Driver, End, check, get, request, serve};

#[track_caller]
fn broken_field(line: &str) {
    check(get("/ten.txt", &format!("{line}\r\n")), &[400], End::Linger);
    check(
        format!("GET / HTTP/1.1\r\n{line}\r\nHost: h\r\n\r\n"),
        &[400],
        End::Linger,
    );
}

#[test]
fn broken_field_lines() {
    for line in [
        "A: b\r\n folded",
        "A: b\r\n\tfolded",
        " A: b",
        "A : b",
        "A\t: b",
        ": b",
        "A b: c",
        "A",
        "A(: b",
        "A\u{e9}: b",
        "A: b\rc",
        "A: b\r",
        "A: b\0c",
        "A: \x01",
        "A: \x7f",
        "A\0: b",
        "A:\x0bb",
    ] {
        broken_field(line);
    }
    check(
        get("/ten.txt", "A:\r\nB: \t \r\nC: \u{e9} \"x\" \t y\r\n"),
        &[200],
        End::Open,
    );
    check("GET / HTTP/1.1\r\n Host: h\r\n\r\n", &[400], End::Linger);
}

#[test]
fn bare_line_feeds() {
    for head in [
        "\n",
        "\nGET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\nHost: h\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\n",
        "GET / HTTP/1.1\r\nHost: h\r\nA: b\nc\r\n\r\n",
    ] {
        check(head, &[400], End::Linger);
    }
}

#[test]
fn empty_lines_before_the_request_line() {
    check(format!("\r\n{}", get("/ten.txt", "")), &[200], End::Open);
    check(
        format!("{}\r\n{}", get("/", ""), get("/", "")),
        &[200, 200],
        End::Open,
    );
    check("\r\n\r\n", &[400], End::Linger);
    check("\r\n\rG", &[400], End::Linger);
    check("\rG", &[400], End::Linger);
    check("\r\n", &[], End::Open);
    assert_eq!(serve("\r\n").end_of_input().text(), "");
}

#[test]
fn host() {
    check("GET / HTTP/1.1\r\n\r\n", &[400], End::Linger);
    check("GET / HTTP/1.2\r\n\r\n", &[400], End::Linger);
    check(
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        &[400],
        End::Linger,
    );
    check(
        "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
        &[400],
        End::Linger,
    );
    for host in [
        "a/b",
        "u@h",
        "a,b",
        "a b",
        "a:b",
        "[::1",
        "h:80:80",
        "a\tb",
        "http://h",
        "[a]",
        "[1.2.3.4]",
    ] {
        check(
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            &[400],
            End::Linger,
        );
    }
    for host in [
        "",
        "h",
        "h:80",
        "[::1]:80",
        "[v1.a:b]",
        "example.com",
        "127.0.0.1:8080",
    ] {
        check(
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            &[200],
            End::Open,
        );
    }
    check("GET / HTTP/1.0\r\n\r\n", &[200], End::Linger);
}

#[test]
fn framing_goes_before_method_before_target() {
    check("FOO /%zz HTTP/1.1\r\n\r\n", &[400], End::Linger);
    check(request("FOO", "/%zz", ""), &[501], End::Linger);
    check(request("POST", "/%zz", ""), &[405], End::Open);
    check(request("POST", "*", ""), &[405], End::Open);
    check(request("POST", "/", "Expect: x\r\n"), &[405], End::Open);
    check(get("/%zz", "Expect: x\r\n"), &[417], End::Open);
    check(get("/%zz", "Content-Length: x\r\n"), &[400], End::Linger);
}

#[test]
fn long_heads() {
    let head = |size: usize| {
        let around = get("/ten.txt", "A: \r\n").len();
        get("/ten.txt", &format!("A: {}\r\n", "a".repeat(size - around)))
    };
    check(head(32 << 10), &[200], End::Open);
    check(head((32 << 10) + 1), &[431], End::Linger);
    check(head(100_000), &[431], End::Linger);
    check(get("/ten.txt", &"A: b\r\n".repeat(99)), &[200], End::Open);
    check(
        get("/ten.txt", &"A: b\r\n".repeat(100)),
        &[431],
        End::Linger,
    );
    check(
        get("/ten.txt", &":\r\n".repeat(10_000)),
        &[431],
        End::Linger,
    );
}

#[test]
fn own_limits() {
    let config = Config {
        max_target: 10,
        max_head: 100,
        max_fields: 200,
        max_body: 3,
        ..Config::default()
    };
    for (input, status) in [
        (get("/123456789", ""), 404),
        (get("/1234567890", ""), 414),
        (get("/", &"a".repeat(100)), 431),
        (get("/ten.txt", "Content-Length: 4\r\n"), 413),
        ("A".repeat(200), 501),
    ] {
        let mut whole = Driver::with(config.clone());
        assert_eq!(whole.feed(&input).statuses, [status], "{input}");
        let mut bytewise = Driver::with(config.clone());
        for byte in input.bytes() {
            bytewise.feed([byte]);
        }
        assert_eq!(bytewise.output, whole.output, "{input}");
    }
    let many = Config {
        max_fields: 1000,
        ..Config::default()
    };
    assert_eq!(
        Driver::with(many)
            .feed(get("/ten.txt", &"A: b\r\n".repeat(900)))
            .statuses,
        [200]
    );
}
