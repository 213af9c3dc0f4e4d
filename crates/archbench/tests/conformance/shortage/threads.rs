//! Threads and processes that are not to be had, nor memory for their stacks.

use std::time::{Duration, Instant};

use arch::nature::{Carrier, Concurrency};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::case::Bench;
use crate::client::{Client, PATIENCE, last_get, wait_until};
use crate::server::{Recipe, Server};

/// Where a connection needs a thread that cannot be had: 503, and others are accepted as before.
pub(super) fn of_address_space_for_threads(bench: &Bench) {
    let one_each = Concurrency::OneEach(Carrier::Thread);
    if bench.room.behaviour.concurrency != one_each || !bench.room.has("--stack-size") {
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
    wait_until_served(&server, 20);
    let since = Instant::now();
    server.stop();
    assert!(
        since.elapsed() < Duration::from_secs(5),
        "it waited for those it had refused"
    );
}

/// Where a connection needs a thread or a process of its own, it is refused when there is none; nobody else notices.
pub(super) fn of_threads_and_processes(bench: &Bench) -> &'static str {
    let few = bench.room.workers("3");
    let options = [&few[..], &["--linger-timeout", "300ms"]].concat();
    let unlimited = bench.recipe().for_a_stranger().args(&options).start();
    unlimited.sockets_at_rest();
    let own = tasks(&unlimited);
    unlimited.stop();
    // With one more or less, a process can be had and its thread cannot.
    for most in [own + 4, own + 5] {
        let server = Recipe::with_limit('u', most, &bench.room, bench.site.root())
            .for_a_stranger()
            .args(&options)
            .start();
        let (mut served, mut refused) = (Vec::new(), 0);
        let clients = match bench.room.is_concurrent() {
            true if bench.room.makes_one_each() => 8,
            true => 3,
            false => 1,
        };
        for _ in 0..clients {
            let mut client = server.connect();
            let answer = client.get("/file.txt");
            if answer.status == 200 {
                served.push(client);
                continue;
            }
            assert_eq!((answer.status, answer.closes()), (503, true));
            assert_eq!(answer.field("retry-after"), Some("1"));
            assert_eq!(client.read_to_end(), b"");
            assert_let_go(&mut client);
            refused += 1;
        }
        assert!(!served.is_empty(), "nobody is served");
        for client in &mut served {
            assert_eq!(client.get("/file.txt").status, 200);
        }
        drop(served);
        wait_until_served(&server, 10);
        assert_eq!(refused > 0, bench.room.makes_one_each());
        let summary = server.stop();
        assert!(summary["errors"]["connection_refused_503"].as_u64() >= Some(refused));
    }

    match bench.room.makes_one_each() {
        true => "503 for whoever needs one of his own, until another ends; nobody else notices",
        false => "nothing: those that it needs, it has from the start",
    }
}

/// Whoever was turned away and does not leave is left, though nobody else comes.
pub(crate) fn assert_let_go(client: &mut Client) {
    let since = Instant::now();
    while client.try_send([b'x'; 100]) {
        assert!(since.elapsed() < PATIENCE, "it is never let go");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Threads of all processes of a server.
pub(crate) fn tasks(server: &Server) -> u32 {
    let of = |process: Pid| {
        let directory = format!("/proc/{}/task", process.as_raw_nonzero());
        std::fs::read_dir(directory).map_or(0, |tasks| u32::try_from(tasks.count()).unwrap())
    };
    server.processes().into_iter().map(of).sum()
}

/// It serves, or it says in one line why it cannot.
pub(super) fn of_threads_at_the_start(bench: &Bench) -> &'static str {
    let limited =
        |most| Recipe::with_limit('u', most, &bench.room, bench.site.root()).for_a_stranger();
    // Of a process for each connection, none is there from the start.
    let later = bench.room.behaviour.concurrency == Concurrency::OneEach(Carrier::Process);
    let starts = [(1, !later), (9, false), (60, false)];
    let mut starts = Vec::from(starts.map(|(most, must_fail)| (limited(most), must_fail)));
    // One process has no room for so many, unless it may have more mappings than by default.
    let threads = matches!(
        bench.room.behaviour.concurrency,
        Concurrency::Workers {
            carrier: Carrier::Thread,
            ..
        }
    );
    if threads && arch::threads_that_fit() < 100_000 {
        let many = bench.room.workers("100000");
        starts.push((bench.recipe().args(many), true));
    }
    for (number, (recipe, must_fail)) in starts.into_iter().enumerate() {
        let mut child = recipe.into_command().spawn().expect("the binary starts");
        let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
        let mut ready = String::new();
        std::io::BufRead::read_line(&mut out, &mut ready).unwrap();
        let is_ready = !ready.is_empty();
        if is_ready {
            let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
            let address = ready["address"].as_str().unwrap().parse().unwrap();
            let expected = if later && number == 0 { 503 } else { 200 };
            let answer = Client::connect(address).get("/file.txt");
            assert_eq!(answer.status, expected, "start {number}");
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        if is_ready {
            assert!(output.status.success(), "start {number}: {complaint}");
            assert!(!must_fail, "start {number}: it serves without its threads");
            continue;
        }
        assert_eq!(output.status.code(), Some(1), "start {number}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "start {number}: {complaint}");
        assert!(
            complaint.contains("cannot start"),
            "start {number}: {complaint}"
        );
    }
    match later {
        true => "it needs none at the start, and answers 503 until there are some",
        false => "it says so in one line and does not serve (exit status 1)",
    }
}

/// Waits until so many clients have been served, whoever is refused meanwhile.
fn wait_until_served(server: &Server, count: usize) {
    let mut served = 0;
    wait_until("it serves again", || {
        let mut client = server.connect();
        client.send(last_get("/file.txt"));
        match client.answer().status {
            200 => served += 1,
            status => assert_eq!(status, 503),
        }
        served >= count
    });
}
