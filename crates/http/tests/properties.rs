//! What holds for every input: mixtures of requests, damaged requests and noise.

mod support;

use http::{Config, Want};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed};
use support::{Driver, End, get};

/// The same cases in every run.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(1999),
        ..ProptestConfig::default()
    }
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just("GET"),
        3 => Just("HEAD"),
        1 => Just("OPTIONS"),
        2 => Just("POST"),
        1 => Just("get"),
    ]
    .prop_map(str::to_owned)
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just("/ten.txt"),
        2 => Just("/big.bin?q=%zz"),
        1 => Just("/empty"),
        1 => Just("/none"),
        1 => Just("/dir"),
        1 => Just("http://h/dir/"),
        1 => Just("/%2e%2e/a"),
        1 => Just("/%00"),
        1 => Just("*"),
        1 => Just("/busy"),
    ]
    .prop_map(str::to_owned)
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z-]{1,12}: [ -~]{0,30}",
        1 => Just("Connection: close".to_owned()),
        2 => Just("Connection: keep-alive".to_owned()),
        2 => Just("Range: bytes=1-2".to_owned()),
        2 => Just("Range: bytes=1-2,-1,5-".to_owned()),
        1 => Just("Range: bytes=100000000-".to_owned()),
        1 => Just("If-None-Match: *".to_owned()),
        1 => Just("If-Match: \"x\"".to_owned()),
        1 => Just("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
        1 => Just("Expect: 100-continue".to_owned()),
        1 => Just("Host: twice".to_owned()),
        1 => Just("Transfer-Encoding: gzip".to_owned()),
    ]
}

/// Framing fields, and the body that goes with them.
fn body() -> impl Strategy<Value = (String, Vec<u8>)> {
    let content = prop::collection::vec(any::<u8>(), 1..200);
    prop_oneof![
        6 => Just((String::new(), Vec::new())),
        2 => content.clone().prop_map(|content| (format!("Content-Length: {}\r\n", content.len()), content)),
        2 => prop::collection::vec(content, 0..4).prop_map(|chunks| {
            let mut body = Vec::new();
            for chunk in chunks {
                body.extend(format!("{:x};e=f\r\n", chunk.len()).into_bytes());
                body.extend(chunk);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\nT: u\r\n\r\n");
            ("Transfer-Encoding: chunked\r\n".to_owned(), body)
        }),
    ]
}

prop_compose! {
    fn request()(
        method in method(),
        target in target(),
        version in prop_oneof![8 => Just("1.1"), 2 => Just("1.0"), 1 => Just("1.2"), 1 => Just("2.0")],
        fields in prop::collection::vec(field(), 0..4),
        (framing, body) in body(),
        empty_line in prop::bool::weighted(0.1),
    ) -> Vec<u8> {
        let before = if empty_line { "\r\n" } else { "" };
        let fields: String = fields.into_iter().map(|field| field + "\r\n").collect();
        let head = format!("{before}{method} {target} HTTP/{version}\r\nHost: h\r\n{fields}{framing}\r\n");
        [head.into_bytes(), body].concat()
    }
}

/// A request of which some bytes are overwritten, left out or put in.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        prop::sample::select(&b"\r\n \t:;,/%.\0\x7f\xff0G"[..]),
        any::<u8>(),
    ];
    let damage = (any::<prop::sample::Index>(), byte, 0..3u8);
    (request(), prop::collection::vec(damage, 1..4)).prop_map(|(mut bytes, damages)| {
        for (at, byte, kind) in damages {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        bytes
    })
}

/// A stream of up to five requests, most of them sound.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        10 => request(),
        3 => damaged(),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => "[\r\n :A-Z/]{0,60}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

/// Small limits, so that inputs of moderate size go beyond them.
fn limits() -> impl Strategy<Value = Config> {
    let small = Config {
        max_target: 20,
        max_head: 120,
        max_fields: 4,
        max_body: 150,
        max_ranges: 2,
        ..Config::default()
    };
    let few = Config {
        max_requests_per_connection: 2,
        ..Config::default()
    };
    prop_oneof![4 => Just(Config::default()), 2 => Just(small), 1 => Just(few)]
}

