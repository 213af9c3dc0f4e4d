//! Who has a turn, and how often: over sockets of this machine, with a poller that tells the reactor what the test likes.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

use arch::{Interest, Readiness, ServeOptions, ServerSetup, Worker};
use clap::Parser;
use reactor::poller::{Ready, Trigger};
use reactor::{Due, Epoll, Poller, Reactor, Token};

const LARGE: usize = 8 << 20;
const REQUEST: &[u8] = b"GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n";

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// Says with every wait that something has come for everybody who is watched, as if each client sent a byte in the midst of its
/// answer.
struct Busybody {
    epoll: Epoll,
    has_listener: bool,
    watched: Vec<usize>,
}

impl Poller for Busybody {
    fn trigger(&self) -> Trigger {
        self.epoll.trigger()
    }

    fn watch(
        &mut self,
        descriptor: BorrowedFd<'_>,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        // The first of all is the listener.
        if std::mem::replace(&mut self.has_listener, true) {
            self.watched.push(number);
        }
        self.epoll.watch(descriptor, number, interest)
    }

    fn forget(&mut self, descriptor: RawFd) {
        self.epoll.forget(descriptor);
    }

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        self.epoll.wait(at_most, ready)?;
        let readiness = Readiness {
            readable: true,
            writable: true,
            ..Readiness::default()
        };
        ready.extend(
            self.watched
                .iter()
                .map(|&number| Ready { number, readiness }),
        );
        Ok(())
    }
}

struct Server {
    _root: tempfile::TempDir,
    reactor: Reactor,
    worker: Worker,
    address: std::net::SocketAddr,
}

fn server() -> Server {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("large.bin"), vec![b'l'; LARGE]).unwrap();
    let arguments = ["test", "--addr", "127.0.0.1:0"];
    let options = CommandLine::parse_from(arguments).options;
    let process = ServerSetup::new(options, root.path())
        .unwrap()
        .open_unwatched()
        .unwrap();
    let busybody = Busybody {
        epoll: Epoll::new().unwrap(),
        has_listener: false,
        watched: Vec::new(),
    };
    Server {
        _root: root,
        address: process.listener.address().ip().unwrap(),
        reactor: Reactor::new(&process, Box::new(busybody)).unwrap(),
        worker: process.worker(),
    }
}

/// A client who asks for two large files at once, and reads all of them.
fn client(address: std::net::SocketAddr) -> std::thread::JoinHandle<()> {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(&REQUEST.repeat(2)).unwrap();
    std::thread::spawn(move || {
        let mut left = 2 * LARGE;
        let mut buffer = vec![0; 1 << 16];
        while left > 0 {
            // The heads come on top; the server goes in the midst of it.
            match socket.read(&mut buffer) {
                Ok(count @ 1..) => left = left.saturating_sub(count),
                _ => break,
            }
        }
    })
}

/// Whoever is queued and hears from the network keeps the one place that it has: between two turns of anybody, everybody who could go
/// on has had one.
#[test]
fn nobody_has_two_turns_in_a_round() {
    let mut server = server();
    let clients: Vec<_> = (0..3).map(|_| client(server.address)).collect();
    let mut turns: Vec<Token> = Vec::new();
    while turns.len() < 60 {
        let due = server.reactor.next(&mut server.worker).unwrap();
        let Some(Due::Session(token)) = due else {
            panic!("{due:?}");
        };
        while let Some(work) = server.reactor.advance(token, &mut server.worker) {
            let done = work.run(&server.worker.files, server.worker.now);
            server.reactor.done(token, done, &mut server.worker);
        }
        turns.push(token);
    }
    let all: Vec<_> = turns[turns.len() - 30..].chunks(3).collect();
    for round in all {
        let mut names: Vec<usize> = round.iter().map(|&token| token.into()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(
            names.len(),
            3,
            "a round in which somebody had two turns: {turns:?}"
        );
    }
    drop(server);
    for client in clients {
        client.join().unwrap();
    }
}
