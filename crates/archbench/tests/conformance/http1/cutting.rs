//! Requests that come in pieces, or many at once.

use super::Case;
use super::wire::Place;
use crate::client::get;
use crate::site::{KEPT, Site, assert_contents};

pub(crate) const CASES: &[Case] = &[
    ("a_byte_at_a_time", a_byte_at_a_time),
    ("any_cut_in_two", any_cut_in_two),
    ("a_hundred_in_one_packet", a_hundred_in_one_packet),
    ("pipelined_and_cut_anywhere", pipelined_and_cut_anywhere),
];

fn a_byte_at_a_time(site: &Site) {
    let place = Place::new(site.root(), &[]);
    for (request, status) in [
        ("GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n", 200),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
            405,
        ),
        ("GET /nowhere HTTP/1.0\r\n\r\n", 404),
    ] {
        let mut client = place.connect();
        client.send_cut(request, 1..request.len());
        assert_eq!(client.answer().status, status, "{request:?}");
    }
}

fn any_cut_in_two(site: &Site) {
    let place = Place::new(site.root(), &[]);
    for request in [
        "GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n",
        "\r\nGET /dir HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n",
        "GET /file.txt HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: v\r\n\r\n",
    ] {
        let mut client = place.connect();
        client.send(request);
        let whole = client.answer();
        for cut in 1..request.len() {
            client.send_cut(request, [cut]);
            assert_eq!(client.answer(), whole, "cut at {cut}: {request:?}");
        }
    }
}

fn a_hundred_in_one_packet(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    let kinds = [
        ("/file.txt", 200, 26),
        ("/nowhere", 404, 14),
        ("/dir", 301, 22),
        ("/kept.bin", 200, KEPT as usize),
        ("/empty.txt", 200, 0),
    ];
    let requests = kinds.iter().cycle().take(100);
    client.send(
        requests
            .clone()
            .map(|(path, ..)| get(path))
            .collect::<String>(),
    );
    for (number, (path, status, length)) in requests.enumerate() {
        let answer = client.answer();
        let found = (answer.status, answer.body.len());
        assert_eq!(found, (*status, *length), "answer {number}");
        if *path == "/kept.bin" {
            assert_contents("kept.bin", 0, &answer.body);
        }
    }
    assert_eq!(client.get("/again.txt").body, b"again\n");
}

fn pipelined_and_cut_anywhere(site: &Site) {
    let requests: String = (0..60).map(|_| get("/file.txt") + &get("/dir/")).collect();
    // Pieces of every length from 1 to 110, so that cuts fall everywhere.
    let cuts = (1..).scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    let cuts = cuts.take_while(|end| *end < requests.len());
    for takes in [1, 50, usize::MAX] {
        let place = Place::new(site.root(), &[]).taking(takes);
        let mut client = place.connect();
        client.send_cut(&requests, cuts.clone());
        for number in 0..60 {
            let body = client.answer().body;
            assert_eq!(body, b"abcdefghijklmnopqrstuvwxyz", "pair {number}");
            assert_eq!(client.answer().body, b"<p>dir</p>\n", "pair {number}");
        }
    }
}
