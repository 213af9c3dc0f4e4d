//! Keeping, closing, half-closing, limits.

use super::Case;
use super::wire::Place;
use crate::client::get;
use crate::site::{LARGE, Site, assert_contents};

pub(crate) const CASES: &[Case] = &[
    ("are_kept", are_kept),
    ("are_not_kept_when_told_so", are_not_kept_when_told_so),
    (
        "carry_so_many_requests_and_no_more",
        carry_so_many_requests_and_no_more,
    ),
    ("of_http_1_0", of_http_1_0),
    (
        "half_closed_get_their_answers",
        half_closed_get_their_answers,
    ),
    ("half_closed_within_a_request", half_closed_within_a_request),
];

fn are_kept(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    for number in 0..200 {
        let answer = client.get("/file.txt");
        assert_eq!(
            (answer.status, answer.closes()),
            (200, false),
            "answer {number}"
        );
    }
    client.send("HEAD /large.bin HTTP/1.1\r\nHost: h\r\n\r\n");
    let head = client.head();
    assert_eq!((head.status, head.content_length()), (200, LARGE as usize));
    // If a body followed, it would be taken for the head of the next answer.
    assert_eq!(client.get("/again.txt").body, b"again\n");
    assert!(client.is_silent());
}

fn are_not_kept_when_told_so(site: &Site) {
    let place = Place::new(site.root(), &["--keep-alive", "off"]);
    for request in [
        get("/file.txt"),
        "GET /file.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".into(),
        // What was sent along is not answered.
        get("/file.txt").repeat(50),
    ] {
        let mut client = place.connect();
        client.send(request);
        let answer = client.answer();
        assert_eq!((answer.body.len(), answer.closes()), (26, true));
        assert_eq!(client.read_to_end(), b"");
    }
}

fn carry_so_many_requests_and_no_more(site: &Site) {
    let place = Place::new(site.root(), &["--max-requests-per-connection", "3"]);
    let mut client = place.connect();
    client.send(get("/file.txt").repeat(10));
    for last in [false, false, true] {
        assert_eq!(client.answer().closes(), last);
    }
    assert_eq!(client.read_to_end(), b"");
    let mut client = place.connect();
    for last in [false, false, true] {
        assert_eq!(client.get("/nowhere").closes(), last);
    }
    assert_eq!(client.read_to_end(), b"");
}

fn of_http_1_0(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    client.send("GET /file.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.answer().field("connection"), Some("keep-alive"));
    client.send("GET /file.txt HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (200, true));
    assert_eq!(client.read_to_end(), b"");
}

fn half_closed_get_their_answers(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    client.send(get("/file.txt") + &get("/large.bin") + &get("/nowhere"));
    client.half_close();
    assert_eq!(client.answer().body.len(), 26);
    assert_contents("large.bin", 0, &client.answer().body);
    assert_eq!(client.answer().status, 404);
    assert_eq!(client.read_to_end(), b"");
}

fn half_closed_within_a_request(site: &Site) {
    let place = Place::new(site.root(), &[]);
    for cut in [
        "GET /file.txt HT",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc",
    ] {
        let mut client = place.connect();
        client.send(get("/file.txt") + cut);
        client.half_close();
        assert_eq!(client.answer().status, 200);
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (400, true), "{cut:?}");
        assert_eq!(client.read_to_end(), b"");
    }
    let mut silent = place.connect();
    silent.half_close();
    assert_eq!(silent.read_to_end(), b"");
}
