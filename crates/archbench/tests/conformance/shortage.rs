//! Descriptors, threads and processes that are not to be had.

use std::time::{Duration, Instant};

use arch::nature::{Carrier, Concurrency, DiskWait, Killed};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::case::{Bench, Case, case};
use crate::client::{Client, PATIENCE, get, last_get, wait_until};
use crate::server::{Recipe, Server};
use crate::site::Garden;
use crate::table::Fault;

pub(crate) const CASES: &[Case] = &[
    case(
        "of_descriptors_until_others_leave",
        of_descriptors_until_others_leave,
    ),
    case(
        "of_descriptors_that_names_hold",
        of_descriptors_that_names_hold,
    ),
    case("of_address_space_for_threads", of_address_space_for_threads),
    case(
        "of_descriptors_after_a_thousand_connections",
        of_descriptors_after_a_thousand_connections,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[
    Fault::new(
        "of_descriptors_to_accept_with",
        "descriptors are used up when a client comes",
        of_descriptors_to_accept_with,
    ),
    Fault::new(
        "of_descriptors_to_open_with",
        "descriptors are used up when a file is to be opened",
        of_descriptors_to_open_with,
    ),
    Fault::new(
        "of_threads_and_processes",
        "the system gives no more threads or processes",
        of_threads_and_processes,
    )
    .needs_root()
    .of_each_behaviour(),
    Fault::new(
        "of_threads_at_the_start",
        "the system gives too few threads at the start",
        of_threads_at_the_start,
    )
    .of_each_behaviour(),
];

fn of_descriptors_until_others_leave(bench: &Bench) {
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

fn of_descriptors_to_accept_with(bench: &Bench) -> &'static str {
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
fn of_descriptors_to_open_with(bench: &Bench) -> &'static str {
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
fn of_descriptors_that_names_hold(bench: &Bench) {
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

/// Where a connection needs a thread that cannot be had: 503, and others are accepted as before.
fn of_address_space_for_threads(bench: &Bench) {
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
fn of_threads_and_processes(bench: &Bench) -> &'static str {
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
fn of_threads_at_the_start(bench: &Bench) -> &'static str {
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

fn of_descriptors_after_a_thousand_connections(bench: &Bench) {
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
