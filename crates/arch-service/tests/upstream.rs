//! The reverse proxy, before servers that are played byte by byte. One test after the other, as in `server`.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod faults;
mod played;
#[allow(dead_code, reason = "other tests ask for more")]
mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use faults::Outcome::{Page, Short, Whole};
use faults::{CHUNKED, OK, TABLE};
use played::Do::{Close, Keep, Pause, Say};
use played::{Do, Played, Told};
use support::Server;

fn main() {
    let tests: [(&str, fn()); 11] = [
        (
            "whatever the other server does",
            whatever_the_other_server_does,
        ),
        (
            "what is about a connection",
            what_is_about_a_connection_is_not_passed_on,
        ),
        ("heads without bodies", heads_without_bodies_are_passed_on),
        ("clients of all kinds", clients_of_all_kinds_are_answered),
        ("connections", connections_are_kept_and_replaced),
        ("down at the start", it_may_be_down_at_the_start),
        ("a slow client", a_slow_client_stops_the_other_server),
        (
            "a client that leaves",
            a_client_that_leaves_ends_what_was_for_it,
        ),
        ("a cache", what_may_be_kept_is_asked_for_once),
        ("repetitions", what_fails_is_repeated_or_left_alone),
        ("a hedge", what_is_late_is_asked_for_twice),
    ];
    for (name, test) in tests {
        println!("{name}");
        test();
    }
}

