//! What a connection that waits takes of memory, in a process by itself.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{Read, Write};
use std::net::TcpStream;

use arch::{Architecture, ServeOptions, ServerSetup};
use arch_green::Green;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    green: Green,
}

const CONNECTIONS: usize = 1000;

/// Bytes for each, of its stack, which is a page, and its buffers; without optimisation frames are larger.
const MOST: usize = match cfg!(debug_assertions) {
    true => 40 << 10,
    false => 16 << 10,
};

/// Resident memory of this process, in bytes.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

/// A connection that has been used once and stays open.
fn used(address: std::net::SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client
        .write_all(b"GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.ends_with(b"the end") {
        let count = client.read(&mut piece).unwrap();
        assert!(count > 0);
        answer.extend_from_slice(&piece[..count]);
    }
    client
}

#[test]
fn a_connection_that_waits_takes_a_few_pages() {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, all).unwrap();
    let root = tempfile::tempdir().unwrap();
    let mut body = vec![b'x'; 1017];
    body.extend_from_slice(b"the end");
    std::fs::write(root.path().join("file.txt"), body).unwrap();
    let arguments = ["test", "--addr", "127.0.0.1:0", "--revalidate", "1h"];
    let CommandLine { options, green } = CommandLine::parse_from(arguments);
    let setup = ServerSetup::new(options, root.path()).unwrap();
    let address = setup.listener.address().ip().unwrap();
    std::thread::spawn(move || green.serve(setup, || ()).unwrap());
    // What is made once, and not for each.
    let _first: Vec<_> = (0..100).map(|_| used(address)).collect();
    let before = resident_bytes();
    let _all: Vec<_> = (0..CONNECTIONS).map(|_| used(address)).collect();
    let each = (resident_bytes() - before) / CONNECTIONS;
    assert!(each <= MOST, "{each} bytes for each connection");
}
