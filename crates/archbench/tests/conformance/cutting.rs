//! Requests that come in pieces, or many at once.

use std::time::Duration;

use crate::case::{Bench, Case, case};
use crate::client::{Client, get, last_get};
use crate::site::{KEPT, MEDIUM, assert_contents};

pub(crate) const CASES: &[Case] = &[
    case("pipelined_and_cut_anywhere", pipelined_and_cut_anywhere),
    case("pipelined_and_read_late", pipelined_and_read_late),
    case(
        "pipelined_small_files_read_late",
        pipelined_small_files_read_late,
    ),
];

/// Long enough for a piece to be taken by itself on an idle machine; on a busy one the test only tests less.
const GAP: Duration = Duration::from_millis(1);

fn pipelined_and_cut_anywhere(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    let requests: String = (0..60).map(|_| get("/file.txt") + &get("/dir/")).collect();
    // Every length from 1 to 110, so that cuts fall everywhere.
    let mut rest = requests.as_bytes();
    let mut length = 1;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(length.min(rest.len()));
        client.send(piece);
        std::thread::sleep(GAP / 4);
        rest = later;
        length += 1;
    }
    for number in 0..60 {
        assert_eq!(
            client.answer().body,
            b"abcdefghijklmnopqrstuvwxyz",
            "pair {number}"
        );
        assert_eq!(client.answer().body, b"<p>dir</p>\n", "pair {number}");
    }
}

/// A client that asks for thirty megabytes in a few packets and reads late costs no more memory than the one that reads
/// early.
fn pipelined_and_read_late(bench: &Bench) {
    let server = bench.serve(&[]);
    assert_eq!(
        server.connect().get("/medium.bin").body.len(),
        MEDIUM as usize
    );
    let before = server.memory();
    let mut client = Client::connect_with_small_buffer(server.address);
    let mut requests = get("/medium.bin").repeat(24) + &last_get("/medium.bin");
    // As many requests as fit on their way; the server stops reading.
    requests.insert_str(0, &get("/file.txt").repeat(10));
    client.send(requests);
    std::thread::sleep(Duration::from_millis(300));
    let grown = server.memory().saturating_sub(before);
    assert!(
        grown < 4 << 20,
        "grew by {grown} bytes while its client did not read"
    );
    for _ in 0..10 {
        assert_eq!(client.answer().body.len(), 26);
    }
    for number in 0..25 {
        let answer = client.answer();
        assert_eq!(answer.body.len(), MEDIUM as usize, "answer {number}");
        assert_contents("medium.bin", 0, &answer.body);
    }
    assert_eq!(client.read_to_end(), b"");
}

/// The same with small files, which are collected before they are sent.
fn pipelined_small_files_read_late(bench: &Bench) {
    let server = bench.serve(&[]);
    let before = server.memory();
    let mut client = Client::connect_with_small_buffer(server.address);
    let mut sender = client.another_hand();
    let requests = get("/kept.bin").repeat(2000) + &last_get("/file.txt");
    let sending = std::thread::spawn(move || sender.send(requests));
    std::thread::sleep(Duration::from_millis(300));
    let grown = server.memory().saturating_sub(before);
    assert!(
        grown < 4 << 20,
        "grew by {grown} bytes while its client did not read"
    );
    for number in 0..2000 {
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.body.len()),
            (200, KEPT as usize),
            "answer {number}"
        );
        assert_contents("kept.bin", 0, &answer.body);
    }
    assert_eq!(client.answer().body.len(), 26);
    assert_eq!(client.read_to_end(), b"");
    sending.join().unwrap();
}