fn get(server: &Server) -> Told {
    Told::of(&server.exchange(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
}

fn before(played: &Played, own: &[&str]) -> Server {
    let url = played.url();
    Server::start(&[&["--upstream", &url], own].concat())
}

fn whatever_the_other_server_does() {
    for &(what, actions, outcome) in TABLE {
        let played = Played::start(Box::leak(Box::new([actions])));
        let server = before(&played, &["--upstream-timeout", "800ms"]);
        let told = get(&server);
        println!("  {what}: {} {:?}", told.status, told.body);
        match outcome {
            Whole(status, body) => {
                assert_eq!((told.status, &*told.body), (status, body), "{what}");
                assert!(told.is_whole, "{what}");
            }
            Page(status) => {
                assert_eq!(told.status, status, "{what}");
                assert!(
                    told.is_whole && told.body.starts_with(&status.to_string()),
                    "{what}"
                );
            }
            Short(status, body) => {
                assert_eq!((told.status, &*told.body), (status, body), "{what}");
                assert!(!told.is_whole, "{what} passes for whole");
            }
        }
        assert_eq!(played.requests().len(), 1, "{what}");
    }
}

fn what_is_about_a_connection_is_not_passed_on() {
    let played = Played::start(&[&[Say(
        "HTTP/1.1 200 Fine\r\nConnection: keep-alive, x-hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-Own: 2\r\nServer: theirs\r\n\
         Content-Length: 2\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\nhi",
    )]]);
    let server = before(&played, &[]);
    let answer = server.send(
        b"GET /d/%41%20/../b?x=%20&y HTTP/1.1\r\nHost: outside\r\nConnection: close, x-mine\r\nX-Mine: 1\r\nX-Theirs: 2\r\nTE: trailers\r\n\
          Content-Length: 3\r\nExpect-Not: 1\r\nIf-None-Match: \"a\"\r\nRange: bytes=0-\r\n\r\nabc",
    );
    assert_eq!(
        played.requests(),
        [format!(
            "GET /d/b?x=%20&y HTTP/1.1\r\nHost: {}\r\nX-Theirs: 2\r\nExpect-Not: 1\r\nIf-None-Match: \"a\"\r\nRange: bytes=0-\r\n\
             Via: 1.1 archbench\r\n\r\n",
            played.address
        )]
    );
    let lines: Vec<_> = answer
        .lines()
        .filter(|line| !line.starts_with("Date: "))
        .collect();
    assert_eq!(
        lines,
        [
            "HTTP/1.1 200 Fine",
            "X-Own: 2",
            "Server: theirs",
            "Set-Cookie: a=b",
            "Set-Cookie: c=d",
            "Connection: close",
            "Content-Length: 2",
            "",
            "hi"
        ]
    );
}

fn heads_without_bodies_are_passed_on() {
    let played = Played::start(&[
        &[Say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")],
        &[Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")],
        &[Say(
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: \"a\"\r\n\r\n",
        )],
        &[Say("HTTP/1.1 204 No Content\r\n\r\n")],
    ]);
    let server = before(&played, &[]);
    let head = b"HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let of_length = server.send(head);
    assert!(
        of_length.ends_with("\r\nContent-Length: 1000\r\n\r\n"),
        "{of_length}"
    );
    let of_chunks = server.send(head);
    assert!(!of_chunks.contains("Transfer-Encoding") && of_chunks.ends_with("\r\n\r\n"));
    let told = server.get("/a", "");
    assert!(told.starts_with("HTTP/1.1 304 ") && told.ends_with("\r\nContent-Length: 7\r\n\r\n"));
    let told = server.get("/a", "");
    assert!(
        told.starts_with("HTTP/1.1 204 ") && told.ends_with("close\r\n\r\n"),
        "{told}"
    );
    assert_eq!(played.connections(), 1);
    // What is no GET or HEAD is answered here.
    let other = server.send(b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(other.starts_with("HTTP/1.1 405 "));
    assert_eq!(played.requests().len(), 4);
}

fn clients_of_all_kinds_are_answered() {
    let played = Played::start(&[&[
        Say(CHUNKED),
        Pause(20),
        Say("5\r\nhello\r\n"),
        Pause(20),
        Say("0\r\n\r\n"),
    ]]);
    let server = before(&played, &[]);
    // Several requests at once are answered in order.
    let one = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    let last = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let told = server.send(format!("{one}{one}{last}").as_bytes());
    assert_eq!(
        told.matches("\r\n\r\n5\r\nhello\r\n0\r\n\r\n").count(),
        3,
        "{told}"
    );
    // One of HTTP/1.0 knows no chunks.
    let told = server.send(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(
        told.contains("\r\nConnection: close\r\n") && told.ends_with("\r\n\r\nhello"),
        "{told}"
    );
}

fn connections_are_kept_and_replaced() {
    const HI: &[Do] = &[Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")];
    let played = Played::start(&[HI]);
    let server = before(&played, &[]);
    for _ in 0..20 {
        assert_eq!(get(&server).body, "hi");
    }
    assert_eq!(played.connections(), 1);
    // It ends a connection that was to be kept: the request is asked again, over a new one.
    let ends: &[&[Do]] = &[
        HI,
        &[Close],
        HI,
        &[
            Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
            Pause(30),
            Close,
        ],
        HI,
        &[Say(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        )],
        HI,
        &[Say(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more",
        )],
        HI,
    ];
    let played = Played::start(Box::leak(Box::new(ends.to_vec())));
    let server = before(&played, &[]);
    for number in 0..8 {
        assert_eq!(get(&server).body, "hi", "{number}");
        std::thread::sleep(Duration::from_millis(60));
    }
    assert_eq!(played.connections(), 5);
}

fn it_may_be_down_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Server::start(&["--upstream", &format!("http://{address}/")]);
    for _ in 0..3 {
        assert_eq!(get(&server).status, 502);
    }
    let played = Played::at(TcpListener::bind(address).unwrap(), |stream| {
        stream.write_all(OK.as_bytes()).unwrap();
        stream.write_all(b"hello").is_ok()
    });
    assert_eq!(get(&server).body, "hello");
    assert_eq!(played.connections(), 1);
}

const LARGE: usize = 64 << 20;

fn a_slow_client_stops_the_other_server() {
    let said = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&said);
    let played = Played::acting(move |stream| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let piece = [b'x'; 64 << 10];
        (0..LARGE / piece.len()).all(|_| {
            counted.fetch_add(piece.len(), SeqCst);
            stream.write_all(&piece).is_ok()
        })
    });
    let server = before(&played, &[]);
    let mut client = TcpStream::connect(server.address).unwrap();
    client
        .write_all(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .unwrap();
    // Until it gets no further: what sockets hold of it is a few megabytes.
    let mut before = 0;
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = said.load(SeqCst);
        if now > 0 && now == before {
            break;
        }
        before = now;
    }
    assert!(before < LARGE / 2, "{before} bytes are somewhere");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    let body = answer.len()
        - (answer
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .unwrap()
            + 4);
    assert_eq!(body, LARGE);
}

fn a_client_that_leaves_ends_what_was_for_it() {
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    let played = Played::acting(move |stream| {
        stream.write_all(CHUNKED.as_bytes()).unwrap();
        while stream.write_all(b"5\r\nhello\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        told.store(true, SeqCst);
        false
    });
    let server = before(&played, &[]);
    let mut client = TcpStream::connect(server.address).unwrap();
    client
        .write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    client.read_exact(&mut [0; 200]).unwrap();
    drop(client);
    let begun = Instant::now();
    while !ended.load(SeqCst) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it is asked for more and more"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn what_may_be_kept_is_asked_for_once() {
    for (fields, asked) in [
        ("", 1),
        ("Cache-Control: max-age=60\r\nAge: 100\r\n", 1),
        ("Cache-Control: Private\r\n", 2),
        ("Cache-Control: max-age=1, no-store\r\n", 2),
        ("Set-Cookie: a=b\r\n", 2),
        ("Vary: Accept\r\n", 2),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 5\r\n\r\n").leak();
        let part: &'static [Do] = Box::leak(Box::new([Say(head), Pause(30), Say("hello")]));
        let played = Played::start(Box::leak(Box::new([part])));
        let server = before(&played, &["--filters", "cache=1h"]);
        let (first, second) = (get(&server), get(&server));
        assert_eq!(
            (&*first.body, &*second.body),
            ("hello", "hello"),
            "{fields}"
        );
        assert_eq!(played.requests().len(), asked, "{fields}");
        if asked == 1 {
            let age = if fields.contains("Age: 100") {
                "\r\nAge: 100\r\n"
            } else {
                "\r\nAge: 0\r\n"
            };
            assert!(second.head.contains(age), "{}", second.head);
            // A part of it is asked for anew, and HEAD needs none.
            assert!(server.get("/a", "Range: bytes=0-1\r\n").ends_with("hello"));
            assert_eq!(played.requests().len(), 2);
            let head = server.send(b"HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assert!(head.ends_with("\r\nContent-Length: 5\r\n\r\n"), "{head}");
            assert_eq!(played.requests().len(), 2);
        }
    }
    // What breaks off is not kept, nor taken for whole.
    let played = Played::start(&[
        &[Say(OK), Say("he"), Pause(30), Close],
        &[Say(OK), Say("hello")],
    ]);
    let server = before(&played, &["--filters", "cache=1h"]);
    assert!(!get(&server).is_whole);
    assert_eq!(get(&server).body, "hello");
}

fn what_fails_is_repeated_or_left_alone() {
    let played = Played::start(&[
        &[Close],
        &[Say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")],
        &[Say(OK), Say("hello")],
    ]);
    let server = before(&played, &["--filters", "retry=2"]);
    assert_eq!(get(&server).body, "hello");
    assert_eq!(played.requests().len(), 3);

    let played = Played::start(&[&[Close]]);
    let server = before(&played, &["--filters", "fail-fast=1h"]);
    assert_eq!(get(&server).status, 502);
    for _ in 0..3 {
        assert_eq!(get(&server).status, 503);
    }
    assert_eq!(played.requests().len(), 1);
}

fn what_is_late_is_asked_for_twice() {
    let played = Played::start(&[&[Keep], &[Say(OK), Say("hello")]]);
    let server = before(&played, &["--filters", "hedge=30ms"]);
    assert_eq!(get(&server).body, "hello");
    assert_eq!((played.requests().len(), played.connections()), (2, 2));
}
