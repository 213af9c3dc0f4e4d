//! What one architecture can and another cannot, stated and tested in both directions.

use std::time::{Duration, Instant};

use crate::client::{Client, PATIENCE, get, last_get, wait_until};
use crate::server::Server;
use crate::site::Garden;
use crate::{Bench, Case};

pub(crate) const CASES: &[Case] = &[
    (
        "others_are_served_while_one_dawdles",
        others_are_served_while_one_dawdles,
    ),
    (
        "others_are_served_while_the_disk_is_slow",
        others_are_served_while_the_disk_is_slow,
    ),
    (
        "what_was_slow_once_is_quick_then",
        what_was_slow_once_is_quick_then,
    ),
    (
        "connections_beyond_the_limit_wait",
        connections_beyond_the_limit_wait,
    ),
    (
        "workers_that_are_all_taken_make_others_wait",
        workers_that_are_all_taken_make_others_wait,
    ),
];

/// Architectures of which one client that dawdles makes all others wait.
const ONE_AT_A_TIME: &[&str] = &["iterative"];
/// Architectures of which one slow file makes everybody wait: those, and whoever runs every step in one loop.
const WAIT_FOR_THE_DISK: &[&str] = &["iterative", "sped"];

/// Architectures in which a connection holds one of a bounded number of workers for as long as it lives, and how many there
/// are by default.
const HOLD_A_WORKER: &[(&str, usize)] = &[("iterative", 1), ("mp", 32), ("pool", 64)];
/// Architectures that a defect in any step ends altogether.
const END_WITH_A_DEFECT: &[&str] = &["iterative", "sped"];

/// How many connections can be served at a time by default, where that is bounded by workers.
pub(crate) fn workers(bench: &Bench) -> Option<usize> {
    HOLD_A_WORKER
        .iter()
        .find(|(name, _)| *name == bench.model.name)
        .map(|(_, workers)| *workers)
}

/// Whether a defect in one step ends the server.
pub(crate) fn ends_with_a_defect(bench: &Bench) -> bool {
    END_WITH_A_DEFECT.contains(&&bench.model.name[..])
}

/// Options for so many workers, where there are workers whose number can be chosen.
pub(crate) fn with_workers<'a>(bench: &Bench, count: &'a str) -> Vec<&'a str> {
    if bench.model.has("--processes") {
        vec!["--processes", count]
    } else if bench.model.has("--queue") {
        vec!["--threads", count]
    } else if bench.model.has("--helpers") {
        vec!["--helpers", count]
    } else {
        vec![]
    }
}

/// Every way in which an architecture makes its workers.
pub(crate) fn ways_of_spawning(bench: &Bench) -> &'static [&'static [&'static str]] {
    match bench.model.has("--spawn") {
        true => &[&["--spawn", "prefork"], &["--spawn", "connection"]],
        false => &[&[]],
    }
}

/// Whether a second client is served while a first one keeps its connection.
pub(crate) fn concurrent(bench: &Bench) -> bool {
    !ONE_AT_A_TIME.contains(&&bench.model.name[..])
}

fn others_are_served_while_one_dawdles(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut idle = server.connect();
    assert_eq!(idle.get("/file.txt").status, 200);
    let mut dripping = concurrent(bench).then(|| server.connect());
    if let Some(dripping) = &mut dripping {
        dripping.send("GET /fi");
    }
    let mut other = server.connect();
    other.send(get("/again.txt"));
    if concurrent(bench) {
        assert_eq!(other.answer().body, b"again\n");
        let mut dripping = dripping.expect("connected");
        dripping.send("le.txt HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(dripping.answer().status, 200);
        assert_eq!(idle.get("/file.txt").status, 200);
    } else {
        assert!(
            other.is_silent_for(Duration::from_millis(500)),
            "{} serves two at a time",
            bench.model.name
        );
        // It recovers as soon as the first one leaves.
        drop(idle);
        assert_eq!(other.answer().body, b"again\n");
    }
}

/// The exhibit of the Flash paper. One file takes long to be found and to be read; does another that is at hand wait for it?
fn others_are_served_while_the_disk_is_slow(bench: &Bench) {
    let garden = Garden::new();
    garden.write(
        "slow/first.bin",
        crate::site::contents("first.bin", 200_000),
    );
    garden.write("slow/small.txt", "slow\n");
    garden.write("quick.txt", "quick\n");
    // What has changed just now is not kept in memory.
    std::thread::sleep(Duration::from_millis(50));
    let waits = WAIT_FOR_THE_DISK.contains(&&bench.model.name[..]);
    // Nobody waits for those that take a quarter of a minute: they are not at an end when the test is.
    let slow = if waits { "/slow/=400" } else { "/slow/=15000" };
    for path in ["/slow/first.bin", "/slow/small.txt", "/slow/nowhere"] {
        let server = bench.serve_from(garden.root(), &["--slow", slow]);
        // At hand from now on. The connection is kept only where another can be served beside it.
        let mut quick = server.connect();
        quick.send(if concurrent(bench) {
            get("/quick.txt")
        } else {
            last_get("/quick.txt")
        });
        assert_eq!(quick.answer().body, b"quick\n");
        let sockets = server.sockets_at_rest();
        let mut slow = server.connect();
        slow.send(last_get(path));
        // Until the server is at it.
        wait_until("it is let in", || server.sockets() > sockets);
        std::thread::sleep(Duration::from_millis(100));
        if !concurrent(bench) {
            quick = server.connect();
        }
        quick.send(last_get("/quick.txt"));
        assert_eq!(quick.answer().body, b"quick\n");
        let slow_came_first = slow.has_something();
        assert_eq!(slow_came_first, waits, "{}: {path}", bench.model.name);
    }
}

fn what_was_slow_once_is_quick_then(bench: &Bench) {
    let garden = Garden::new();
    garden.write("slow/file.bin", crate::site::contents("file.bin", 200_000));
    garden.write("slow/small.txt", "slow\n");
    let server = bench.serve_from(
        garden.root(),
        &["--slow", "slow/=100", "--revalidate", "1h"],
    );
    let mut client = server.connect();
    for path in ["/slow/file.bin", "/slow/small.txt"] {
        let mut took = || {
            let since = Instant::now();
            assert_eq!(client.get(path).status, 200);
            since.elapsed()
        };
        assert!(
            took() >= Duration::from_millis(200),
            "{path}: found and read at once"
        );
        let best = (0..10).map(|_| took()).min();
        assert!(
            best < Some(Duration::from_millis(100)),
            "{path}: slow for ever"
        );
    }
}

/// How many of `clients`, each of which has sent a request, are answered though nobody leaves: `expected`, and no more a while
/// later.
fn answered(clients: &[Client], expected: usize) -> usize {
    let answered = || {
        clients
            .iter()
            .filter(|client| client.has_something())
            .count()
    };
    let deadline = Instant::now() + PATIENCE;
    while answered() < expected && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(250));
    answered()
}