/// Feeds `input` cut at `cuts`; the input ends, or time does.
fn serve(
    input: &[u8],
    cuts: &[prop::sample::Index],
    config: &Config,
    send: usize,
    expire: bool,
) -> Driver {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    cuts.extend([0, input.len()]);
    cuts.sort_unstable();
    let mut driver = Driver::with(config.clone());
    driver.send = send;
    for piece in cuts.windows(2) {
        driver.feed(&input[piece[0]..piece[1]]);
    }
    if expire {
        driver.expire();
    } else {
        driver.end_of_input();
    }
    assert!(!driver.answered_unasked, "two answers to one request");
    driver
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn cutting_makes_no_difference(
        input in input(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        send in prop_oneof![Just(usize::MAX), 1..20_000usize],
        config in limits(),
        expire: bool,
    ) {
        let whole = serve(&input, &[], &config, usize::MAX, expire);
        let cut = serve(&input, &cuts, &config, send, expire);
        prop_assert_eq!(&whole.statuses, &cut.statuses);
        prop_assert!(whole.output == cut.output, "whole: {}\ncut: {}", whole.text(), cut.text());

        let mut bytewise = Driver::with(config);
        for &byte in &input {
            bytewise.feed([byte]);
        }
        if expire { bytewise.expire() } else { bytewise.end_of_input() };
        prop_assert!(whole.output == bytewise.output, "whole: {}\nbytewise: {}", whole.text(), bytewise.text());
    }

    #[test]
    fn sound_requests_get_one_answer_each(
        targets in prop::collection::vec(prop::sample::select(&["/ten.txt", "/none", "/%", "/dir", "/big.bin"][..]), 1..8),
        noise in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let requests: String = targets.iter().map(|target| get(target, "X: y\r\n")).collect();
        let mut driver = Driver::new();
        driver.feed(&requests);
        prop_assert_eq!(driver.statuses.len(), targets.len());
        prop_assert_eq!(driver.answers().len(), targets.len());
        prop_assert_eq!(driver.taken, requests.len());
        prop_assert_eq!(driver.end(), End::Open);
        driver.feed(&noise).end_of_input();
        // Noise can be a request of its own only by saying so, which fifty random bytes do not; at
        // most it is refused.
        prop_assert!(driver.statuses.len() <= targets.len() + 1);
        prop_assert_eq!(driver.end(), End::Close);
    }

    #[test]
    fn the_bytes_after_a_request_are_left_alone(first in request(), rest in prop::collection::vec(any::<u8>(), 1..50)) {
        let mut alone = Driver::new();
        alone.feed(&first);
        if alone.end() != End::Open || alone.statuses.len() != 1 {
            return Ok(());
        }
        prop_assert_eq!(alone.taken, first.len());
        let mut followed = Driver::new();
        let input = [first.clone(), rest].concat();
        let taken = followed.connection.receive(&input, &mut followed.scratch);
        prop_assert_eq!(taken, first.len());
    }

    #[test]
    fn each_answer_comes_at_the_end_of_its_request_however_it_is_cut(
        requests in prop::collection::vec(request(), 1..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut ends = Vec::new();
        let mut input = Vec::new();
        for request in requests {
            let mut alone = Driver::new();
            alone.feed(&request);
            // One that ends the connection has nothing after it.
            if alone.end() == End::Open && alone.statuses.len() == 1 {
                input.extend(request);
                ends.push(input.len());
            }
        }
        let driver = serve(&input, &cuts, &Config::default(), usize::MAX, false);
        prop_assert_eq!(&driver.ends[..ends.len()], &ends);
        prop_assert_eq!(driver.taken, input.len());
    }

    #[test]
    fn nothing_follows_the_last_answer(input in input(), more in input()) {
        let mut driver = Driver::new();
        driver.feed(&input).end_of_input();
        prop_assert_eq!(driver.end(), End::Close);
        let (output, statuses) = (driver.output.clone(), driver.statuses.clone());
        driver.feed(&more).end_of_input();
        driver.expire();
        prop_assert_eq!(driver.connection.want(), Want::Close);
        prop_assert_eq!(driver.statuses, statuses);
        prop_assert!(driver.output == output);
    }
}
