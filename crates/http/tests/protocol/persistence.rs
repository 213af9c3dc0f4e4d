//! Whether a connection is kept, and what is on it one after the other.

use crate::framing::SMUGGLED;
use crate::support::{Driver, End, check, get, request, serve};

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
