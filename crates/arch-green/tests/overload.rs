//! With a limit on what connections take, clients are let in when others have left.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use arch::{Architecture, ServeOptions, ServerSetup};
use arch_green::Green;
use clap::Parser;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    green: Green,
}

const CLIENTS: usize = 60;
/// Connections of 16 KiB each for which there is room, of which nine in ten are let in.
const ROOM: usize = 10;

fn serve(root: &std::path::Path, schedule: &str) -> SocketAddr {
    let arguments = ["test", "--addr", "127.0.0.1:0", "--schedule", schedule];
    let arguments = arguments
        .iter()
        .chain(&["--connection-memory", "160k", "--revalidate", "1h"]);
    let CommandLine { options, green } = CommandLine::parse_from(arguments);
    let setup = ServerSetup::new(options, root).unwrap();
    let address = setup.listener.address().ip().unwrap();
    std::thread::spawn(move || green.serve(setup, || ()).unwrap());
    address
}

/// A client who has asked.
fn ask(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client
        .write_all(b"GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    client
}

/// Whether it has been answered by now.
fn is_answered(client: &mut TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    match client.read(&mut [0; 4096]) {
        Ok(count) => count > 0,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
            false
        }
    }
}

/// Of clients who stay, how many were answered after a while; then those leave who were, until all were.
fn answered(address: SocketAddr) -> (usize, Duration) {
    // What a connection takes is learnt from the first.
    for _ in 0..20 {
        let mut client = ask(address);
        client.read_exact(&mut [0; 50]).unwrap();
        std::thread::sleep(Duration::from_millis(3));
    }
    let since = Instant::now();
    let mut waiting: Vec<_> = (0..CLIENTS).map(|_| ask(address)).collect();
    std::thread::sleep(Duration::from_millis(300));
    let mut done: Vec<TcpStream> = Vec::new();
    let look = |waiting: &mut Vec<TcpStream>, done: &mut Vec<TcpStream>| {
        let (now, later): (Vec<_>, Vec<_>) = waiting
            .drain(..)
            .map(|mut client| (is_answered(&mut client), client))
            .partition(|(is_answered, _)| *is_answered);
        done.extend(now.into_iter().map(|(_, client)| client));
        waiting.extend(later.into_iter().map(|(_, client)| client));
    };
    look(&mut waiting, &mut done);
    let first = (done.len(), since.elapsed());
    while !waiting.is_empty() {
        assert!(since.elapsed() < Duration::from_secs(60), "{first:?}");
        done.clear();
        std::thread::sleep(Duration::from_millis(5));
        look(&mut waiting, &mut done);
    }
    first
}

#[test]
fn clients_beyond_what_there_is_room_for_wait_until_others_leave() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file.txt"), vec![b'x'; 1000]).unwrap();
    let (all, _) = answered(serve(root.path(), "fifo"));
    assert_eq!(all, CLIENTS, "first in, first out lets everybody in");
    let (some, time) = answered(serve(root.path(), "resource"));
    // One goes on every 50 ms of those that have been held back for so long.
    let late = time.as_millis() as usize / 50 + 1;
    assert!(
        (ROOM / 2..=ROOM + late).contains(&some),
        "{some} in {time:?}"
    );
}
