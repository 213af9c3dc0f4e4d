//! Keeping and closing connections.

use std::time::Duration;

use rustix::process::Signal;

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::{End, get, last_get};
use crate::site::{MEDIUM, assert_contents};
use crate::table::Fault;

pub(crate) const CASES: &[Case] = &[
    case("opened_and_left_do_no_harm", opened_and_left_do_no_harm),
    case_of_each_behaviour(
        "left_with_requests_leave_them_to_nobody",
        left_with_requests_leave_them_to_nobody,
    ),
    case(
        "an_unread_body_does_not_destroy_the_answer",
        an_unread_body_does_not_destroy_the_answer,
    ),
    case(
        "what_comes_after_the_last_request_does_not_either",
        what_comes_after_the_last_request_does_not_either,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[
    Fault::new(
        "reset_in_mid_answer_harm_nobody_else",
        "a client resets its connection in mid-answer",
        reset_in_mid_answer_harm_nobody_else,
    ),
    Fault::new(
        "half_closed_get_their_answers",
        "a client closes its side after its requests",
        half_closed_get_their_answers,
    ),
];

fn half_closed_get_their_answers(bench: &Bench) -> &'static str {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    client.send(get("/file.txt") + &get("/large.bin") + &get("/nowhere"));
    client.half_close();
    assert_eq!(client.answer().body.len(), 26);
    assert_contents("large.bin", 0, &client.answer().body);
    assert_eq!(client.answer().status, 404);
    assert_eq!(client.read_to_end(), b"");
    "all are answered, then the connection is closed"
}

fn opened_and_left_do_no_harm(bench: &Bench) {
    let server = bench.serve(&[]);
    for number in 0..150 {
        let mut client = server.connect();
        match number % 4 {
            0 => {}
            1 => client.reset(),
            2 => client.send("GET /"),
            _ => {
                client.send(get("/large.bin"));
                client.reset();
            }
        }
    }
    let mut client = server.connect();
    client.send(last_get("/file.txt"));
    assert_eq!(client.answer().body.len(), 26);
    let summary = server.stop();
    assert_eq!(summary["status"]["5xx"], 0);
}

/// Those who come after are answered what they ask, and nothing that others have asked.
fn left_with_requests_leave_them_to_nobody(bench: &Bench) {
    let server = bench.serve(&[]);
    for _ in 0..40 {
        // More than is taken at a time, and answers for which there is no room.
        let mut leaving = crate::client::Client::connect_with_small_buffer(server.address);
        leaving.socket.set_nonblocking(true).unwrap();
        leaving.try_send(get("/kept.bin").repeat(1000));
        std::thread::sleep(Duration::from_millis(5));
        leaving.reset();
        let mut other = server.connect();
        other.send("x");
        other.half_close();
        assert_eq!(other.answer().status, 400);
        assert_eq!(other.read_to_end(), b"");
    }
    assert_eq!(server.stop()["status"]["5xx"], 0);
}

fn reset_in_mid_answer_harm_nobody_else(bench: &Bench) -> &'static str {
    let server = bench.serve(&[]);
    let mut other = bench.room.is_concurrent().then(|| server.connect());
    if let Some(other) = &mut other {
        assert_eq!(other.get("/file.txt").status, 200);
    }
    for _ in 0..5 {
        let mut client = server.connect();
        client.send(get("/large.bin"));
        assert_eq!(client.head().status, 200);
        client.exactly(100_000);
        client.reset();
    }
    let mut other = other.unwrap_or_else(|| server.connect());
    assert_contents("large.bin", 0, &other.get("/large.bin").body);
    drop(other);
    let broken = server.stop()["errors"]["connection_broken"].as_u64();
    assert_eq!(broken, Some(5));
    "that connection ends, and no other"
}

/// The kernel turns a close with input unread into a reset, which makes the client's kernel throw away what it has not
/// delivered yet.
fn an_unread_body_does_not_destroy_the_answer(bench: &Bench) {
    let server = bench.serve(&["--linger-timeout", "5s"]);
    for (request, status) in [
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n",
            405,
        ),
        (
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n",
            413,
        ),
        ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
    ] {
        let mut client = server.connect();
        client.send(request);
        // The body comes when the answer is on its way already.
        std::thread::sleep(Duration::from_millis(30));
        for _ in 0..20 {
            client.send([b'x'; 50_000]);
        }
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (status, true));
        client.half_close();
        assert_eq!(client.ending(), (Vec::new(), End::Closed));
    }
}

/// An empty line, or a request that is not answered any more, while the last answer is under way (RFC 9112, 9.6).
fn what_comes_after_the_last_request_does_not_either(bench: &Bench) {
    // More than the client's kernel takes while it does not read, less than the server's does.
    let plain = get("/medium.bin");
    let old = "GET /medium.bin HTTP/1.0\r\n\r\n";
    for (options, request) in [
        (&[][..], last_get("/medium.bin")),
        (&[], old.into()),
        (&["--keep-alive", "off"], plain.clone()),
        (&["--max-requests-per-connection", "1"], plain.clone()),
    ] {
        let server = bench.serve(options);
        for stray in ["\r\n", &plain] {
            let mut client = server.connect();
            client.send(&request);
            assert!(client.head().closes(), "{request:?}");
            client.send(stray);
            std::thread::sleep(Duration::from_millis(20));
            assert_contents("medium.bin", 0, &client.exactly(MEDIUM as usize));
            assert_eq!(client.ending(), (Vec::new(), End::Closed), "{request:?}");
        }
    }
    // Nobody was told that this answer is the last, and so another request may be on its way. It is answered or not, but
    // what is answered comes whole.
    let server = bench.serve(&[]);
    let mut client = server.connect();
    client.send(&plain);
    assert!(!client.head().closes());
    client.send(&plain);
    server.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(100));
    assert_contents("medium.bin", 0, &client.exactly(MEDIUM as usize));
    let (rest, end) = client.ending();
    assert_eq!(end, End::Closed);
    assert!(
        rest.is_empty() || rest.len() as u64 > MEDIUM,
        "{} bytes of another answer",
        rest.len()
    );
}
