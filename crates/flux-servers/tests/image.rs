//! The image server over sockets, on each runtime.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use clap::Parser;
use flux_servers::image::{Server, Settings, Summary};
use image::GenericImageView;

use support::RUNTIMES;

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    settings: Settings,
}

type Running = support::Running<Summary>;

fn start(options: &[&str]) -> Running {
    let typed = [
        &["image", "--addr", "127.0.0.1:0", "--threads", "3"],
        options,
    ]
    .concat();
    let server = Server::bind(&Typed::parse_from(typed).settings).unwrap();
    let (address, stop) = (server.address(), server.stop());
    Running::start(address, move || stop.stop(), move || server.run())
}

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

/// An answer: its status, its head, its body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

/// Asks over a connection that is kept.
fn ask(stream: &mut TcpStream, method: &str, target: &str, fields: &str) -> Answer {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    answer(stream, method != "HEAD")
}

fn answer(stream: &mut TcpStream, has_body: bool) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; if has_body { length } else { 0 }];
    stream.read_exact(&mut body).unwrap();
    Answer {
        status: head[9..12].parse().unwrap(),
        head,
        body,
    }
}

/// A picture of a folder: a colour at the left, another at the right.
fn halves(folder: &std::path::Path, name: &str) {
    let picture = image::RgbImage::from_fn(64, 48, |x, _| match x < 32 {
        true => image::Rgb([200, 0, 0]),
        false => image::Rgb([0, 0, 200]),
    });
    picture.save(folder.join(name)).unwrap();
}

#[test]
fn the_right_picture_comes_at_the_size_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    halves(folder.path(), "flag.png");
    halves(folder.path(), "banner.ppm");
    for runtime in RUNTIMES {
        let server = start(&[folder.path().to_str().unwrap(), "--runtime", runtime]);
        let mut stream = connect(&server);
        for (target, size) in [
            ("/flag.jpg", (64, 48)),
            ("/flag.jpg?scale=8&quality=90", (64, 48)),
            ("/banner.jpg?scale=4", (32, 24)),
            ("/flag.jpg?scale=1", (8, 6)),
        ] {
            let answer = ask(&mut stream, "GET", target, "");
            assert_eq!(answer.status, 200, "{runtime} {target}");
            assert!(
                answer.head.contains("Content-Type: image/jpeg\r\n"),
                "{}",
                answer.head
            );
            let picture = image::load_from_memory(&answer.body).unwrap();
            assert_eq!(picture.dimensions(), size, "{runtime} {target}");
            let at = |x: u32| picture.get_pixel(x, size.1 / 2).0;
            let (left, right) = (at(0), at(size.0 - 1));
            assert!(
                left[0] > 150 && left[2] < 60,
                "{runtime} {target}: {left:?}"
            );
            assert!(
                right[2] > 150 && right[0] < 60,
                "{runtime} {target}: {right:?}"
            );
        }
        drop(stream);
        let summary = server.stop();
        assert_eq!(
            (summary.answers, summary.compressed, summary.hits),
            (4, 4, 0),
            "{runtime}"
        );
    }
}

#[test]
fn what_was_compressed_once_comes_out_of_the_cache() {
    for runtime in RUNTIMES {
        let server = start(&["--runtime", runtime]);
        let mut stream = connect(&server);
        let first = ask(&mut stream, "GET", "/one.jpg?scale=1", "");
        let again = ask(&mut stream, "GET", "/one.jpg?scale=1&quality=75", "");
        assert_eq!(first.body, again.body);
        // Two requests at once are two flows, one after the other.
        let twice = "GET /one.jpg?scale=1 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);
        stream.write_all(twice.as_bytes()).unwrap();
        for _ in 0..2 {
            assert_eq!(answer(&mut stream, true).body, first.body, "{runtime}");
        }
        let tag = first
            .head
            .lines()
            .find(|line| line.starts_with("ETag: "))
            .unwrap();
        let condition = format!("If-None-Match: {}\r\n", &tag["ETag: ".len()..]);
        assert_eq!(
            ask(&mut stream, "GET", "/one.jpg?scale=1", &condition).status,
            304
        );
        let head = ask(&mut stream, "HEAD", "/one.jpg?scale=1", "");
        assert!(head.status == 200 && head.head.contains(&format!("{}\r\n", first.body.len())));
        let part = ask(
            &mut stream,
            "GET",
            "/one.jpg?scale=1",
            "Range: bytes=10-19\r\n",
        );
        assert_eq!((part.status, &*part.body), (206, &first.body[10..20]));
        drop(stream);
        let summary = server.stop();
        assert_eq!((summary.compressed, summary.hits), (1, 6), "{runtime}");
        assert_eq!(summary.cached_bytes, first.body.len(), "{runtime}");
    }
}