fn ask_all(server: &Server, count: usize) -> Vec<Client> {
    let ask = |_| {
        let mut client = server.connect();
        client.send(get("/file.txt"));
        client
    };
    (0..count).map(ask).collect()
}

fn connections_beyond_the_limit_wait(bench: &Bench) {
    // In each process; so there is but one that serves.
    let mut options = vec!["--max-connections", "2"];
    if bench.model.has("--processes") {
        options.extend(["--processes", "2"]);
    }
    let served = if concurrent(bench) { 2 } else { 1 };
    let mut variants = vec![options.clone()];
    if bench.model.has("--spawn") {
        variants.push([&options[..], &["--spawn", "prefork"]].concat());
        variants.push([&options[..], &["--spawn", "connection"]].concat());
    }
    for options in variants {
        let server = bench.serve(&options);
        // All workers are at the door before the first client comes.
        std::thread::sleep(Duration::from_millis(100));
        let mut clients = ask_all(&server, 6);
        assert_eq!(answered(&clients, served), served, "{options:?}");
        // Each that leaves lets another in.
        while !clients.is_empty() {
            let place = clients
                .iter_mut()
                .position(|client| !client.is_silent_for(Duration::from_millis(50)));
            let Some(place) = place else { continue };
            assert_eq!(clients.remove(place).answer().body.len(), 26);
        }
        assert_eq!(server.stop()["requests"], 6, "{options:?}");
    }
}

/// Where a worker belongs to a connection, so many clients as there are workers are served, and the others wait.
fn workers_that_are_all_taken_make_others_wait(bench: &Bench) {
    let workers: &[&[&str]] = if bench.model.has("--processes") {
        &[&["--processes", "3"]]
    } else if bench.model.has("--stack-size") {
        &[&["--spawn", "prefork", "--threads", "3"]]
    } else if bench.model.has("--queue") {
        &[&["--threads", "3"], &["--threads", "3", "--queue", "1"]]
    } else {
        return;
    };
    for options in workers {
        let server = bench.serve(options);
        let clients = ask_all(&server, 8);
        assert_eq!(answered(&clients, 3), 3, "{options:?}");
        drop(clients);
        // The keep-alive clients have left; with connections that are not kept, nobody starves.
        let options = [options, &["--keep-alive", "off"][..]].concat();
        let server = bench.serve(&options);
        for mut client in ask_all(&server, 20) {
            assert_eq!(client.answer().status, 200, "{options:?}");
        }
        if bench.model.has("--when-full") {
            let options = [
                "--threads",
                "1",
                "--queue",
                "1",
                "--when-full",
                "refuse",
                "--linger-timeout",
                "200ms",
            ];
            let server = bench.serve(&options);
            let mut holder = server.connect();
            assert_eq!(holder.get("/file.txt").status, 200);
            let mut queued = ask_all(&server, 1).remove(0);
            assert!(queued.is_silent_for(Duration::from_millis(100)));
            for _ in 0..3 {
                let mut refused = server.connect();
                refused.send(get("/file.txt"));
                let answer = refused.answer();
                assert_eq!((answer.status, answer.closes()), (503, true));
                assert_eq!(answer.field("retry-after"), Some("1"));
                assert_eq!(refused.read_to_end(), b"");
                crate::shortage::assert_let_go(&mut refused);
            }
            drop(holder);
            assert_eq!(queued.answer().status, 200);
            drop(queued);
            let started = Instant::now();
            while server.connect().get("/file.txt").status != 200 {
                assert!(
                    started.elapsed() < crate::client::PATIENCE,
                    "it never recovers"
                );
            }
            let summary = server.stop();
            assert_eq!(summary["errors"]["connection_refused_503"], 3, "{summary}");
        }
    }
}
