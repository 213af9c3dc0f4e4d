//! Deadlines: how long a server waits for a client.

use std::time::{Duration, Instant};

use crate::case::{Bench, Case, case};
use crate::client::{Client, End, PATIENCE, get};
use crate::server::Server;
use crate::table::Fault;

pub(crate) const CASES: &[Case] = &[
    case(
        "ends_with_each_of_several_dripping_heads",
        ends_with_each_of_several_dripping_heads,
    ),
    case(
        "does_not_end_with_a_reader_that_is_slow",
        does_not_end_with_a_reader_that_is_slow,
    ),
];

pub(crate) const FAULTS: &[Fault] = &[
    Fault::new(
        "does_not_end_with_a_steady_reader",
        "a client reads its answer slowly, but steadily",
        does_not_end_with_a_steady_reader,
    ),
    Fault::new(
        "ends_with_a_connection_that_never_speaks",
        "a client connects and says nothing",
        ends_with_a_connection_that_never_speaks,
    ),
    Fault::new(
        "ends_with_a_dripping_head",
        "a request comes a byte at a time",
        ends_with_a_dripping_head,
    ),
    Fault::new(
        "ends_with_a_reader_that_stalls",
        "a client does not read its answer",
        ends_with_a_reader_that_stalls,
    ),
    Fault::new(
        "ends_with_a_reader_of_single_bytes",
        "a client reads its answer a byte at a time",
        ends_with_a_reader_of_single_bytes,
    ),
];

/// Sends bytes one at a time until the connection ends, and returns all that came back.
fn drip(client: &mut Client, bytes: impl Iterator<Item = u8>) -> (Vec<u8>, End) {
    let started = Instant::now();
    for byte in bytes {
        assert!(started.elapsed() < PATIENCE, "it drips for ever");
        // An answer has come, or the end.
        if !client.is_silent_for(Duration::from_millis(15)) || !client.try_send([byte]) {
            break;
        }
    }
    client.half_close();
    client.ending()
}

#[track_caller]
fn assert_late(answer: &[u8]) {
    let answer = String::from_utf8_lossy(answer);
    assert!(
        answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{answer:?}"
    );
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer:?}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer:?}");
}

fn ends_with_a_dripping_head(bench: &Bench) -> &'static str {
    let server = bench.serve(&["--request-timeout", "400ms"]);
    let mut client = server.connect();
    // Not the first request of its connection.
    assert_eq!(client.get("/file.txt").status, 200);
    let head = b"GET / HTTP/1.1\r\nHost: h\r\nX: "
        .iter()
        .copied()
        .chain(std::iter::repeat(b'y'));
    let (answer, end) = drip(&mut client, head);
    assert_eq!(end, End::Closed);
    assert_late(&answer);
    let summary = server.stop();
    assert_eq!(summary["errors"]["request_timeout"], 1);
    "408 and close, --request-timeout after its first byte"
}

/// Deadlines that pass together are looked at together.
fn ends_with_each_of_several_dripping_heads(bench: &Bench) {
    let server = bench.serve(&["--request-timeout", "300ms"]);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut client = server.connect();
            client.send("GET /file.txt HTTP/1.1\r\n");
            client
        })
        .collect();
    for mut client in clients {
        client.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let answer = client.answer();
        assert_late(&[answer.head.as_bytes(), &answer.body].concat());
        client.half_close();
        assert_eq!(client.read_to_end(), b"");
    }
}

fn ends_with_a_connection_that_never_speaks(bench: &Bench) -> &'static str {
    let server = bench.serve(&["--idle-timeout", "300ms", "--request-timeout", "19s"]);
    assert_eq!(server.connect().read_to_end(), b"");
    // Empty lines before a request are none yet.
    let mut client = server.connect();
    client.send("\r\n");
    assert_eq!(client.read_to_end(), b"");
    "its connection is closed after --idle-timeout"
}

/// What the servers of stalling readers are given.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);

/// Waits until a server has dropped the one client that stalls, and asserts that it was in time: a blocking send that began
/// its time-out anew for each piece would take three times as long. One may wait twice in a call.
fn assert_dropped_in_time(server: &Server, sockets: usize, since: Instant) {
    let timeout = SEND_TIMEOUT;
    while server.sockets() >= sockets {
        assert!(since.elapsed() < PATIENCE, "it waits for ever");
        std::thread::sleep(Duration::from_millis(5));
    }
    let waited = since.elapsed();
    assert!(waited >= timeout, "{waited:?}");
    assert!(waited < timeout.mul_f64(2.75), "{waited:?}");
}

