//! Files of all lengths, read at all speeds.

use std::time::Duration;

use crate::case::{Bench, Case, case};
use crate::client::{Client, get, last_get};
use crate::site::{AFTER_4_GIB, KEPT, LARGE, MEDIUM, SPARSE, assert_contents};

pub(crate) const CASES: &[Case] = &[
    case("come_whole_and_right", come_whole_and_right),
    case(
        "reach_a_slow_reader_whole_and_right",
        reach_a_slow_reader_whole_and_right,
    ),
    case("of_ranges_are_right_anywhere", of_ranges_are_right_anywhere),
    case("of_several_ranges_are_right", of_several_ranges_are_right),
    case("beyond_4_gib", beyond_4_gib),
    case(
        "of_the_sizes_around_every_boundary",
        of_the_sizes_around_every_boundary,
    ),
];

fn come_whole_and_right(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    for _ in 0..2 {
        for (name, length) in [
            ("kept.bin", KEPT),
            ("medium.bin", MEDIUM),
            ("large.bin", LARGE),
        ] {
            let answer = client.get(&format!("/{name}"));
            assert_eq!(
                (answer.status, answer.body.len() as u64),
                (200, length),
                "{name}"
            );
            assert_contents(name, 0, &answer.body);
        }
    }
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
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        // Knuth's generator for 64 bits: any will do here.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for (name, length) in [
        ("kept.bin", KEPT),
        ("medium.bin", MEDIUM),
        ("large.bin", LARGE),
    ] {
        for _ in 0..15 {
            let start = random(length);
            let end = (start + random(length.min(2 << 20))).min(length - 1);
            client.send(format!(
                "GET /{name} HTTP/1.1\r\nHost: h\r\nRange: bytes={start}-{end}\r\n\r\n"
            ));
            let answer = client.answer();
            assert_eq!(
                (answer.status, answer.body.len() as u64),
                (206, end - start + 1),
                "{name} {start}-{end}"
            );
            let range = format!("bytes {start}-{end}/{length}");
            assert_eq!(answer.field("content-range"), Some(&range[..]), "{name}");
            assert_contents(name, start, &answer.body);
        }
    }
}

fn of_several_ranges_are_right(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    for (name, ranges) in [
        ("kept.bin", vec![(0, 0), (5000, 6999), (10, 19)]),
        (
            "large.bin",
            vec![(1, 3_000_000), (9_000_000, 12_000_000), (0, 0)],
        ),
    ] {
        let asked: Vec<_> = ranges
            .iter()
            .map(|(start, end)| format!("{start}-{end}"))
            .collect();
        client.send(format!(
            "GET /{name} HTTP/1.1\r\nHost: h\r\nRange: bytes={}\r\n\r\n",
            asked.join(",")
        ));
        let answer = client.answer();
        assert_eq!(answer.status, 206);
        let boundary = answer
            .field("content-type")
            .and_then(|kind| kind.strip_prefix("multipart/byteranges; boundary="));
        let delimiter = format!("\r\n--{}", boundary.expect("a boundary"));
        let mut rest = &answer.body[..];
        for (start, end) in ranges {
            rest = rest
                .strip_prefix(delimiter.as_bytes())
                .expect("a delimiter");
            let head = rest
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
                .expect("the end of a head")
                + 4;
            let (head, body) = rest.split_at(head);
            let head = String::from_utf8_lossy(head);
            assert!(
                head.contains(&format!("Content-Range: bytes {start}-{end}/")),
                "{head}"
            );
            let (body, later) = body.split_at((end - start + 1) as usize);
            assert_contents(name, start, body);
            rest = later;
        }
        assert_eq!(rest, format!("{delimiter}--\r\n").as_bytes());
    }
}

fn beyond_4_gib(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut client = server.connect();
    let start = AFTER_4_GIB - 100_000;
    let end = AFTER_4_GIB + 1_000_000;
    client.send(format!(
        "GET /sparse.bin HTTP/1.1\r\nHost: h\r\nRange: bytes={start}-{end}\r\n\r\n"
    ));
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.body.len() as u64),
        (206, end - start + 1)
    );
    let needle = answer.body.windows(6).position(|bytes| bytes == b"needle");
    assert_eq!(needle, Some(100_000));
    assert_eq!(answer.body.iter().filter(|&&byte| byte != 0).count(), 6);
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

/// Around what is copied, gathered, kept in memory and sent in one piece.
fn of_the_sizes_around_every_boundary(bench: &Bench) {
    let garden = crate::site::Garden::new();
    let boundaries = [1, 4096, 8192, 16 << 10, 64 << 10, 512 << 10, 1 << 20];
    let sizes: Vec<u64> = boundaries
        .iter()
        .flat_map(|&size: &u64| [size - 1, size, size + 1])
        .collect();
    for size in &sizes {
        let name = format!("{size}.bin");
        garden.write(&name, crate::site::contents(&name, *size));
    }
    let server = bench.serve_from(garden.root(), &[]);
    let mut client = server.connect();
    for _ in 0..2 {
        for size in &sizes {
            let name = format!("{size}.bin");
            let answer = client.get(&format!("/{name}"));
            assert_eq!((answer.status, answer.body.len() as u64), (200, *size));
            assert_contents(&name, 0, &answer.body);
        }
    }
}
