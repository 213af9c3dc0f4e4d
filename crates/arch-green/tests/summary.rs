//! What is told at the end: the blocking graph, how deep stacks were, and who did not yield.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{Read, Write};
use std::net::TcpStream;

use arch::{Architecture, ServeOptions, ServerSetup};
use arch_green::Green;
use clap::Parser;
use rustix::process::{Signal, getpid, kill_process};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    green: Green,
}

const REQUEST: &str = "GET /slow/file.txt HTTP/1.1\r\nHost: h\r\n\r\n";

/// Without a harness, whose thread would have the signal that ends the server. A server whose worker waits for a slow disk itself, once for each name that is looked up.
fn main() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("slow")).unwrap();
    std::fs::write(root.path().join("slow/file.txt"), "file\n").unwrap();
    let graph = root.path().join("graph.dot");
    let arguments = [
        "test",
        "--addr",
        "127.0.0.1:0",
        "--disk",
        "inline",
        "--slow",
        "/slow/=400",
        "--revalidate",
        "1h",
        "--graph",
        graph.to_str().unwrap(),
    ];
    let CommandLine { options, green } = CommandLine::parse_from(arguments);
    let setup = ServerSetup::new(options, root.path()).unwrap();
    let (address, remarks) = (
        setup.listener.address().ip().unwrap(),
        setup.remarks.clone(),
    );
    let serves = std::thread::spawn(move || green.serve(setup, || ()));
    for _ in 0..3 {
        let mut client = TcpStream::connect(address).unwrap();
        for _ in 0..2 {
            client.write_all(REQUEST.as_bytes()).unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"file\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                answer.push(byte[0]);
            }
        }
    }
    kill_process(getpid(), Signal::TERM).unwrap();
    serves.join().unwrap().unwrap();

    let remarks = remarks.all();
    let stuck = &remarks["did not yield"];
    assert!(stuck.contains("a fiber kept its worker"), "{stuck}");
    let deepest = remarks["deepest stack"].strip_suffix(" KiB").unwrap();
    assert!((4..=256).contains(&deepest.parse::<u32>().unwrap()));
    let graph = std::fs::read_to_string(graph).unwrap();
    assert!(graph.starts_with("digraph blocking {"), "{graph}");
    // From the second request of a connection on it is waited for where the first was.
    for way in [
        "\"start\" -> \"acceptor › accept\"",
        "\"connection › receive\" -> \"end\" [label=\"3 ×",
    ] {
        assert!(graph.contains(way), "{way}: {graph}");
    }
    assert!(graph.contains("−1 descriptors"), "{graph}");
}
