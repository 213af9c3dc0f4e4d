//! Framing and heads: each row of the protocol's table, as raw bytes.

mod support;

use http::Config;
use support::{Driver, End, check, get, request, serve};

/// What follows must never be taken for a request.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

#[track_caller]
fn post(fields: &str, body: &str, statuses: &[u16], end: End) {
    check(request("POST", "/", fields) + body, statuses, end);
}

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
fn transfer_encoding_and_content_length() {
    for fields in [
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: x\r\n",
        "Transfer-Encoding: chunked, x\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: ,chunked\r\n",
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding: chunked;a=b\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: x chunked\r\n",
        "Transfer-Encoding: chunked\u{c}\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
    ] {
        post(fields, "0\r\n\r\n", &[400], End::Linger);
        check(get("/", fields), &[400], End::Linger);
    }
    check(
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
        End::Linger,
    );
}

/// Nobody can tell where such a body ends (RFC 9112, 6.3).
#[test]
fn a_last_transfer_coding_that_is_not_chunked() {
    for fields in [
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, deflate\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip;q=1\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: deflate\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
    ] {
        post(fields, "", &[400], End::Linger);
        check(get("/ten.txt", fields), &[400], End::Linger);
        check(request("BREW", "/", fields), &[400], End::Linger);
    }
}

#[test]
fn unknown_transfer_coding() {
    for fields in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip;q=1, Chunked\r\n",
        "Transfer-Encoding: gzip, deflate, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    ] {
        post(fields, "", &[501], End::Linger);
        check(get("/ten.txt", fields), &[501], End::Linger);
    }
    post(
        "transfer-encoding: \t CHUNKED \t\r\n",
        "0\r\n\r\n",
        &[405],
        End::Open,
    );
}

#[test]
fn content_length() {
    for value in [
        "+5",
        "-1",
        "0x5",
        "",
        "18446744073709551616",
        "99999999999999999999999",
        "5, 6",
        "5,",
        "5 5",
        "5.0",
        "5;",
        "a",
        "\"5\"",
    ] {
        post(
            &format!("Content-Length: {value}\r\n"),
            "hello",
            &[400],
            End::Linger,
        );
    }
    post(
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "hello!",
        &[400],
        End::Linger,
    );
    post(
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "hello",
        &[405],
        End::Open,
    );
    post("Content-Length: 5, 5\r\n", "hello", &[405], End::Open);
    post("Content-Length: 005\r\n", "hello", &[405], End::Open);
}

#[test]
fn broken_chunks() {
    for body in [
        "x\r\n",
        "-1\r\n",
        "5\nhello",
        "5\r\nhelloo\r\n",
        "5\r\nhello\r\n\r\n",
        "5 \r\nhello\r\n",
        "0\r\nno colon\r\n\r\n",
        "5;\r\nhello\r\n",
        "5;a=\"b\r\nhello\r\n",
        "5;[\r\nhello\r\n",
    ] {
        post("Transfer-Encoding: chunked\r\n", body, &[400], End::Linger);
        check(
            get("/ten.txt", "Transfer-Encoding: chunked\r\n") + body,
            &[400],
            End::Linger,
        );
    }
    let absurd = format!("5;{}\r\nhello\r\n0\r\n\r\n", "e".repeat(10_000));
    post(
        "Transfer-Encoding: chunked\r\n",
        &absurd,
        &[400],
        End::Linger,
    );
}

#[test]
fn a_body_on_get_is_dropped_and_never_parsed() {
    for method in ["GET", "HEAD"] {
        let body = format!("Content-Length: {}\r\n", SMUGGLED.len());
        check(
            request(method, "/ten.txt", &body) + SMUGGLED + &get("/none", ""),
            &[200, 404],
            End::Open,
        );
        let chunked = format!(
            "{:x};x=y\r\n{SMUGGLED}\r\n0\r\nA: b\r\n\r\n",
            SMUGGLED.len()
        );
        let head = request(method, "/ten.txt", "Transfer-Encoding: chunked\r\n");
        check(head + &chunked + &get("/none", ""), &[200, 404], End::Open);
    }
    let most = "x".repeat(64 << 10);
    let head = get("/ten.txt", "Content-Length: 65536\r\n");
    assert_eq!(serve(head + &most + &get("/", "")).statuses, [200, 200]);
    let head = get("/ten.txt", "Transfer-Encoding: chunked\r\n");
    assert_eq!(
        serve(head + "10000\r\n" + &most + "\r\n0\r\n\r\n").statuses,
        [200]
    );
}

