//! Descriptors, threads and workers that are missing.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::client::{PATIENCE, get, last_get};
use crate::nature::concurrent;
use crate::server::{Recipe, Server};
use crate::site::Garden;
use crate::{Bench, Case};

pub(crate) const CASES: &[Case] = &[
    (
        "of_descriptors_to_accept_with",
        of_descriptors_to_accept_with,
    ),
    ("of_descriptors_to_open_with", of_descriptors_to_open_with),
    (
        "of_descriptors_that_names_hold",
        of_descriptors_that_names_hold,
    ),
    ("of_threads", of_threads),
    ("of_a_worker_that_was_killed", of_a_worker_that_was_killed),
    (
        "of_a_worker_that_was_told_to_end",
        of_a_worker_that_was_told_to_end,
    ),
    (
        "of_descriptors_after_a_thousand_connections",
        of_descriptors_after_a_thousand_connections,
    ),
];

/// Forbids a process descriptors beyond those that it has and `more`.
fn limit_descriptors(server: &Server, more: usize) {
    for process in server.processes() {
        let limit = Some((server.descriptors() + more) as u64);
        let limit = Rlimit {
            current: limit,
            maximum: limit,
        };
        prlimit(Some(process), Resource::Nofile, limit).expect("the limit is lowered");
    }
}

fn of_descriptors_to_accept_with(bench: &Bench) {
    if !concurrent(bench) || bench.model.has("--processes") {
        // A process that serves one connection at a time has no use for more.
        return;
    }
    // Looking a name up afresh takes a descriptor too.
    let server = bench.serve(&["--revalidate", "1h"]);
    assert_eq!(server.connect().get("/file.txt").status, 200);
    std::thread::sleep(Duration::from_millis(50));
    limit_descriptors(&server, 4);
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(get("/file.txt"));
    }
    std::thread::sleep(Duration::from_millis(200));
    // It waits for descriptors, and does not ask for them all the time.
    let before = server.cpu();
    std::thread::sleep(Duration::from_millis(1000));
    let spent = server.cpu() - before;
    assert!(
        spent <= Duration::from_millis(200),
        "{spent:?} of processor time in a second of waiting"
    );
    // All are served in the end, as others leave.
    let deadline = Instant::now() + PATIENCE;
    while !clients.is_empty() {
        assert!(
            Instant::now() < deadline,
            "{} are never served",
            clients.len()
        );
        clients.retain_mut(|client| {
            let served = !client.is_silent_for(Duration::from_millis(5));
            if served {
                assert_eq!(client.answer().status, 200);
            }
            !served
        });
    }
    assert_eq!(server.connect().get("/file.txt").status, 200);
    let summary = server.stop();
    assert!(
        summary["errors"]["accept_failed"].as_u64() > Some(0),
        "{summary}"
    );
    assert_eq!(summary["status"]["5xx"], 0, "{summary}");
}

/// The descriptor that a process will get next.
fn first_free_descriptor(process: Pid) -> u64 {
    let open =
        std::fs::read_dir(format!("/proc/{}/fd", process.as_raw_nonzero())).expect("a process");
    let open: Vec<u64> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    (0..)
        .find(|number| !open.contains(number))
        .expect("a number")
}

/// Where a connection can be had and a file cannot: 503, and later the file.
fn of_descriptors_to_open_with(bench: &Bench) {
    let few: &[&str] = if bench.model.has("--processes") {
        &["--processes", "1"]
    } else {
        &[]
    };
    let server = bench.serve(&[few, &["--name-cache", "0"]].concat());
    let mut client = server.connect();
    assert_eq!(client.get("/file.txt").status, 200);
    let worker = *server.processes().last().expect("a process");
    let free = first_free_descriptor(worker);
    // The server's own, which is that of whoever started it.
    let before = rustix::process::getrlimit(Resource::Nofile).maximum;
    let limit = |current| Rlimit {
        current,
        maximum: before,
    };
    prlimit(Some(worker), Resource::Nofile, limit(Some(free))).expect("the limit is lowered");
    let answer = client.get("/medium.bin");
    assert_eq!(
        (answer.status, answer.field("retry-after"), answer.closes()),
        (503, Some("1"), false)
    );
    prlimit(Some(worker), Resource::Nofile, limit(before)).expect("the limit is raised");
    assert_eq!(client.get("/medium.bin").status, 200);
}

/// More files than descriptors: the cache of names must leave some for connections.
fn of_descriptors_that_names_hold(bench: &Bench) {
    let garden = Garden::new();
    let names: Vec<_> = (0..150).map(|number| format!("/{number}.bin")).collect();
    for name in &names {
        garden.write(&name[1..], crate::site::contents("x", 10_000));
    }
    let few: &[&str] = if bench.model.has("--processes") {
        &["--processes", "1"]
    } else {
        &[]
    };
    let server = Recipe::with_descriptors(80, &bench.model, garden.root())
        .args(few)
        .start();
    for round in 0..2 {
        for name in &names {
            let mut client = server.connect();
            client.send(last_get(name));
            assert_eq!(client.answer().status, 200, "{name} in round {round}");
        }
    }
    let summary = server.stop();
    assert_eq!(summary["errors"]["accept_failed"], 0, "{summary}");
}

