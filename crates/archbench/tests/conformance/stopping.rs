//! Ending in good order, or at once.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use arch::nature::Killed;
use rustix::process::{Pid, Signal, kill_process};

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::{Client, get, last_get, wait_until};
use crate::crowd::scaled;
use crate::server::Server;
use crate::site::{LARGE, assert_contents};
use crate::table::Fault;

pub(crate) const CASES: &[Case] = &[
    case("finishes_answers_under_way", |bench| {
        finishes_answers_under_way(bench, Signal::TERM)
    }),
    case("by_sigint_is_the_same", |bench| {
        finishes_answers_under_way(bench, Signal::INT)
    }),
    case("by_sigquit_and_sighup_too", |bench| {
        finishes_answers_under_way(bench, Signal::QUIT);
        finishes_answers_under_way(bench, Signal::HUP);
    }),
    case("closes_what_is_idle", closes_what_is_idle),
    case("accepts_nobody_else", accepts_nobody_else),
    case_of_each_behaviour(
        "ends_with_those_who_wait_for_a_worker",
        ends_with_those_who_wait_for_a_worker,
    ),
    case("twice_ends_at_once", twice_ends_at_once),
    case("without_any_client", |bench| drop(bench.serve(&[]).stop())),
    case_of_each_behaviour("tells_the_idle_from_the_busy", tells_the_idle_from_the_busy),
    case("answers_what_is_half_asked", answers_what_is_half_asked),
    case(
        "twice_ends_even_who_waits_for_the_disk",
        twice_ends_even_who_waits_for_the_disk,
    ),
    case_of_each_behaviour(
        "of_one_worker_by_sigint_is_of_all",
        of_one_worker_by_sigint_is_of_all,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[
    Fault::new(
        "finishes_a_thousand_answers",
        "SIGTERM in the midst of 1,000 answers",
        finishes_a_thousand_answers,
    ),
    Fault::new(
        "ends_with_those_who_do_not_read",
        "SIGTERM, and clients who do not read",
        ends_with_those_who_do_not_read,
    ),
];

/// A client with an answer under way that fills all buffers.
fn begin(server: &Server) -> Client {
    // Its kernel and the server's hold a part of it, and nobody reads.
    let mut client = server.connect();
    client.send(get("/large.bin"));
    assert_eq!(client.head().content_length() as u64, LARGE);
    client
}

fn finishes_answers_under_way(bench: &Bench, signal: Signal) {
    let server = bench.serve(&["--drain-timeout", "60s"]);
    let clients: Vec<_> = (0..if bench.room.is_concurrent() { 4 } else { 1 })
        .map(|_| begin(&server))
        .collect();
    server.signal(signal);
    std::thread::sleep(Duration::from_millis(200));
    let requests = clients.len();
    let read = |mut client: Client| {
        std::thread::spawn(move || {
            assert_contents("large.bin", 0, &client.exactly(LARGE as usize));
            assert_eq!(client.read_to_end(), b"");
        })
    };
    let reading: Vec<_> = clients.into_iter().map(read).collect();
    for client in reading {
        client.join().expect("its answer whole");
    }
    let summary = server.summary();
    assert_eq!(
        (&summary["requests"], &summary["status"]["2xx"]),
        (&requests.into(), &requests.into())
    );
    assert_eq!(summary["errors"]["answer_abandoned"], 0);
}

fn closes_what_is_idle(bench: &Bench) {
    let server = bench.serve(&["--drain-timeout", "60s"]);
    let mut clients: Vec<_> = (0..if bench.room.is_concurrent() { 6 } else { 1 })
        .map(|_| server.connect())
        .collect();
    for client in &mut clients {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    if bench.room.is_concurrent() {
        // One that has never said anything.
        clients.push(server.connect());
    }
    std::thread::sleep(Duration::from_millis(50));
    let since = Instant::now();
    server.signal(Signal::TERM);
    for client in &mut clients {
        assert_eq!(client.read_to_end(), b"");
    }
    server.summary();
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "it waited for idle clients"
    );
}

fn accepts_nobody_else(bench: &Bench) {
    let server = bench.serve(&["--drain-timeout", "60s"]);
    let mut client = begin(&server);
    server.signal(Signal::TERM);
    wait_until_shut(&server);
    assert_contents("large.bin", 0, &client.exactly(LARGE as usize));
    server.summary();
}

fn ends_with_those_who_do_not_read(bench: &Bench) -> &'static str {
    let server = bench.serve(&["--drain-timeout", "300ms"]);
    let clients: Vec<_> = (0..if bench.room.is_concurrent() { 3 } else { 1 })
        .map(|_| begin(&server))
        .collect();
    let since = Instant::now();
    let summary = server.stop();
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "it waited for {:?}",
        since.elapsed()
    );
    assert_eq!(summary["requests"], 0);
    drop(clients);
    "their answers are broken off at --drain-timeout; exit status 0"
}

