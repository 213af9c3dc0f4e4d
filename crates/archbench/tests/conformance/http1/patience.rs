//! Deadlines: what becomes of a connection when one passes, and which one applies. When it does is the timer's, which is tried on a
//! clock of its own beside it.

use http::Phase;
use meter::Event;

use super::Case;
use super::wire::{Connection, Place};
use crate::site::Site;

pub(crate) const CASES: &[Case] = &[
    ("ends_with_a_dripping_head", ends_with_a_dripping_head),
    ("ends_with_a_dripping_body", ends_with_a_dripping_body),
    ("ends_with_an_idle_connection", ends_with_an_idle_connection),
    (
        "ends_with_a_connection_that_never_speaks",
        ends_with_a_connection_that_never_speaks,
    ),
    ("is_renewed_by_each_request", is_renewed_by_each_request),
    ("for_lingering_ends", for_lingering_ends),
];

/// The deadline passes: one answer, which says that the request is late.
fn assert_late(mut client: Connection<'_>) {
    assert_eq!(client.phase(), Some(Phase::Request));
    assert!(client.is_silent());
    client.expire();
    let answer = client.answer();
    assert!(
        answer.head.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{answer:?}"
    );
    assert!(answer.closes());
    assert_eq!(client.read_to_end(), b"");
    assert_eq!(client.events(), [Event::RequestTimeout]);
}

fn ends_with_a_dripping_head(site: &Site) {
    let place = Place::new(site.root(), &[]);
    for head in [
        "G",
        "GET / HTTP/1.1\r\nHost: h\r\nX: yyy",
        "GET / HTTP/1.1\r\nHost: h\r\n\r",
    ] {
        let mut client = place.connect();
        // Not the first request of its connection.
        assert_eq!(client.get("/file.txt").status, 200);
        client.send_cut(head, 1..head.len());
        assert_late(client);
    }
}

fn ends_with_a_dripping_body(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n");
    for _ in 0..100 {
        client.send("y");
    }
    assert_late(client);
}

fn ends_with_an_idle_connection(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    assert_eq!(client.get("/file.txt").status, 200);
    assert_eq!(client.phase(), Some(Phase::Idle));
    client.expire();
    assert_eq!(client.read_to_end(), b"");
    assert_eq!(client.events(), []);
}

fn ends_with_a_connection_that_never_speaks(site: &Site) {
    let place = Place::new(site.root(), &[]);
    // An empty line before a request is none yet.
    for said in ["", "\r\n"] {
        let mut client = place.connect();
        client.send(said);
        assert_eq!(client.phase(), Some(Phase::Idle), "{said:?}");
        client.expire();
        assert_eq!(client.read_to_end(), b"");
        assert_eq!(client.events(), []);
    }
}

/// Each phase begins anew with each request.
fn is_renewed_by_each_request(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    for number in 0..10 {
        assert_eq!(client.phase(), Some(Phase::Idle), "request {number}");
        client.send("GET /file.txt HT");
        assert_eq!(client.phase(), Some(Phase::Request), "request {number}");
        client.send("TP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.answer().status, 200, "request {number}");
    }
}

fn for_lingering_ends(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    client.send("NONSENSE\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    client.send([b'x'; 100]);
    assert_eq!(client.phase(), Some(Phase::Linger));
    assert!(!client.is_over());
    client.expire();
    assert!(client.is_over(), "it lingers for ever");
    assert_eq!(client.read_to_end(), b"");
}
