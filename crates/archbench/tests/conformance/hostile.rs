//! Clients that mean no good, one by one or many at once, and crowds of those who mean no harm.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arch::nature::IdleConnection;
use rustix::process::Signal;

use crate::case::{Bench, Case, OnDrop, case};
use crate::client::{Client, PATIENCE, get, last_get, wait_until};
use crate::crowd::{Crowd, OneProcessor, Outcome, scaled};
use crate::server::Server;
use crate::table::Fault;

pub(crate) const CASES: &[Case] = &[case(
    "crowds_are_ended_by_deadlines",
    crowds_are_ended_by_deadlines,
)];

pub(crate) const FAULTS: &[Fault] = &[
    Fault::new(
        "clients_of_all_kinds",
        "200 clients drip, stall, read byte by byte or keep silent",
        clients_of_all_kinds,
    ),
    Fault::new(
        "five_thousand_that_say_nothing",
        "5,000 clients connect and say nothing",
        five_thousand_that_say_nothing,
    ),
    Fault::new(
        "ten_thousand_at_once",
        "10,000 clients connect at once, and ask",
        ten_thousand_at_once,
    ),
    Fault::new(
        "more_than_the_queue_holds",
        "more clients connect than the accept queue holds",
        more_than_the_queue_holds,
    ),
];

/// How the answer ends for `file.txt`.
const BODY: &[u8] = b"\r\n\r\nabcdefghijklmnopqrstuvwxyz";

/// What a client does who means no good.
#[derive(Debug, Clone, Copy)]
enum Habit {
    /// Sends a head byte by byte, for ever.
    Drips,
    /// Sends one half of a request.
    Stops,
    /// Says nothing.
    KeepsSilent,
    /// Asks for a large file and reads nothing of it.
    Stalls,
    /// Asks for many small files at once and reads nothing.
    AsksAndStalls,
    /// Asks for a large file and reads it byte by byte.
    Sips,
    /// Asks for a large file, closes its side and reads nothing.
    HalfCloses,
}

const HABITS: [Habit; 7] = [
    Habit::Drips,
    Habit::Stops,
    Habit::KeepsSilent,
    Habit::Stalls,
    Habit::AsksAndStalls,
    Habit::Sips,
    Habit::HalfCloses,
];

/// Clients that mean no good, in equal parts of every kind.
struct Gang(Vec<(Habit, Client)>);

impl Gang {
    fn gather(server: &Server, count: usize) -> Self {
        let begin = |number: usize| {
            let habit = HABITS[number % HABITS.len()];
            let mut client = Client::connect_with_small_buffer(server.address);
            match habit {
                Habit::Drips | Habit::KeepsSilent => {}
                Habit::Stops => client.send("GET /file.txt HTTP/1.1\r\nHo"),
                Habit::Stalls | Habit::Sips => client.send(get("/large.bin")),
                Habit::HalfCloses => {
                    client.send(get("/large.bin"));
                    client.half_close();
                }
                // What the server does not read stays behind.
                Habit::AsksAndStalls => {
                    client.socket.set_nonblocking(true).unwrap();
                    client.try_send(get("/kept.bin").repeat(1000));
                }
            }
            client.socket.set_nonblocking(true).unwrap();
            (habit, client)
        };
        Self((0..count).map(begin).collect())
    }