#[test]
fn a_body_over_the_bound() {
    check(
        get("/ten.txt", "Content-Length: 65537\r\n") + SMUGGLED,
        &[413],
        End::Linger,
    );
    check(
        get("/ten.txt", "Content-Length: 18446744073709551615\r\n"),
        &[413],
        End::Linger,
    );
    check(get("/..", "Content-Length: 65537\r\n"), &[413], End::Linger);
    check(
        get("/ten.txt", "Transfer-Encoding: chunked\r\n") + "10001\r\n" + SMUGGLED,
        &[413],
        End::Linger,
    );
    check(
        request("OPTIONS", "*", "Content-Length: 65537\r\n"),
        &[413],
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
fn absolute_form() {
    check(get("http://other/ten.txt", ""), &[200], End::Open);
    check(get("HTTP://other:80", ""), &[200], End::Open);
    check("GET http://other/ HTTP/1.1\r\n\r\n", &[400], End::Linger);
    check(
        "GET http://other/ HTTP/1.1\r\nHost: a,b\r\n\r\n",
        &[400],
        End::Linger,
    );
    check(get("http://u@h/", ""), &[400], End::Linger);
    check(get("http:///ten.txt", ""), &[400], End::Linger);
    check(get("http://[::1]:80/ten.txt", ""), &[200], End::Open);
    check(get("http://[::g]/ten.txt", ""), &[400], End::Linger);
}

#[test]
fn options() {
    for target in ["*", "/x", "/none", "http://h", "/ten.txt?q"] {
        check(request("OPTIONS", target, ""), &[204], End::Open);
    }
    let text = serve(request("OPTIONS", "*", "")).text();
    assert!(
        text.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n") && !text.contains("Content-Length"),
        "{text}"
    );
    check(request("OPTIONS", "/%00", ""), &[400], End::Open);
    check(request("OPTIONS", "h:80", ""), &[400], End::Linger);
}

#[test]
fn forms_for_other_methods() {
    for target in ["*", "h:80", "h", "ten.txt", "?"] {
        check(get(target, ""), &[400], End::Linger);
        check(request("HEAD", target, ""), &[400], End::Linger);
    }
    check(request("CONNECT", "h:80", ""), &[405], End::Open);
}

#[test]
fn methods() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"] {
        let driver = serve(request(method, "/ten.txt", ""));
        assert_eq!(
            (&driver.statuses[..], driver.end()),
            (&[405][..], End::Open)
        );
        assert_eq!(
            driver.answers()[0].field("Allow"),
            Some("GET, HEAD, OPTIONS")
        );
    }
    post("Content-Length: 35\r\n", SMUGGLED, &[405], End::Open);
    post("Content-Length: 65537\r\n", SMUGGLED, &[405], End::Linger);
    post(
        "Transfer-Encoding: chunked\r\n",
        "10001\r\n",
        &[405],
        End::Linger,
    );
    for method in [
        "FOO",
        "get",
        "Get",
        "GETT",
        "G",
        "PROPFIND",
        "!",
        &"A".repeat(100),
    ] {
        check(request(method, "/", ""), &[501], End::Linger);
    }
    for line in [
        "G(T / HTTP/1.1",
        " GET / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
    ] {
        check(format!("{line}\r\nHost: h\r\n\r\n"), &[400], End::Linger);
    }
}

#[test]
fn versions() {
    for line in [
        "GET /",
        "GET / ",
        "GET / HTTP/1",
        "GET / http/1.1",
        "GET / HTTP/01.1",
        "GET / HTTP/1.01",
        "GET / HTTP/1.1 ",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / a HTTP/1.1",
        "GET / HTTP/0.9",
        "GET / HTTP/a.1",
        "GET / HTTP/+.1",
        "GET / HTTP/1,1",
        "GET / HTCPCP/1.1",
        "GET HTTP/1.1",
        "GET",
        "garbage",
        "GET / HTTP/2",
    ] {
        check(format!("{line}\r\nHost: h\r\n\r\n"), &[400], End::Linger);
    }
    check("\x16\x03\x01\x02\0\x01\0\x01", &[400], End::Linger);
    check("GET / HTTP/1.2\r\nHost: h\r\n\r\n", &[200], End::Open);
    check("GET / HTTP/1.9\r\nHost: h\r\n\r\n", &[200], End::Open);
    check("GET / HTTP/2.0\r\nHost: h\r\n\r\n", &[505], End::Linger);
    check("GET / HTTP/3.1\r\nHost: h\r\n\r\n", &[505], End::Linger);
    check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[505], End::Linger);
}

#[test]
fn http_1_0() {
    check("GET /ten.txt HTTP/1.0\r\n\r\n", &[200], End::Linger);
    check("GET /none HTTP/1.0\r\n\r\n", &[404], End::Linger);
    let driver = serve("GET /ten.txt HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n");
    assert_eq!(driver.end(), End::Open);
    assert_eq!(driver.answers()[0].field("Connection"), Some("keep-alive"));
    check(
        "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        &[200],
        End::Linger,
    );
}

