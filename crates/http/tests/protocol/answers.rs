//! Answers: heads and bodies, byte for byte.

use std::sync::Arc;

use http::{Config, Connection, Entity, FileState, Scratch};

use crate::support::{DATE, Driver, End, LAST_MODIFIED, NOW, check, get, request, serve};

pub(crate) const ETAG: &str = "\"a-ae1b981bc490a05-ae1b981bc490a06\"";

#[track_caller]
pub(crate) fn golden(input: &str, expected: &str) {
    let expected = expected.replace('\n', "\r\n").replace("\r\n~", "\n");
    let expected = expected.replace("$STAMP", &format!("Server: archbench\r\nDate: {DATE}"));
    let expected = expected.replace(
        "$FILE",
        &format!("Last-Modified: {LAST_MODIFIED}\r\nETag: {ETAG}\r\nAccept-Ranges: bytes"),
    );
    assert_eq!(serve(input).text(), expected);
}

#[test]
fn ok() {
    golden(
        &get("/ten.txt", ""),
        "HTTP/1.1 200 OK\n$STAMP\n$FILE\nContent-Type: text/plain; charset=utf-8\nContent-Length: 10\n\n0123456789",
    );
    golden(
        &request("HEAD", "/ten.txt", ""),
        "HTTP/1.1 200 OK\n$STAMP\n$FILE\nContent-Type: text/plain; charset=utf-8\nContent-Length: 10\n\n",
    );
    golden(
        "GET /ten.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 200 OK\n$STAMP\nConnection: keep-alive\n$FILE\nContent-Type: text/plain; charset=utf-8\nContent-Length: 10\n\n0123456789",
    );
    let empty = serve(get("/empty", ""));
    assert_eq!(empty.answers()[0].field("Content-Length"), Some("0"));
    assert_eq!((&empty.statuses[..], empty.end()), (&[200][..], End::Open));
}

#[test]
fn the_pieces_of_a_large_file_add_up() {
    let whole = serve(get("/big.bin", ""));
    for send in [1, 7, 4096, 99_999] {
        let mut driver = Driver::new();
        driver.send = send;
        driver.feed(get("/big.bin", ""));
        assert!(driver.output == whole.output, "in pieces of {send}");
    }
}

#[test]
fn errors() {
    golden(
        &get("/none", ""),
        "HTTP/1.1 404 Not Found\n$STAMP\nContent-Type: text/plain\nContent-Length: 14\n\n404 Not Found\n~",
    );
    golden(
        &request("HEAD", "/none", ""),
        "HTTP/1.1 404 Not Found\n$STAMP\nContent-Type: text/plain\nContent-Length: 14\n\n",
    );
    golden(
        "GET / HTTP/1.1\r\n\r\n",
        "HTTP/1.1 400 Bad Request\n$STAMP\nConnection: close\nContent-Type: text/plain\nContent-Length: 16\n\n400 Bad Request\n~",
    );
    golden(
        &get("/busy", ""),
        "HTTP/1.1 503 Service Unavailable\n$STAMP\nRetry-After: 1\nContent-Type: text/plain\nContent-Length: 24\n\n\
         503 Service Unavailable\n~",
    );
    check(get("/forbidden", ""), &[403], End::Open);
    check(get("/failed", ""), &[500], End::Open);
}