#[test]
fn without_room_in_the_cache_each_picture_is_compressed() {
    let server = start(&["--cache-mib", "0"]);
    let mut stream = connect(&server);
    for _ in 0..2 {
        assert_eq!(ask(&mut stream, "GET", "/two.jpg?scale=1", "").status, 200);
    }
    drop(stream);
    let summary = server.stop();
    assert_eq!(
        (summary.compressed, summary.hits, summary.cached_bytes),
        (2, 0, 0)
    );
}

#[test]
fn what_is_not_there_takes_the_error_path_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    halves(folder.path(), "flag.png");
    std::fs::write(folder.path().join("torn.png"), b"no picture").unwrap();
    std::fs::write(folder.path().join("secret.txt"), b"no picture").unwrap();
    for runtime in RUNTIMES {
        let server = start(&[folder.path().to_str().unwrap(), "--runtime", runtime]);
        let mut stream = connect(&server);
        for (target, status) in [
            ("/absent.jpg", 404),
            ("/", 404),
            ("/flag.png", 404),
            ("/flag.jpg/", 404),
            ("/secret.jpg", 404),
            ("/%2e%2e/flag.jpg", 404),
            ("/flag.jpg?scale=9", 404),
            ("/flag.jpg?quality=0", 404),
            ("/%ff.jpg", 404),
            ("/torn.jpg", 500),
            ("/flag.jpg", 200),
        ] {
            let answer = ask(&mut stream, "GET", target, "");
            assert_eq!(answer.status, status, "{runtime} {target}");
        }
        drop(stream);
        let summary = server.stop();
        // What climbs out of the root never became a flow's request.
        assert_eq!((summary.not_found, summary.defects), (9, 0), "{runtime}");
    }
}

#[test]
fn hostile_clients_are_answered_or_dropped_and_keep_nobody_waiting() {
    for runtime in RUNTIMES {
        let server = start(&["--runtime", runtime]);
        // More of them than there are threads: half a request each, and then nothing.
        let slow: Vec<_> = (0..8)
            .map(|_| {
                let mut stream = connect(&server);
                stream.write_all(b"GET /one.jpg HTTP/1.1\r\nHos").unwrap();
                stream
            })
            .collect();
        // They ask for a large picture, which is compressed already, and take none of it.
        ask(&mut connect(&server), "GET", "/one.jpg?quality=100", "");
        let deaf: Vec<_> = (0..8)
            .map(|_| {
                let mut stream = connect(&server);
                let request = "GET /one.jpg?quality=100 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(40);
                stream.write_all(request.as_bytes()).unwrap();
                stream
            })
            .collect();
        let long = format!("GET /{}.jpg HTTP/1.1\r\n", "a".repeat(70_000));
        for (sent, status) in [
            (&b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"[..], 400),
            (b"GET /one.jpg HTTP/9.9\r\n\r\n", 505),
            (b"GET /one.jpg HTTP/1.1\r\n\r\n", 400),
            (b"DELETE /one.jpg HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            (b"BREW /one.jpg HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            (&[b'A'; 70_000], 501),
            (long.as_bytes(), 414),
        ] {
            let mut stream = connect(&server);
            // It may be answered, and closed, before all of it is sent.
            let _ = stream.write_all(sent);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            assert_eq!(answer(&mut stream, true).status, status, "{runtime}");
        }
        let mut stream = connect(&server);
        assert_eq!(
            ask(&mut stream, "GET", "/two.jpg?scale=1", "").status,
            200,
            "{runtime}"
        );
        drop((stream, slow, deaf));
        assert_eq!(server.stop().defects, 0, "{runtime}");
    }
}

#[test]
fn a_profile_tells_the_paths_that_requests_took() {
    let folder = tempfile::tempdir().unwrap();
    for runtime in RUNTIMES {
        let profile = folder.path().join(runtime);
        let server = start(&["--runtime", runtime, "--profile", profile.to_str().unwrap()]);
        let mut stream = connect(&server);
        for target in ["/one.jpg?scale=1", "/one.jpg?scale=1", "/none.jpg"] {
            ask(&mut stream, "GET", target, "");
        }
        drop(stream);
        server.stop();
        let lines = std::fs::read_to_string(&profile).unwrap();
        assert!(
            lines.lines().next().unwrap().ends_with(" timed 1/1"),
            "{lines}"
        );
        let paths: Vec<_> = lines
            .lines()
            .filter(|line| line.starts_with("path "))
            .collect();
        // From the cache, out of the file, not found; there may be some on which nothing had come.
        assert!(
            paths.starts_with(&["path 0 1", "path 1 1", "path 2 1"]),
            "{runtime}\n{lines}"
        );
    }
}
