//! Files of all lengths, over transports that take much or little at a time.

use super::Case;
use super::wire::Place;
use crate::site::{
    Garden, Site, assert_beyond_4_gib, assert_contents, assert_of_all_lengths,
    assert_ranges_anywhere, contents,
};

pub(crate) const CASES: &[Case] = &[
    ("come_whole_and_right", come_whole_and_right),
    ("of_ranges_are_right_anywhere", of_ranges_are_right_anywhere),
    ("of_several_ranges_are_right", of_several_ranges_are_right),
    ("beyond_4_gib", beyond_4_gib),
    (
        "of_the_sizes_around_every_boundary",
        of_the_sizes_around_every_boundary,
    ),
];

fn come_whole_and_right(site: &Site) {
    let place = Place::new(site.root(), &[]).taking(99_991);
    let mut client = place.connect();
    assert_of_all_lengths(|request| {
        client.send(request);
        client.answer()
    });
}

fn of_ranges_are_right_anywhere(site: &Site) {
    let place = Place::new(site.root(), &[]).taking(99_991);
    let mut client = place.connect();
    assert_ranges_anywhere(|request| {
        client.send(request);
        client.answer()
    });
}

fn of_several_ranges_are_right(site: &Site) {
    let place = Place::new(site.root(), &[]).taking(99_991);
    let mut client = place.connect();
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

/// Around what is copied, gathered, kept in memory and sent in one piece.
fn of_the_sizes_around_every_boundary(_: &Site) {
    let garden = Garden::new();
    let boundaries = [1, 4096, 8192, 16 << 10, 64 << 10, 512 << 10, 1 << 20];
    let sizes: Vec<u64> = boundaries
        .iter()
        .flat_map(|&size: &u64| [size - 1, size, size + 1])
        .collect();
    for size in &sizes {
        let name = format!("{size}.bin");
        garden.write(&name, contents(&name, *size));
    }
    let place = Place::new(garden.root(), &[]).taking(5000);
    let mut client = place.connect();
    for _ in 0..2 {
        for size in &sizes {
            let name = format!("{size}.bin");
            let answer = client.get(&format!("/{name}"));
            assert_eq!((answer.status, answer.body.len() as u64), (200, *size));
            assert_contents(&name, 0, &answer.body);
        }
    }
}

fn beyond_4_gib(site: &Site) {
    let place = Place::new(site.root(), &[]);
    let mut client = place.connect();
    assert_beyond_4_gib(|request| {
        client.send(request);
        client.answer()
    });
}
