//! Processes that end while they serve.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use arch::nature::Killed;
use rustix::process::{Signal, kill_process};

use crate::case::{Bench, Case, OnDrop, case_of_each_behaviour};
use crate::client::{Client, End, get, wait_until};
use crate::loops::{SLOW, of_two_loops};
use crate::server::Server;
use crate::site::{Garden, assert_contents};
use crate::table::Fault;

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("of_one_that_is_told_to_end", of_one_that_is_told_to_end),
    case_of_each_behaviour(
        "of_one_that_is_told_to_end_while_it_waits",
        of_one_that_is_told_to_end_while_it_waits,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[Fault::new(
    "of_one_that_is_killed",
    "a process that serves is killed (SIGKILL) under load",
    of_one_that_is_killed,
)
.of_each_behaviour()];

fn of_one_that_is_killed(bench: &Bench) -> &'static str {
    const KILLED: usize = 5;
    let killed = bench.room.behaviour.killed;
    if killed == Killed::Server {
        let server = bench.serve(&[]);
        assert_eq!(server.processes().len(), 1);
        let mut client = server.connect();
        assert_eq!(client.get("/file.txt").status, 200);
        server.signal(Signal::KILL);
        if bench.room.has_own_stack() {
            let (status, _) = server.end();
            assert_eq!(status.code(), None);
            assert!(client.is_silent_for(Duration::from_millis(200)));
            // Now the kernel has the interface, and knows of no such connection.
            client.send(get("/file.txt"));
            assert_eq!(client.ending(), (Vec::new(), End::Reset));
            return "it is the only one, and all ends with it; its clients are told nothing before they send";
        }
        assert_eq!(client.ending().0, b"");
        let (status, _) = server.end();
        assert_eq!(status.code(), None);
        return "it is the only one, and all ends with it";
    }
    if killed == Killed::LoopReplaced {
        return of_a_loop_that_is_killed(bench);
    }
    let server = bench.serve(&bench.room.workers("10"));
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
    let (counted, shown) = match killed {
        Killed::Replaced => {
            wait_for_workers(&server, 10);
            (
                "worker_replaced",
                "its client alone loses an answer; another takes its place, and nobody else notices",
            )
        }
        _ => {
            assert!(lost > 0, "each belonged to a connection");
            (
                "connection_broken",
                "its client alone loses an answer, and nobody else notices",
            )
        }
    };
    assert_eq!(server.connect().get("/file.txt").status, 200);
    let summary = server.stop();
    let counted = summary["errors"][counted].as_u64().unwrap_or(0) as usize;
    assert!((lost..=KILLED).contains(&counted), "{lost}: {summary}");
    shown
}

/// One of two.
fn of_a_loop_that_is_killed(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("file.txt", "file\n");
    let options = [&bench.room.workers("2")[..], &SLOW].concat();
    let server = bench.serve_from(garden.root(), &options);
    let groups = of_two_loops(&server);
    kill_process(server.processes()[1], Signal::KILL).unwrap();
    let are_served = groups.map(|clients| {
        let served = clients.into_iter().map(|mut client| {
            let answer = client.try_get("/file.txt");
            answer.is_some_and(|answer| answer.status == 200)
        });
        served.collect::<Vec<_>>()
    });
    let whole = |group: &Vec<bool>, served| group.iter().all(|&is_served| is_served == served);
    let [one, other] = &are_served;
    assert!(
        whole(one, true) && whole(other, false) || whole(one, false) && whole(other, true),
        "{are_served:?}"
    );
    wait_for_workers(&server, 2);
    of_two_loops(&server);
    let summary = server.stop();
    assert_eq!(summary["errors"]["worker_replaced"], 1, "{summary}");
    "all connections of its loop end; another takes its place, and nobody else notices"
}

fn of_one_that_is_told_to_end(bench: &Bench) {
    if !bench.room.behaviour.replaces_processes() {
        return;
    }
    let options = [&bench.room.workers("2")[..], &["--drain-timeout", "300ms"]].concat();
    let server = bench.serve(&options);
    wait_for_workers(&server, 2);
    let told = server.processes()[1];
    kill_process(told, Signal::TERM).unwrap();
    wait_until("the worker ends", || !server.processes().contains(&told));
    // The listener is not shut to the others.
    wait_for_workers(&server, 2);
    for _ in 0..10 {
        assert_eq!(server.connect().get("/file.txt").status, 200);
    }
    server.stop();
}

/// A client that it lets in after that has time to ask.
fn of_one_that_is_told_to_end_while_it_waits(bench: &Bench) {
    if !bench.room.behaviour.replaces_processes() {
        return;
    }
    let server = bench.serve(&bench.room.workers("1"));
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
