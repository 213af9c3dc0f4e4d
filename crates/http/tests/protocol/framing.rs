//! Framing: how long a body is, each row of the protocol's table as raw bytes.

use crate::support::{End, check, get, request, serve};

/// What follows must never be taken for a request.
pub(crate) const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

#[track_caller]
pub(crate) fn post(fields: &str, body: &str, statuses: &[u16], end: End) {
    check(request("POST", "/", fields) + body, statuses, end);
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
