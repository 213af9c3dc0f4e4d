//! The request line: methods, forms of targets and versions, as raw bytes.

use crate::framing::{SMUGGLED, post};
use crate::support::{End, check, get, request, serve};

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
