//! Processes that end while they serve.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::client::{Client, wait_until};
use crate::nature::ways_of_spawning;
use crate::server::Server;
use crate::site::assert_contents;
use crate::table::Fault;
use crate::{Bench, Case, OnDrop};

pub(crate) const CASES: &[Case] = &[
    ("of_one_that_is_told_to_end", of_one_that_is_told_to_end),
    (
        "of_one_that_is_told_to_end_while_it_waits",
        of_one_that_is_told_to_end_while_it_waits,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[Fault::new(
    "of_one_that_is_killed",
    "a process that serves is killed (SIGKILL) under load",
    of_one_that_is_killed,
)];

fn of_one_that_is_killed(bench: &Bench) -> &'static str {
    if !bench.model.has("--processes") {
        let server = bench.serve(&[]);
        assert_eq!(server.processes().len(), 1);
        let mut client = server.connect();
        assert_eq!(client.get("/file.txt").status, 200);
        server.signal(Signal::KILL);
        assert_eq!(client.ending().0, b"");
        let (status, _) = server.end();
        assert_eq!(status.code(), None);
        return "it is the only one, and all ends with it";
    }
    const KILLED: usize = 5;
    for spawn in ways_of_spawning(bench) {
        let server = bench.serve(&[spawn, &["--processes", "10"][..]].concat());
        let (done, had) = (AtomicBool::new(false), AtomicUsize::new(0));
        let lost: usize = std::thread::scope(|scope| {
            // Whatever fails here, the clients come to an end.
            let over = OnDrop(&done);
            let ask = || scope.spawn(|| ask_until(&done, &had, server.address));
            let clients: Vec<_> = (0..6).map(|_| ask()).collect();
            let wait_for_answers = || {
                let before = had.load(Relaxed);
                wait_until("they are answered", || had.load(Relaxed) >= before + 20);
            };
            let mut killed = 0;
            while killed < KILLED {
                wait_for_answers();
                let workers = server.processes().split_off(1);
                // One that belongs to a connection may have ended by now.
                if let Some(worker) = workers.get(killed % workers.len().max(1)) {
                    killed += usize::from(kill_process(*worker, Signal::KILL).is_ok());
                }
            }
            wait_for_answers();
            drop(over);
            clients
                .into_iter()
                .map(|client| client.join().unwrap())
                .sum()
        });
        assert!(lost <= KILLED, "{KILLED} deaths, {lost} lost answers");
        let replaced = spawn.contains(&"prefork");
        if replaced {
            wait_for_workers(&server, 10);
        } else {
            assert!(lost > 0, "each belonged to a connection");
        }
        assert_eq!(server.connect().get("/file.txt").status, 200);
        let summary = server.stop();
        let counted = match replaced {
            true => "worker_replaced",
            false => "connection_broken",
        };
        let counted = summary["errors"][counted].as_u64().unwrap_or(0) as usize;
        assert!((lost..=KILLED).contains(&counted), "{lost}: {summary}");
    }
    "its client alone loses an answer; another takes its place, and nobody else notices"
}

fn of_one_that_is_told_to_end(bench: &Bench) {
    if !bench.model.has("--processes") {
        return;
    }
    let server = bench.serve(&["--processes", "2", "--drain-timeout", "300ms"]);
    wait_for_workers(&server, 2);
    let told = server.processes()[1];
    kill_process(told, Signal::TERM).unwrap();
    wait_until("the worker ends", || !server.processes().contains(&told));
    // The door is not shut to the others.
    wait_for_workers(&server, 2);
    for _ in 0..10 {
        assert_eq!(server.connect().get("/file.txt").status, 200);
    }
    server.stop();
}

/// A client that it lets in after that has time to ask.
fn of_one_that_is_told_to_end_while_it_waits(bench: &Bench) {
    if !bench.model.has("--processes") {
        return;
    }
    let server = bench.serve(&["--processes", "1"]);
    wait_for_workers(&server, 1);
    kill_process(server.processes()[1], Signal::TERM).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let mut client = server.connect();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(client.get("/file.txt").status, 200);
    server.stop();
}

fn wait_for_workers(server: &Server, count: usize) {
    wait_until("there are as many workers as there must be", || {
        server.processes().len() == count + 1
    });
}

/// A client that asks again and again, and counts the answers that it has; how many it lost.
fn ask_until(done: &AtomicBool, had: &AtomicUsize, address: SocketAddr) -> usize {
    let mut lost = 0;
    let mut client = Client::connect(address);
    while !done.load(Relaxed) {
        let path = if had.load(Relaxed).is_multiple_of(3) {
            "medium.bin"
        } else {
            "kept.bin"
        };
        match client.try_get(&format!("/{path}")) {
            Some(answer) => {
                assert_eq!(answer.status, 200);
                assert_contents(path, 0, &answer.body);
                had.fetch_add(1, Relaxed);
            }
            None => {
                lost += 1;
                client = Client::connect(address);
            }
        }
    }
    lost
}