fn finishes_a_thousand_answers(bench: &Bench) -> &'static str {
    const LENGTH: usize = 600_000;
    let range = format!("Range: bytes=0-{}\r\n\r\n", LENGTH - 1);
    let request = get("/medium.bin").replace("\r\n\r\n", &format!("\r\n{range}"));
    let server = bench.serve(&["--drain-timeout", "5m", "--send-timeout", "5m"]);
    let count = scaled(1000);
    let mut clients: Vec<_> = (0..count)
        .map(|_| {
            let mut client = Client::connect_with_small_segments(server.address);
            client.send(&request);
            client
        })
        .collect();
    // All that can be served at a time have begun, and wait for their clients.
    let begun = bench.room.served_at_most().unwrap_or(count);
    let mut answered = Vec::new();
    wait_until("all that can have begun", || {
        answered = clients.iter().map(Client::has_something).collect();
        answered.iter().filter(|&&begun| begun).count() >= begun
    });
    server.signal(Signal::TERM);
    // Time for it to do what it should not.
    std::thread::sleep(Duration::from_millis(200));
    let mut whole = 0;
    for (client, begun) in clients.iter_mut().zip(answered) {
        if begun {
            assert_eq!(client.head().status, 206);
            assert_contents("medium.bin", 0, &client.exactly(LENGTH));
            assert_eq!(client.read_to_end(), b"");
            whole += 1;
        } else {
            // Whoever was in the queue is served yet or turned away, but never in part.
            let (bytes, _) = client.ending();
            if !bytes.is_empty() {
                let body = bytes
                    .len()
                    .checked_sub(LENGTH)
                    .expect("no part of an answer");
                assert_contents("medium.bin", 0, &bytes[body..]);
                whole += 1;
            }
        }
    }
    drop(clients);
    let summary = server.summary();
    assert_eq!(summary["requests"], whole, "{summary}");
    assert_eq!(summary["errors"]["answer_abandoned"], 0, "{summary}");
    match bench.room.served_at_most() {
        None => "every one is finished whole; exit status 0 before --drain-timeout",
        Some(_) => {
            "those whom a worker has or takes are finished whole, nobody's in part; exit status 0"
        }
    }
}

/// Those who come to be served only after the drain deadline are not waited for either.
fn ends_with_those_who_wait_for_a_worker(bench: &Bench) {
    let few = bench.room.workers("1");
    let server = bench.serve(&[&few[..], &["--drain-timeout", "300ms"]].concat());
    let first = begin(&server);
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let mut client = Client::connect_with_small_buffer(server.address);
            client.send(last_get("/large.bin"));
            client
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    let since = Instant::now();
    server.stop();
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "it waited for {:?}",
        since.elapsed()
    );
    drop((first, waiting));
}