/// Where a connection needs a thread that cannot be had: 503, and the door stays open.
fn of_threads(bench: &Bench) {
    if !bench.model.has("--stack-size") {
        return;
    }
    let server = bench.serve(&[
        "--stack-size",
        "512m",
        "--linger-timeout",
        "300ms",
        "--max-connections",
        "12",
    ]);
    // Address space for a few such stacks.
    let room = Some(3 << 30);
    prlimit(
        Some(server.pid()),
        Resource::As,
        Rlimit {
            current: room,
            maximum: room,
        },
    )
    .expect("the limit is lowered");
    let mut served = Vec::new();
    let mut refused = 0;
    for _ in 0..10 {
        let mut client = server.connect();
        let answer = client.get("/file.txt");
        if answer.status == 200 {
            served.push(client);
        } else {
            assert_eq!((answer.status, answer.closes()), (503, true));
            assert_eq!(client.read_to_end(), b"");
            refused += 1;
        }
    }
    assert!(
        refused > 0 && !served.is_empty(),
        "{refused} refused, {} served",
        served.len()
    );
    for client in &mut served {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    served.clear();
    // Whoever was refused holds no place, although the limit is 12; and those who left make room for others.
    let deadline = Instant::now() + PATIENCE;
    let mut answered = 0;
    while answered < 20 {
        assert!(Instant::now() < deadline, "it never recovers");
        let mut client = server.connect();
        client.send(last_get("/file.txt"));
        match client.answer().status {
            200 => answered += 1,
            status => assert_eq!(status, 503),
        }
    }
    let since = Instant::now();
    server.stop();
    assert!(
        since.elapsed() < Duration::from_secs(5),
        "it waited for those it had refused"
    );
}

fn wait_for_workers(server: &Server, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while server.processes().len() != count + 1 {
        assert!(Instant::now() < deadline, "there are not {count} workers");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn of_a_worker_that_was_killed(bench: &Bench) {
    if !bench.model.has("--processes") {
        return;
    }
    let server = bench.serve(&["--processes", "4"]);
    wait_for_workers(&server, 4);
    let connect = || {
        let mut client = server.connect();
        assert_eq!(client.get("/file.txt").status, 200);
        client
    };
    let mut kept: Vec<_> = (0..3).map(|_| connect()).collect();
    let workers: Vec<_> = server.processes().split_off(1);
    let killed = workers.len();
    for worker in workers {
        kill_process(worker, Signal::KILL).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        // It loses its own client, if it has one, and nobody else's.
        let mut lost = 0;
        for client in &mut kept {
            if client.is_silent_for(Duration::from_millis(20)) {
                assert_eq!(client.get("/file.txt").status, 200);
            } else {
                *client = connect();
                lost += 1;
            }
        }
        assert!(lost <= 1, "one death, {lost} victims");
    }
    wait_for_workers(&server, 4);
    // As many clients at a time as before.
    kept.push(connect());
    for client in &mut kept {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    drop(kept);
    let summary = server.stop();
    assert_eq!(summary["errors"]["worker_replaced"], killed, "{summary}");
}

fn of_a_worker_that_was_told_to_end(bench: &Bench) {
    if !bench.model.has("--processes") {
        return;
    }
    let server = bench.serve(&["--processes", "2", "--drain-timeout", "300ms"]);
    wait_for_workers(&server, 2);
    let told = server.processes()[1];
    kill_process(told, Signal::TERM).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.processes().contains(&told) {
        assert!(Instant::now() < deadline, "the worker goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
    // The door is not shut to the others.
    wait_for_workers(&server, 2);
    for _ in 0..10 {
        assert_eq!(server.connect().get("/file.txt").status, 200);
    }
    server.stop();
}

fn of_descriptors_after_a_thousand_connections(bench: &Bench) {
    let few: &[&str] = if bench.model.has("--processes") {
        &["--processes", "2"]
    } else {
        &[]
    };
    let server = bench.serve(few);
    let ask = |count: usize| {
        for number in 0..count {
            let mut client = server.connect();
            match number % 5 {
                0 => client.send(get("/medium.bin")),
                1 => client.send("NONSENSE\r\n\r\n"),
                2 => client.send("GET /"),
                3 => client.send(last_get("/nowhere")),
                _ => assert_eq!(client.get("/file.txt").status, 200),
            }
            if number % 2 == 0 {
                client.reset();
            }
        }
        // Until the server has taken note of the last of them.
        std::thread::sleep(Duration::from_millis(200));
        let mut client = server.connect();
        client.send(last_get("/file.txt"));
        client.read_to_end();
        std::thread::sleep(Duration::from_millis(100));
        (server.descriptors(), server.memory())
    };
    let (descriptors, memory) = ask(300);
    let (later_descriptors, later_memory) = ask(700);
    assert!(
        later_descriptors <= descriptors + 3,
        "{descriptors} descriptors became {later_descriptors}"
    );
    assert!(
        later_memory <= memory + (3 << 20),
        "{memory} bytes became {later_memory}"
    );
}
