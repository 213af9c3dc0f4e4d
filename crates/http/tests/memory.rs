//! However much comes, and of whatever kind, a connection holds a bounded part of it.

mod support;

use http::client::{Event, Expect, MAX_HEAD_BYTES, Responses};
use http::{Config, Want};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed};
use support::Driver;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

/// How much comes in each case.
const STREAM_BYTES: usize = 1 << 18;
/// What is held beside a head: the buffers of an exchange, what was rendered last.
const SMALL: usize = 64 << 10;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 60,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(2001),
        ..ProptestConfig::default()
    }
}

/// A beginning, and what comes after it without end.
fn stream(beginnings: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(&[
            "a", " ", "\t", "\n", "\r", "\r\n", "\r\n\r\n", "\0", "%", "/", ",", ";", "=\"", "0", "5\r\nhello\r\n", "0\r\n", "X: y\r\n",
            "Range: bytes=0-1,2-3,\r\n", "bytes=1-,", "Host: h\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD /big.bin HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST /ten.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
        ][..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..40),
    ];
    (prop::sample::select(beginnings), piece).prop_map(|(beginning, piece)| {
        let times = STREAM_BYTES / piece.len();
        [beginning.as_bytes(), &piece.repeat(times)].concat()
    })
}

const REQUESTS: &[&str] = &[
    "",
    "GET /",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\n",
    "GET /ten.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1,",
    "GET / HTTP/1.1\r\nHost: h\r\nIf-None-Match: ",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
];

const RESPONSES: &[&str] = &[
    "",
    "HTTP/1.1 200 ",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_server(stream in stream(REQUESTS), piece in 1..5000_usize) {
        let before = sys::heap::bytes_held();
        let limits = Config::default();
        let bound = 2 * limits.max_head + 2 * piece + SMALL;
        let mut driver = Driver::with(limits);
        for piece in stream.chunks(piece) {
            driver.feed(piece);
            // What the driver itself has gathered is not the machine's.
            driver.output = Vec::new();
            driver.statuses = Vec::new();
            driver.ends = Vec::new();
            let held = sys::heap::bytes_held() - before;
            prop_assert!(held <= bound as i64, "{held} bytes are held");
            if driver.connection.want() != Want::Request {
                break;
            }
        }
    }

    #[test]
    fn a_client(stream in stream(RESPONSES), piece in 1..5000_usize) {
        let before = sys::heap::bytes_held();
        let bound = 2 * (MAX_HEAD_BYTES + piece);
        let mut machine = Responses::new();
        'stream: for mut input in stream.chunks(piece) {
            loop {
                if !machine.in_progress() {
                    machine.expect(Expect::Body);
                }
                match machine.next(&mut input) {
                    Ok(Event::More) => break,
                    Ok(_) => {}
                    Err(_) => break 'stream,
                }
            }
            let held = sys::heap::bytes_held() - before;
            prop_assert!(held <= bound as i64, "{held} bytes are held");
        }
    }
}