/// Waits until the server lets nobody in any more.
/// Until a connection is refused, or goes unanswered: a TCP of the server's own says nothing while its loop waits.
fn wait_until_shut(server: &Server) {
    wait_until("the door is shut", || {
        TcpStream::connect_timeout(&server.address, Duration::from_secs(2)).is_err()
    });
}

fn twice_ends_at_once(bench: &Bench) {
    for signals in [
        [Signal::TERM, Signal::TERM],
        [Signal::INT, Signal::INT],
        [Signal::TERM, Signal::INT],
    ] {
        let server = bench.serve(&["--drain-timeout", "19s"]);
        let client = begin(&server);
        let workers = server.processes();
        server.signal(signals[0]);
        // Two signals of a kind are one until somebody has taken the first.
        wait_until_shut(&server);
        let since = Instant::now();
        server.signal(signals[1]);
        let (status, _) = server.end();
        assert_eq!(status.code(), Some(130), "{signals:?}");
        assert!(since.elapsed() < Duration::from_secs(10), "{signals:?}");
        // And nobody is left behind.
        wait_until("its workers have ended", || {
            !workers.iter().any(|&worker| is_alive(worker))
        });
        drop(client);
    }
}

/// Whether a process is there, and not only its entry, which somebody has yet to read.
fn is_alive(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()))
        .unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

/// Those who wait for their answers and those who wait for nothing.
fn tells_the_idle_from_the_busy(bench: &Bench) {
    if !bench.room.is_concurrent() {
        return;
    }
    let server = bench.serve(&["--drain-timeout", "60s"]);
    let mut idle = server.connect();
    assert_eq!(idle.get("/file.txt").status, 200);
    let mut client = begin(&server);
    server.signal(Signal::TERM);
    assert_eq!(idle.read_to_end(), b"");
    assert_contents("large.bin", 0, &client.exactly(LARGE as usize));
    assert_eq!(client.read_to_end(), b"");
    assert_eq!(server.summary()["requests"], 2);
}

/// A request that has arrived before the signal is answered, whether a worker has seen it or not.
fn answers_what_is_half_asked(bench: &Bench) {
    let server = bench.serve(&["--drain-timeout", "60s"]);
    let mut client = begin(&server);
    // Behind the answer that is under way.
    client.send(get("/file.txt"));
    std::thread::sleep(Duration::from_millis(50));
    server.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(100));
    assert_contents("large.bin", 0, &client.exactly(LARGE as usize));
    // The head of the answer under way was sent before the signal, and so did not say that it is the last.
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (200, true));
    assert_eq!(client.read_to_end(), b"");
    server.summary();
}

/// A disk that does not answer cannot be broken off at the drain deadline.
fn twice_ends_even_who_waits_for_the_disk(bench: &Bench) {
    let server = bench.serve(&["--slow", "/file.txt=600000", "--drain-timeout", "100ms"]);
    let before = server.sockets_at_rest();
    let mut client = server.connect();
    client.send(get("/file.txt"));
    wait_until("it is let in", || server.sockets() != before);
    server.signal(Signal::TERM);
    wait_until_shut(&server);
    // Past the drain deadline: who need not wait for the disk has ended by itself, and nobody else would.
    std::thread::sleep(Duration::from_millis(1000));
    server.signal(Signal::TERM);
    let (status, out) = server.end();
    assert!(matches!(status.code(), Some(0 | 130)), "{status:?}: {out}");
}

/// As Ctrl-C is meant for all processes that a terminal sends it to.
fn of_one_worker_by_sigint_is_of_all(bench: &Bench) {
    if bench.room.behaviour.killed == Killed::Server {
        return;
    }
    let server = bench.serve(&[]);
    let mut client = server.connect();
    assert_eq!(client.get("/file.txt").status, 200);
    let worker = server.processes().pop().expect("a worker");
    kill_process(worker, Signal::INT).expect("it is there");
    assert_eq!(client.read_to_end(), b"");
    assert_eq!(server.summary()["requests"], 1);
}