#[test]
fn connection_options() {
    for fields in [
        "Connection: close\r\n",
        "connection: a, CLOSE\r\n",
        "Connection: keep-alive\r\nConnection: close\r\n",
    ] {
        let driver = serve(get("/ten.txt", fields));
        assert_eq!(driver.end(), End::Linger);
        assert_eq!(driver.answers()[0].field("Connection"), Some("close"));
    }
    for fields in [
        "",
        "Connection: keep-alive\r\n",
        "Connection: closed\r\n",
        "Connection:\r\n",
        "Connection: ,,\r\n",
    ] {
        let driver = serve(get("/ten.txt", fields));
        assert_eq!(driver.end(), End::Open);
        assert_eq!(driver.answers()[0].field("Connection"), None);
    }
    let driver = serve(get("/", "Connection: close\r\n") + SMUGGLED);
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[200][..], End::Linger)
    );
}

#[test]
fn expectations() {
    check(
        get("/ten.txt", "Expect: 100-continue\r\n"),
        &[200],
        End::Open,
    );
    check(
        get("/ten.txt", "Expect: 100-CONTINUE\r\nExpect: ,\r\n"),
        &[200],
        End::Open,
    );
    check(
        request("POST", "/", "Expect: 100-continue\r\n"),
        &[405],
        End::Open,
    );
    for fields in [
        "Expect: x\r\n",
        "Expect: 100-continue, x\r\n",
        "Expect: x\r\nExpect: 100-continue\r\n",
        "Expect: 100-continue;a\r\n",
    ] {
        check(get("/ten.txt", fields), &[417], End::Open);
    }
    // With a body announced, nobody can tell whether it will come: the final status at once, and
    // then nothing more.
    check(
        get("/ten.txt", "Expect: 100-continue\r\nContent-Length: 5\r\n"),
        &[200],
        End::Linger,
    );
    check(
        request("PUT", "/", "Expect: 100-continue\r\nContent-Length: 5\r\n"),
        &[405],
        End::Linger,
    );
    check(
        "GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        &[200],
        End::Linger,
    );
}

#[test]
fn long_targets() {
    let longest = format!("/{}", "a".repeat((8 << 10) - 1));
    check(get(&longest, ""), &[404], End::Open);
    check(get(&(longest.clone() + "a"), ""), &[414], End::Linger);
    check(
        get(&format!("/?{}", "a".repeat(8 << 10)), ""),
        &[414],
        End::Linger,
    );
    check(get(&"/a".repeat(50_000), ""), &[414], End::Linger);
    check(format!("GET /{}", "a".repeat(9000)), &[414], End::Linger);
    check("\x01".repeat(9000), &[400], End::Linger);
}

/// The target was not reached, so it cannot be the one that is too long (RFC 9112, 3).
#[test]
fn long_methods() {
    let line = 8300;
    for (method, status) in [
        ("A".repeat(line), 501),
        ("get".repeat(line), 501),
        ("A".repeat(100_000), 501),
        ("A".repeat(line) + "(", 501),
        ("A".repeat(100) + "(" + &"A".repeat(line), 400),
        ("A".repeat(100) + "\n", 400),
        ("GET\t".repeat(line), 400),
    ] {
        check(request(&method, "/", ""), &[status], End::Linger);
        check(&method, &[status], End::Linger);
    }
    check(format!("\r\n{}", "A".repeat(line)), &[501], End::Linger);
    // The method ends within the limit, and leaves no room for a target that need not be too long.
    for method in ["A".repeat(100), "A".repeat(8000), "A".repeat(8192)] {
        check(request(&method, &"/".repeat(9000), ""), &[501], End::Linger);
        check(request(&method, "/", ""), &[501], End::Linger);
    }
    check(get(&"/".repeat(9000), ""), &[414], End::Linger);
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

#[test]
fn pipelining() {
    let hundred = get("/ten.txt", "").repeat(100);
    let mut driver = serve(&hundred);
    assert_eq!(
        (&driver.statuses[..], driver.end()),
        (&[200; 100][..], End::Open)
    );
    assert!(
        driver
            .answers()
            .iter()
            .all(|answer| answer.body == b"0123456789")
    );
    driver.feed(get("/none", ""));
    assert_eq!(driver.statuses.last(), Some(&404));
    check(
        get("/ten.txt", "") + &request("HEAD", "/big.bin", "") + &get("/none", "") + "\x01",
        &[200, 200, 404, 400],
        End::Linger,
    );
}

#[test]
fn one_request_is_taken_at_a_time() {
    let mut driver = Driver::new();
    let first = get("/ten.txt", "");
    let input = first.clone() + &get("/none", "");
    assert_eq!(
        driver
            .connection
            .receive(input.as_bytes(), &mut driver.scratch),
        first.len()
    );
    assert_eq!(driver.connection.want(), http::Want::Find);
    assert_eq!(driver.connection.receive(b"more", &mut driver.scratch), 0);
}