fn ends_with_a_reader_that_stalls(bench: &Bench) -> &'static str {
    let server = bench.serve(&["--send-timeout", "2s"]);
    server.sockets_at_rest();
    for path in ["/large.bin", "/kept.bin"] {
        let mut client = Client::connect_with_small_buffer(server.address);
        let mut sender = client.another_hand();
        let requests = get(path).repeat(if path == "/kept.bin" { 3000 } else { 1 });
        let since = Instant::now();
        let sending = std::thread::spawn(move || sender.try_send(requests));
        assert_eq!(client.head().status, 200);
        assert_dropped_in_time(&server, server.sockets(), since);
        // Whoever waited for the client's place has it now.
        assert_eq!(server.connect().get("/file.txt").status, 200);
        let (rest, _) = client.ending();
        let whole = if path == "/kept.bin" {
            3000 * 8000
        } else {
            crate::site::LARGE as usize
        };
        assert!(rest.len() < whole, "{path}: all {whole} bytes came");
        let _ = sending.join();
    }
    let summary = server.stop();
    assert_eq!(summary["errors"]["reader_stalled"], 2, "{summary}");
    "it is dropped after --send-timeout"
}

/// What is read byte by byte makes no room that the kernel would tell the server of.
fn ends_with_a_reader_of_single_bytes(bench: &Bench) -> &'static str {
    let server = bench.serve(&["--send-timeout", "2s"]);
    server.sockets_at_rest();
    let mut client = Client::connect_with_small_buffer(server.address);
    let since = Instant::now();
    client.send(get("/large.bin"));
    assert_eq!(client.head().status, 200);
    let sockets = server.sockets();
    let reading = std::thread::spawn(move || {
        while since.elapsed() < 3 * SEND_TIMEOUT && client.exactly(1).len() == 1 {
            std::thread::sleep(Duration::from_millis(30));
        }
    });
    assert_dropped_in_time(&server, sockets, since);
    reading.join().expect("what is in its buffer lasts longer");
    let summary = server.stop();
    assert_eq!(summary["errors"]["reader_stalled"], 1, "{summary}");
    "it is dropped after --send-timeout all the same"
}

/// In half again as long as it may take nothing, it takes some now and then.
fn does_not_end_with_a_reader_that_is_slow(bench: &Bench) {
    let server = bench.serve(&["--send-timeout", "2s"]);
    let mut client = Client::connect_with_small_buffer(server.address);
    client.send(get("/large.bin"));
    client.head();
    let mut offset = 0;
    for _ in 0..30 {
        let bytes = client.exactly(200_000);
        crate::site::assert_contents("large.bin", offset, &bytes);
        offset += 200_000;
        std::thread::sleep(SEND_TIMEOUT / 20);
    }
    let rest = client.exactly((crate::site::LARGE - offset) as usize);
    crate::site::assert_contents("large.bin", offset, &rest);
}

/// The kernel calls a socket writable only when a third of its buffer is free, which takes this reader several times as long as it
/// may take nothing. What counts is what it takes.
fn does_not_end_with_a_steady_reader(bench: &Bench) -> &'static str {
    const LENGTH: usize = 4_000_000;
    let server = bench.serve(&["--send-timeout", "400ms"]);
    let mut client = Client::connect_with_small_buffer(server.address);
    let range = format!("Range: bytes=0-{}\r\n", LENGTH - 1);
    client.send(format!(
        "GET /large.bin HTTP/1.1\r\nHost: h\r\n{range}Connection: close\r\n\r\n"
    ));
    assert_eq!(client.head().status, 206);
    let mut offset = 0;
    while offset < LENGTH {
        let bytes = client.exactly(20_000);
        crate::site::assert_contents("large.bin", offset as u64, &bytes);
        offset += bytes.len();
        std::thread::sleep(Duration::from_millis(20));
    }
    let summary = server.stop();
    assert_eq!(summary["errors"]["reader_stalled"], 0, "{summary}");
    "it has all of it, however long that takes"
}
