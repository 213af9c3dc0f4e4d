//! What each architecture does with a connection of many requests.

use std::io::Read;

use arch::nature::Requests;
use rustix::process::Signal;

use super::alike::alike;
use super::frames::*;
use super::{hello_with_room, whole};
use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::Client;
use crate::server::Server;
use crate::site::{Garden, assert_contents};
use crate::table::Fault;

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("answers_are_those_of_http1", answers_are_those_of_http1),
    case(
        "answers_under_way_are_finished",
        answers_under_way_are_finished,
    ),
    case("that_is_idle_is_told_to_leave", idle),
    case(
        "a_file_that_became_shorter_is_never_whole",
        a_file_that_became_shorter,
    ),
    case(
        "a_flood_ends_its_connection_alone",
        a_flood_ends_its_connection_alone,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[Fault::new(
    "one_of_them_is_slow",
    "a file is slow on the disk, and others are asked for behind it over the same connection (HTTP/2)",
    one_of_them_is_slow,
)
.of_each_behaviour()];

/// A client of HTTP/2.
struct Talk {
    client: Client,
    heard: Heard,
    is_over: bool,
}

impl Talk {
    fn begin(server: &Server, hello: Vec<u8>) -> Self {
        Self::with(server.connect(), hello)
    }

    fn with(mut client: Client, hello: Vec<u8>) -> Self {
        client.send(hello);
        Self {
            client,
            heard: Heard::default(),
            is_over: false,
        }
    }

    /// Reads until it is so, or nothing more comes.
    fn read_until(&mut self, is_so: impl Fn(&Heard) -> bool) {
        let mut buffer = vec![0; 64 << 10];
        while !self.is_over && !is_so(&self.heard) {
            match self
                .client
                .socket
                .read(&mut buffer)
                .expect("it goes on or ends")
            {
                0 => self.is_over = true,
                count => self.heard.read(&buffer[..count]),
            }
        }
    }

    fn read_answers(&mut self, streams: &[u32]) {
        self.read_until(|heard| {
            let is_whole = |stream| {
                heard
                    .answers
                    .get(stream)
                    .is_some_and(|answer| answer.is_whole)
            };
            streams.iter().all(is_whole)
        });
    }
}

fn answers_are_those_of_http1(bench: &Bench) {
    let alike = alike(bench.site.root());
    let server = bench.serve(&["--http2", "on"]);
    let mut talk = Talk::begin(&server, hello_with_room());
    let stream = |number: usize| 2 * number as u32 + 1;
    for (batch, some) in alike.chunks(40).enumerate() {
        let first = 40 * batch;
        let requests = some
            .iter()
            .enumerate()
            .map(|(number, alike)| alike.on(stream(first + number)));
        talk.client.send(requests.collect::<Vec<_>>().concat());
        let streams: Vec<_> = (first..first + some.len()).map(stream).collect();
        talk.read_answers(&streams);
        for (alike, stream) in some.iter().zip(streams) {
            alike.check(&talk.heard, stream);
        }
    }
    // A large one, with room for a part of it at a time and others beside it.
    let streams = [1001, 1003, 1005];
    talk.client.send(settings(&[(4, 100_000)]));
    let paths = ["/large.bin", "/file.txt", "/medium.bin"];
    for (stream, path) in streams.iter().zip(paths) {
        talk.client.send(get(*stream, path));
    }
    let mut granted = 100_000;
    while talk
        .heard
        .answers
        .get(&1001)
        .is_none_or(|answer| !answer.is_whole)
    {
        talk.read_until(|heard| {
            heard
                .answers
                .get(&1001)
                .is_some_and(|answer| answer.is_whole || answer.body.len() >= granted)
        });
        granted += 1_000_000;
        talk.client.send(
            [
                window_update(1001, 1_000_000),
                window_update(1005, 1_000_000),
            ]
            .concat(),
        );
    }
    talk.read_answers(&streams);
    assert_contents("large.bin", 0, &whole(&talk.heard, 1001).body);
    assert_contents("medium.bin", 0, &whole(&talk.heard, 1005).body);
    drop(talk);
    // On the same port.
    assert_eq!(server.connect().get("/file.txt").status, 200);
    let summary = server.stop();
    assert_eq!(summary["requests"], alike.len() + 4);
    for (name, count) in summary["errors"].as_object().expect("errors") {
        assert_eq!(count, 0, "{name}");
    }
}

/// The server is told to stop in the midst of two answers of one connection.
fn answers_under_way_are_finished(bench: &Bench) {
    let server = bench.serve(&["--http2", "on", "--drain-timeout", "60s"]);
    let mut talk = Talk::with(
        Client::connect_with_small_buffer(server.address),
        hello_with_room(),
    );
    talk.client.send(
        [
            request(1, "GET", "/large.bin", &[("priority", "i")]),
            request(3, "GET", "/large.bin", &[("priority", "i")]),
        ]
        .concat(),
    );
    talk.read_until(|heard| heard.answers.len() == 2);
    server.signal(Signal::TERM);
    std::thread::sleep(std::time::Duration::from_millis(200));
    talk.read_until(|heard| heard.answers.values().all(|answer| answer.is_whole));
    for stream in [1, 3] {
        assert_contents("large.bin", 0, &whole(&talk.heard, stream).body);
    }
    talk.read_until(|_| false);
    assert_eq!(talk.heard.go_away, Some((3, 0)));
    drop(talk);
    let summary = server.summary();
    assert_eq!(
        (&summary["requests"], &summary["errors"]["answer_abandoned"]),
        (&2.into(), &0.into())
    );
}

/// A connection on which nothing is under way is left, and told so.
fn idle(bench: &Bench) {
    let server = bench.serve(&[
        "--http2",
        "on",
        "--idle-timeout",
        "300ms",
        "--linger-timeout",
        "100ms",
    ]);
    let mut talk = Talk::begin(&server, [hello(), get(1, "/file.txt")].concat());
    talk.read_until(|_| false);
    assert_eq!(whole(&talk.heard, 1).status(), 200);
    assert_eq!(talk.heard.go_away, Some((1, 0)));
    server.stop();
}

fn a_file_that_became_shorter(bench: &Bench) {
    let garden = Garden::new();
    garden.write("cut.bin", vec![7; 8 << 20]);
    garden.write("file.txt", "file");
    let server = bench.serve_from(garden.root(), &["--http2", "on", "--content-cache", "0"]);
    let mut talk = Talk::with(
        Client::connect_with_small_buffer(server.address),
        hello_with_room(),
    );
    talk.client.send(get(1, "/cut.bin"));
    talk.read_until(|heard| {
        heard
            .answers
            .get(&1)
            .is_some_and(|answer| answer.body.len() > 20_000)
    });
    garden.truncate("cut.bin", 30_000);
    talk.read_until(|heard| heard.answers[&1].reset.is_some());
    let answer = &talk.heard.answers[&1];
    assert!(!answer.is_whole && answer.body.len() < 8 << 20);
    assert!(
        answer.reset == Some(2) || talk.is_over,
        "it is an error, or the connection ends short"
    );
    drop(talk);
    assert_eq!(server.connect().get("/file.txt").status, 200);
    let summary = server.stop();
    assert_eq!(summary["errors"]["file_truncated"], 1, "{summary}");
}

fn a_flood_ends_its_connection_alone(bench: &Bench) {
    let server = bench.serve(&["--http2", "on"]);
    let mut other = bench
        .room
        .is_concurrent()
        .then(|| Talk::begin(&server, hello_with_room()));
    let mut talk = Talk::begin(&server, hello_with_room());
    for number in 0..2000 {
        let bytes = [get(2 * number + 1, "/medium.bin"), reset(2 * number + 1)].concat();
        if !talk.client.try_send(bytes) {
            break;
        }
    }
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = talk.client.socket.read(&mut buffer) {
        talk.heard.read(&buffer[..count]);
    }
    assert_eq!(talk.heard.go_away.map(|(_, code)| code), Some(11));
    drop(talk);
    if let Some(other) = &mut other {
        other.client.send(get(1, "/file.txt"));
        other.read_answers(&[1]);
        assert_eq!(whole(&other.heard, 1).status(), 200);
    }
    drop(other);
    let summary = server.stop();
    assert_eq!(summary["errors"]["http2_flood_of_resets"], 1, "{summary}");
}

/// One that is not there and one that is large are slow, a third is not: they are asked for in that order, and there are helpers for all.
pub(crate) fn one_of_them_is_slow(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("slow/large.bin", vec![7; 200_000]);
    garden.write("quick.txt", "quick\n");
    let at_once = bench.room.behaviour.requests == Requests::AtOnce;
    // Where nobody waits for them, they are not at an end when the test is.
    let slow = if at_once {
        "/slow/=15000"
    } else {
        "/slow/=200"
    };
    let options = [
        &bench.room.workers("3")[..],
        &["--http2", "on", "--slow", slow],
    ];
    let server = bench.serve_from(garden.root(), &options.concat());
    let mut talk = Talk::begin(&server, hello_with_room());
    let asked = [
        get(1, "/slow/nowhere"),
        get(3, "/slow/large.bin"),
        get(5, "/quick.txt"),
    ];
    talk.client.send(asked.concat());
    let is_whole = |heard: &Heard, stream| {
        let answer = heard.answers.get(&stream);
        answer.is_some_and(|answer| answer.is_whole)
    };
    talk.read_until(|heard| is_whole(heard, 5));
    assert_eq!(whole(&talk.heard, 5).body, b"quick\n");
    for stream in [1, 3] {
        assert_eq!(
            is_whole(&talk.heard, stream),
            !at_once,
            "{}: whether {stream} comes before 5",
            bench.room
        );
    }
    match bench.room.behaviour.requests {
        Requests::AtOnce => "they are answered meanwhile",
        Requests::InTurn => "they wait for it, and are answered in turn",
    }
}
