//! Counts what a room allocates for each request, beside a client that allocates nothing.
//!
//! Part of the tests of several rooms, each of which needs a process of its own: an allocator is global. And one without a harness,
//! whose own thread says now and then that a test takes long, and allocates for it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arch::{Architecture, ServeOptions, ServerSetup};
use clap::Parser;

const WARM_UP: usize = 300;
const REQUESTS: usize = 5000;
/// In one of so many rounds of requests nothing is allocated, or something is with some of the requests.
const ROUNDS: usize = 5;

#[derive(Parser)]
struct CommandLine<A: clap::Args> {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    architecture: A,
}

/// Serves cached files of all kinds over one kept connection, with options of the room's own; fails if anything is allocated
/// meanwhile, in any thread.
pub(crate) fn none_in_steady_state<A: Architecture + Send + 'static>(own: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    // From memory beside the head, from memory gathered with it, from the page cache, in one piece and in several.
    let files = [
        ("tiny.txt", 1000),
        ("kept.bin", 8000),
        ("file.bin", 64 << 10),
        ("large.bin", 1 << 20),
    ];
    for (name, length) in files {
        std::fs::write(root.path().join(name), vec![b'x'; length]).unwrap();
    }
    // What has changed just now is not held in memory yet.
    std::thread::sleep(Duration::from_millis(100));
    // A name that is looked up afresh, once a second, may cost something.
    let arguments = ["test", "--addr", "127.0.0.1:0", "--revalidate", "1h"];
    let arguments = arguments.iter().chain(own);
    let CommandLine {
        options,
        architecture,
    } = CommandLine::<A>::parse_from(arguments);
    let setup = ServerSetup::new(options, root.path()).unwrap();
    let mut client = TcpStream::connect(setup.listener.address().ip().unwrap()).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    std::thread::spawn(move || architecture.serve(setup, || ()).unwrap());

    let mut buffer = vec![0; 64 << 10];
    for (name, length) in files {
        let requests = if length > 100_000 {
            REQUESTS / 10
        } else {
            REQUESTS
        };
        let plain = format!("GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let usual = format!(
            "GET /{name} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
        );
        for (kind, request) in [("plain", &plain), ("usual", &usual)] {
            for _ in 0..WARM_UP {
                ask(&mut client, request.as_bytes(), length, &mut buffer);
            }
            let mut round = || {
                let before = sys::heap::allocations_of_all_threads();
                assert!(before > 0, "nothing is counted");
                for _ in 0..requests {
                    ask(&mut client, request.as_bytes(), length, &mut buffer);
                }
                sys::heap::allocations_of_all_threads() - before
            };
            // How much is held at a time, and so when the last of it has been made, is up to when each thread runs.
            let mut allocations = Vec::new();
            while allocations.last() != Some(&0) {
                assert!(
                    allocations.len() < ROUNDS,
                    "{allocations:?} in {requests} {kind} requests each for {name}, {length} bytes each"
                );
                allocations.push(round());
            }
        }
    }
    // The room serves until the process ends.
}

/// One request, and its answer with a body of `length` bytes. Allocates nothing.
fn ask(client: &mut TcpStream, request: &[u8], length: usize, buffer: &mut [u8]) {
    client.write_all(request).unwrap();
    let mut received = client.read(buffer).unwrap();
    assert!(buffer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let head = loop {
        match buffer[..received]
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
        {
            Some(end) => break end + 4,
            None => received += client.read(&mut buffer[received..]).unwrap(),
        }
    };
    while received < head + length {
        let more = client.read(buffer).unwrap();
        assert!(more > 0, "the connection ended");
        received += more;
    }
    assert_eq!(received, head + length);
}