#[test]
fn errors_of_a_head_request_have_no_body() {
    for input in [
        "HEAD / HTTP/1.1\r\n\r\n",
        "HEAD / HTTP/1.1\nHost: h\r\n",
        "\r\nHEAD / HTTP/1.1\n",
        "HEAD / HTTP/2.0\r\n",
        "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx",
        &format!("HEAD /{}", "a".repeat(9000)),
    ] {
        let driver = serve(input);
        assert_eq!(driver.statuses.len(), 1, "{input}");
        assert!(
            driver.text().ends_with("\r\n\r\n"),
            "{input}: {}",
            driver.text()
        );
        check(input, &driver.statuses, End::Linger);
    }
    let text = serve("HEAD / HTT").expire().text();
    assert!(
        text.starts_with("HTTP/1.1 408") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
}

#[test]
fn paths() {
    for target in ["/%00", "/a%2Fb", "/%2f", "/%", "/%4", "/%zz", "/a#b"] {
        check(get(target, ""), &[400], End::Open);
    }
    for target in [
        "/..",
        "/../ten.txt",
        "/%2e%2e/ten.txt",
        "/dir/../../ten.txt",
        "/.%2E/",
    ] {
        check(get(target, ""), &[404], End::Open);
    }
    for target in [
        "/te%6e.txt",
        "//ten.txt",
        "/./ten.txt",
        "/a/../ten.txt",
        "/ten.txt?..",
        "/dir/",
        "/dir/.",
        "/dir/a/..",
    ] {
        check(get(target, ""), &[200], End::Open);
    }
    check(get("/a b", ""), &[400], End::Linger);
    check(get("/a\x01b", ""), &[400], End::Linger);
    check(get("/a\x7fb", ""), &[400], End::Linger);
}

#[test]
fn redirects() {
    for (target, location) in [
        ("/dir", "/dir/"),
        ("//dir", "/dir/"),
        ("///h/..//dir?q=1", "/dir/?q=1"),
        ("http://other/dir", "/dir/"),
        ("/a%20b/%E4", "/a%20b/%E4/"),
        ("/a:b%25?\"<%20>", "/a:b%25/?%22%3C%20%3E"),
    ] {
        let driver = serve(get(target, ""));
        let answer = &driver.answers()[0];
        assert_eq!(
            (answer.status, answer.field("Location")),
            (301, Some(location))
        );
        assert_eq!(answer.body, b"301 Moved Permanently\n");
    }
}

#[test]
fn conditional() {
    golden(
        &get("/ten.txt", &format!("If-None-Match: {ETAG}\r\n")),
        &format!("HTTP/1.1 304 Not Modified\n$STAMP\nETag: {ETAG}\n\n"),
    );
    check(
        get(
            "/ten.txt",
            &format!("If-Modified-Since: {LAST_MODIFIED}\r\n"),
        ),
        &[304],
        End::Open,
    );
    check(
        request(
            "HEAD",
            "/ten.txt",
            &format!("If-Modified-Since: {LAST_MODIFIED}\r\n"),
        ),
        &[304],
        End::Open,
    );
    check(get("/empty", "If-None-Match: *\r\n"), &[304], End::Open);
    check(get("/ten.txt", "If-Match: \"x\"\r\n"), &[412], End::Open);
    check(
        get(
            "/ten.txt",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n",
        ),
        &[412],
        End::Open,
    );
    // Preconditions are for what would otherwise succeed (RFC 9110, 13.2.1).
    check(get("/none", "If-Match: \"x\"\r\n"), &[404], End::Open);
    check(get("/dir", "If-None-Match: *\r\n"), &[301], End::Open);
    check(
        request("OPTIONS", "/ten.txt", "If-Match: \"x\"\r\n"),
        &[204],
        End::Open,
    );
    check(
        request("POST", "/ten.txt", "If-Match: \"x\"\r\n"),
        &[405],
        End::Open,
    );
}

#[test]
fn the_clock() {
    let input = get("/x", "");
    let head = |now: Option<u64>, mtime: i64| {
        let mut scratch = Scratch::new(Arc::new(Config::default()));
        if let Some(now) = now {
            scratch.set_time(now);
        }
        let mut connection = Connection::new();
        connection.receive(input.as_bytes(), &mut scratch);
        connection.found(
            Ok(&Entity::new(
                b"x",
                FileState {
                    modified: (mtime, 0),
                    ..FileState::default()
                },
            )),
            &mut scratch,
        );
        String::from_utf8(scratch.out).unwrap()
    };
    assert!(!head(None, 0).contains("Date: "));
    assert!(!head(Some(u64::MAX), 0).contains("Date: "));
    assert!(head(Some(NOW), 0).contains(&format!(
        "\r\nDate: {DATE}\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\nETag: "
    )));
    assert!(
        head(Some(NOW), i64::try_from(NOW).unwrap() + 1)
            .contains(&format!("\r\nLast-Modified: {DATE}\r\nETag: "))
    );
    assert!(!head(Some(NOW), -1).contains("Last-Modified"));
}
