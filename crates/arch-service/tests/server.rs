//! The whole server with filters, over sockets. One test after the other: whoever starts a runtime waits until the threads of the
//! process are as many as before.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::time::{Duration, Instant};

use support::Server;

fn main() {
    let tests: [(&str, fn()); 4] = [
        ("a password", who_says_no_password_is_told_that_there_is_one),
        ("a cache", an_answer_is_kept_for_its_time),
        ("a time-out", a_timeout_makes_no_room_where_threads_wait),
        ("a shed", what_is_too_much_is_shed),
    ];
    for (name, test) in tests {
        println!("{name}");
        test();
    }
}

fn who_says_no_password_is_told_that_there_is_one() {
    let server = Server::start(&["--filters", "auth=me:word"]);
    let refused = server.get("/small.txt", "");
    assert!(refused.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    assert!(
        refused.contains("\r\nWWW-Authenticate: Basic realm=\"archbench\", charset=\"UTF-8\"\r\n")
    );
    let known = server.get("/small.txt", "Authorization: Basic bWU6d29yZA==\r\n");
    assert!(known.starts_with("HTTP/1.1 200 OK\r\n") && known.ends_with("\r\n\r\nsmall\n"));
}

/// What is kept is answered with, to whoever asks the same, and for no longer than was said.
fn an_answer_is_kept_for_its_time() {
    let server = Server::start(&["--name-cache", "0", "--filters", "cache=1h"]);
    let first = server.get("/small.txt", "");
    let is_same = |answer: &str| without_date(answer) == without_date(&first);
    server.remove("small.txt");
    assert!(is_same(&server.get("/small.txt", "")));
    assert!(
        server
            .get("/small.txt", "Range: bytes=1-2\r\n")
            .ends_with("\r\n\r\nma")
    );
    assert!(
        server
            .get("/small.txt", "If-None-Match: *\r\n")
            .starts_with("HTTP/1.1 304 ")
    );
    // Another query, another user, and whoever will have none of it.
    for (target, fields) in [
        ("/small.txt?1", ""),
        ("/small.txt", "Authorization: Basic x\r\n"),
        ("/small.txt", "Cookie: a=b\r\n"),
        ("/small.txt", "Cache-Control: max-age=0, No-Cache\r\n"),
    ] {
        let answer = server.get(target, fields);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{target} {fields}");
    }
    // What was not found is not kept, nor what does not lie in memory.
    assert!(server.get("/new.txt", "").starts_with("HTTP/1.1 404 "));
    server.write("new.txt", "new\n");
    assert!(server.get("/new.txt", "").ends_with("new\n"));

    let server = Server::start(&["--name-cache", "0", "--filters", "cache=10ms"]);
    assert!(server.get("/small.txt", "").starts_with("HTTP/1.1 200 "));
    server.remove("small.txt");
    std::thread::sleep(Duration::from_millis(20));
    assert!(server.get("/small.txt", "").starts_with("HTTP/1.1 404 "));
}

/// The only thread that waits for the disk goes on waiting for what has timed out, so that what follows times out as well.
fn a_timeout_makes_no_room_where_threads_wait() {
    let server = Server::start(&[
        "--blocking-threads",
        "1",
        "--slow",
        "/large.bin=1500",
        "--filters",
        "timeout=200ms",
    ]);
    let begun = Instant::now();
    assert!(
        server
            .get("/large.bin", "")
            .starts_with("HTTP/1.1 504 Gateway Timeout\r\n")
    );
    assert!(
        begun.elapsed() < Duration::from_millis(1500),
        "nobody waited for the thread"
    );
    // It is not slow, but its look-up has to wait for that thread.
    let next = server.get("/small.txt", "");
    assert!(next.starts_with("HTTP/1.1 504 ") || begun.elapsed() >= Duration::from_millis(1500));
}

/// Whoever would have to wait for one of the permits is told so at once.
fn what_is_too_much_is_shed() {
    let server = Server::start(&["--slow", "/large.bin=2000", "--filters", "limit=1,shed"]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| until(&server, "/large.bin", "HTTP/1.1 200 OK\r\n"));
        // Whichever of the two comes first, the other is shed.
        let shed = until(
            &server,
            "/small.txt",
            "HTTP/1.1 503 Service Unavailable\r\n",
        );
        assert!(shed.contains("\r\nRetry-After: 1\r\n"), "{shed}");
        first.join().unwrap();
    });
}

/// Asks again until the answer begins so.
fn until(server: &Server, target: &str, begins: &str) -> String {
    let begun = Instant::now();
    loop {
        let answer = server.get(target, "");
        if answer.starts_with(begins) {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{answer}");
    }
}

fn without_date(answer: &str) -> String {
    let lines = answer.lines().filter(|line| !line.starts_with("Date: "));
    lines.collect::<Vec<_>>().join("\n")
}
