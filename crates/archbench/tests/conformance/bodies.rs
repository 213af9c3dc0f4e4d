//! Files of all lengths, read at all speeds.

use std::time::Duration;

use crate::case::{Bench, Case, case};
use crate::client::{Client, get, last_get};
use crate::site::{
    LARGE, SPARSE, assert_beyond_4_gib, assert_contents, assert_of_all_lengths,
    assert_ranges_anywhere,
};

pub(crate) const CASES: &[Case] = &[
    case("come_whole_and_right", come_whole_and_right),
    case(
        "reach_a_slow_reader_whole_and_right",
        reach_a_slow_reader_whole_and_right,
    ),
    case("of_ranges_are_right_anywhere", of_ranges_are_right_anywhere),
    case("beyond_4_gib", beyond_4_gib),
];

fn come_whole_and_right(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    assert_of_all_lengths(|request| {
        client.send(request);
        client.answer()
    });
}

fn reach_a_slow_reader_whole_and_right(bench: &Bench) {
    let server = bench.serve(&["--send-timeout", "5s"]);
    let mut client = Client::connect_with_small_buffer(server.address);
    client.send(last_get("/large.bin"));
    let head = client.head();
    assert_eq!(head.content_length() as u64, LARGE);
    let mut offset = 0;
    // Slow at first, so that the socket's buffer is full again and again; then at its ease.
    for step in 0..60 {
        let bytes = client.exactly(20_000);
        assert_contents("large.bin", offset, &bytes);
        offset += bytes.len() as u64;
        std::thread::sleep(Duration::from_millis(if step < 20 { 15 } else { 1 }));
    }
    let rest = client.read_to_end();
    assert_contents("large.bin", offset, &rest);
    assert_eq!(offset + rest.len() as u64, LARGE);
}

fn of_ranges_are_right_anywhere(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    assert_ranges_anywhere(|request| {
        client.send(request);
        client.answer()
    });
}

fn beyond_4_gib(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    assert_beyond_4_gib(|request| {
        client.send(request);
        client.answer()
    });
    // The whole is promised, and begins; waiting for all of it would take too long.
    client.send(get("/sparse.bin"));
    assert_eq!(
        client.head().field("content-length"),
        Some(&SPARSE.to_string()[..])
    );
    assert!(client.exactly(1_000_000).iter().all(|&byte| byte == 0));
    client.reset();
    assert_eq!(server.connect().get("/file.txt").status, 200);
}