    /// Goes on until told not to, or until all have been dropped.
    fn carry_on(&mut self, enough: &AtomicBool) {
        while !enough.load(Relaxed) {
            for (habit, client) in &mut self.0 {
                // What becomes of it does not matter.
                let _ = match habit {
                    Habit::Drips => client.socket.write(b"x"),
                    Habit::Sips => client.socket.read(&mut [0]),
                    _ => Ok(0),
                };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A client that is served already, where others are served beside it.
fn one_beside(bench: &Bench, server: &Server) -> Option<Client> {
    bench.room.served_at_most().is_none().then(|| {
        let mut client = server.connect();
        assert_eq!(client.get("/file.txt").status, 200);
        client
    })
}

/// Where connections are served side by side, others are served beside them; where workers are all taken, others wait until
/// they leave.
fn clients_of_all_kinds(bench: &Bench) -> &'static str {
    let server = bench.serve(&[]);
    let enough = AtomicBool::new(false);
    let mut kept = one_beside(bench, &server);
    let before = server.memory();
    let mut gang = Gang::gather(&server, 200);
    let shown = std::thread::scope(|scope| {
        let _over = OnDrop(&enough);
        scope.spawn(|| gang.carry_on(&enough));
        match &mut kept {
            Some(kept) => {
                let since = Instant::now();
                let mut asked = 0;
                while since.elapsed() < Duration::from_millis(700) || asked < 5 {
                    assert_eq!(kept.get("/file.txt").status, 200);
                    assert_eq!(server.connect().get("/medium.bin").status, 200);
                    asked += 1;
                }
                let each = server.memory().saturating_sub(before) / 200;
                assert!(each < 100 << 10, "{each} bytes for each");
                "others are served beside them; less than 100 KiB of memory for each"
            }
            None => {
                let mut other = server.connect();
                other.send(get("/file.txt"));
                assert!(other.is_silent_for(Duration::from_millis(700)));
                "every worker is taken: others wait until they leave, or are dropped at their deadlines"
            }
        }
    });
    // They leave, some with a reset, because of what they have not read.
    drop(gang);
    let mut other = server.connect();
    assert_eq!(other.get("/file.txt").status, 200);
    drop((other, kept));
    let summary = server.stop();
    assert_eq!(summary["status"]["5xx"], 0, "{summary}");
    shown
}

/// If they do not leave, they are shown out.
fn crowds_are_ended_by_deadlines(bench: &Bench) {
    let server = bench.serve(&[
        "--idle-timeout",
        "300ms",
        "--request-timeout",
        "300ms",
        "--send-timeout",
        "300ms",
        "--linger-timeout",
        "300ms",
    ]);
    // One by one, where one is served at a time.
    let count = bench
        .room
        .served_at_most()
        .unwrap_or(70)
        .min(70)
        .max(HABITS.len());
    let empty = server.sockets_at_rest();
    let enough = AtomicBool::new(false);
    let mut gang = Gang::gather(&server, count);
    std::thread::scope(|scope| {
        let _over = OnDrop(&enough);
        scope.spawn(|| gang.carry_on(&enough));
        let mut other = server.connect();
        assert_eq!(other.get("/file.txt").status, 200);
        drop(other);
        wait_until("nothing is left of them", || server.sockets() <= empty);
    });
    let summary = server.stop();
    for what in ["reader_stalled", "request_timeout"] {
        assert!(
            summary["errors"][what].as_u64() > Some(0),
            "{what}: {summary}"
        );
    }
}

fn five_thousand_that_say_nothing(bench: &Bench) -> &'static str {
    let server = bench.serve(&["--idle-timeout", "1h"]);
    let mut kept = one_beside(bench, &server);
    let (before, none) = (server.memory(), server.sockets_at_rest());
    let count = scaled(5000);
    let mut crowd = Crowd::connect(server.address, count);
    // Of those who wait in the backlog, which is bounded, some cannot even connect.
    let patience = match &kept {
        Some(_) => PATIENCE,
        None => Duration::from_millis(500),
    };
    let connected = crowd.settle(count, patience);
    let shown = match &mut kept {
        Some(kept) => {
            assert_eq!(connected, count);
            wait_until("they are let in", || server.sockets() >= none + count);
            assert_eq!(kept.get("/file.txt").status, 200);
            assert_eq!(server.connect().get("/medium.bin").status, 200);
            let each = server.memory().saturating_sub(before) / count as u64;
            match bench.room.behaviour.idle_connection {
                IdleConnection::Place => {
                    assert!(each < 2 << 10, "{each} bytes for each");
                    "others are served beside them; less than 2 KiB of memory for each"
                }
                IdleConnection::Buffers => {
                    assert!((2 << 10..40 << 10).contains(&each), "{each} bytes for each");
                    "others are served beside them; less than 40 KiB of memory for each"
                }
                IdleConnection::Worker => {
                    assert!((2 << 10..64 << 10).contains(&each), "{each} bytes for each");
                    "others are served beside them; less than 64 KiB of memory for each"
                }
            }
        }
        None => {
            assert!(connected >= 1000, "{connected} connected");
            let pause = Duration::from_millis(500);
            if let Ok(mut other) = TcpStream::connect_timeout(&server.address, pause) {
                other.write_all(get("/file.txt").as_bytes()).unwrap();
                other.set_read_timeout(Some(pause)).unwrap();
                assert!(other.read(&mut [0]).is_err(), "it is answered");
            }
            "every worker is taken, and the backlog full: others wait until they leave"
        }
    };
    drop(crowd);
    let mut other = server.connect();
    assert_eq!(other.get("/file.txt").status, 200);
    drop((other, kept));
    wait_until("nothing is left of them", || server.sockets() <= none);
    server.stop();
    shown
}

fn ten_thousand_at_once(bench: &Bench) -> &'static str {
    let _alone = OneProcessor::take();
    let server = bench.serve(&[]);
    let count = scaled(10_000);
    let crowd = Crowd::connect(server.address, count);
    let outcome = crowd.ask(&last_get("/file.txt"), BODY);
    let all = Outcome {
        answered: count,
        ..Outcome::default()
    };
    assert_eq!(outcome, all);
    let summary = server.stop();
    assert_eq!(summary["requests"], count, "{summary}");
    "all are answered"
}

/// The kernel drops what it has no place for, and clients try again after a second or more.
fn more_than_the_queue_holds(bench: &Bench) -> &'static str {
    const CLIENTS: usize = 40;
    let _alone = OneProcessor::take();
    let server = bench.serve(&["--backlog", "8"]);
    server.sockets_at_rest();
    // So that nobody is let in meanwhile.
    server.signal_all(Signal::STOP);
    let mut crowd = Crowd::connect_every(Duration::from_millis(5), server.address, CLIENTS);
    let connected = crowd.settle(CLIENTS, Duration::from_millis(500));
    assert!(connected < CLIENTS, "the queue holds them all");
    server.signal_all(Signal::CONT);
    let outcome = crowd.ask(&last_get("/file.txt"), BODY);
    assert_eq!(outcome.answered, CLIENTS, "{outcome:?}");
    assert_eq!(server.stop()["requests"], CLIENTS);
    "they try again, and all are answered"
}
