//! Descriptors that are not to be had.

use std::time::Duration;

use arch::nature::{DiskWait, Killed};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::case::Bench;
use crate::client::{get, last_get, wait_until};
use crate::server::{Recipe, Server};
use crate::site::Garden;

pub(super) fn of_descriptors_until_others_leave(bench: &Bench) {
    let needs_many = bench.room.is_concurrent() && bench.room.behaviour.killed == Killed::Server;
    if !needs_many || bench.room.has_own_stack() {
        // A process that serves one connection at a time has no use for more, and one whose sockets are none of the kernel's for none.
        return;
    }
    // Looking a name up afresh takes a descriptor too.
    let server = bench.serve(&["--revalidate", "1h"]);
    assert_eq!(server.connect().get("/file.txt").status, 200);
    server.sockets_at_rest();
    limit(&server, Resource::Nofile, |process| {
        Some(first_free_descriptor(process) + 4)
    });
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(get("/file.txt"));
    }
    // All are served in the end, as others leave.
    wait_until("all are served", || {
        clients.retain_mut(|client| {
            let served = client.has_something();
            if served {
                assert_eq!(client.answer().status, 200);
            }
            !served
        });
        clients.is_empty()
    });
    assert_eq!(server.connect().get("/file.txt").status, 200);
    let summary = server.stop();
    assert!(
        summary["errors"]["accept_failed"].as_u64() > Some(0),
        "{summary}"
    );
    assert_eq!(summary["status"]["5xx"], 0, "{summary}");
}

/// Changes the soft limit of all processes of a server, and nobody's hard one.
fn limit(server: &Server, resource: Resource, to: impl Fn(Pid) -> Option<u64>) {
    let maximum = rustix::process::getrlimit(resource).maximum;
    for process in server.processes() {
        let current = to(process);
        let limit = Rlimit { current, maximum };
        // A process may be gone by now.
        let _ = prlimit(Some(process), resource, limit);
    }
}

pub(super) fn of_descriptors_to_accept_with(bench: &Bench) -> &'static str {
    // Looking a name up afresh takes a descriptor too.
    // Every worker knows the file; of loops it is chance which one a client meets.
    let count = match bench.room.behaviour.disk_wait {
        DiskWait::Loop { .. } => "1",
        _ => "3",
    };
    let options = [&bench.room.workers(count)[..], &["--revalidate", "1h"]].concat();
    let server = bench.serve(&options);
    let mut clients: Vec<_> = (0..if bench.room.is_concurrent() { 3 } else { 1 })
        .map(|_| server.connect())
        .collect();
    for client in &mut clients {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    drop(clients);
    server.sockets_at_rest();
    limit(&server, Resource::Nofile, |process| {
        Some(first_free_descriptor(process))
    });
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(last_get("/file.txt"));
    }
    if bench.room.has_own_stack() {
        for mut client in clients {
            assert_eq!(client.answer().status, 200);
        }
        assert_eq!(server.stop()["errors"]["accept_failed"], 0);
        return "nothing: a connection of its own TCP takes none";
    }
    // Whoever waits in a blocking accept has had its descriptor before, so that a few are served nevertheless.
    std::thread::sleep(Duration::from_millis(300));
    let before = server.cpu();
    std::thread::sleep(Duration::from_millis(1000));
    let spent = server.cpu() - before;
    assert!(
        spent <= Duration::from_millis(200),
        "{spent:?} of processor time in a second of waiting"
    );
    clients.retain_mut(|client| client.is_silent_for(Duration::from_millis(1)));
    assert!(clients.len() >= 4, "{} wait", clients.len());
    let all = rustix::process::getrlimit(Resource::Nofile).maximum;
    limit(&server, Resource::Nofile, |_| all);
    // Each leaves when it has its answer: where one is served at a time, the next waits for that.
    for mut client in clients {
        assert_eq!(client.answer().status, 200);
    }
    let summary = server.stop();
    assert!(
        summary["errors"]["accept_failed"].as_u64() > Some(0),
        "{summary}"
    );
    assert_eq!(summary["status"]["5xx"], 0, "{summary}");
    "it waits in the backlog, at no cost in processor time, and is served when there are some"
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
pub(super) fn of_descriptors_to_open_with(bench: &Bench) -> &'static str {
    let few = bench.room.workers("1");
    let server = bench.serve(&[&few[..], &["--name-cache", "0"]].concat());
    let mut client = server.connect();
    assert_eq!(client.get("/file.txt").status, 200);
    limit(&server, Resource::Nofile, |process| {
        Some(first_free_descriptor(process))
    });
    let answer = client.get("/medium.bin");
    assert_eq!(
        (answer.status, answer.field("retry-after"), answer.closes()),
        (503, Some("1"), false)
    );
    let all = rustix::process::getrlimit(Resource::Nofile).maximum;
    limit(&server, Resource::Nofile, |_| all);
    assert_eq!(client.get("/medium.bin").status, 200);
    "503 with Retry-After; the connection is kept, and has the file when there are some"
}

/// More files than descriptors: the cache of names must leave some for connections.
pub(super) fn of_descriptors_that_names_hold(bench: &Bench) {
    let garden = Garden::new();
    let names: Vec<_> = (0..150).map(|number| format!("/{number}.bin")).collect();
    for name in &names {
        garden.write(&name[1..], crate::site::contents("x", 10_000));
    }
    let server = Recipe::with_limit('n', 80, &bench.room, garden.root())
        .args(bench.room.workers("1"))
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

pub(super) fn of_descriptors_after_a_thousand_connections(bench: &Bench) {
    let server = bench.serve(&bench.room.workers("2"));
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
        let mut client = server.connect();
        client.send(last_get("/file.txt"));
        client.read_to_end();
        server.sockets_at_rest();
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
