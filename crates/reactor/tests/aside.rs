//! Connections that are over but for their clients' end: nobody is woken for them, and nobody is forgotten.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use arch::{Interest, ProcessContext, ServeOptions, ServerSetup, Worker};
use clap::Parser;
use reactor::poller::{Ready, Trigger};
use reactor::{Due, Epoll, Poller, Reactor};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// An `epoll` that says how many sockets it has been told to watch, the listener apart, and how many of them no longer.
struct Counting {
    epoll: Epoll,
    watched: Arc<AtomicUsize>,
    unwatched: Arc<AtomicUsize>,
}

impl Poller for Counting {
    fn trigger(&self) -> Trigger {
        self.epoll.trigger()
    }

    fn watch(
        &mut self,
        descriptor: BorrowedFd<'_>,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.watched.fetch_add(1, Relaxed);
        self.epoll.watch(descriptor, number, interest)
    }

    fn unwatch(&mut self, descriptor: BorrowedFd<'_>) -> bool {
        self.unwatched.fetch_add(1, Relaxed);
        self.epoll.unwatch(descriptor)
    }

    fn forget(&mut self, descriptor: RawFd) {
        self.epoll.forget(descriptor);
    }

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        self.epoll.wait(at_most, ready)
    }
}

struct Server {
    _root: tempfile::TempDir,
    reactor: Reactor,
    worker: Worker,
    address: std::net::SocketAddr,
    watched: Arc<AtomicUsize>,
    unwatched: Arc<AtomicUsize>,
    process: ProcessContext,
}

impl Server {
    fn new(arguments: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("small.txt"), "small").unwrap();
        let arguments = [&["test", "--addr", "127.0.0.1:0"], arguments].concat();
        let options = CommandLine::parse_from(arguments).options;
        let process = ServerSetup::new(options, root.path())
            .unwrap()
            .open_unwatched()
            .unwrap();
        let (watched, unwatched) = (Arc::default(), Arc::default());
        let poller = Counting {
            epoll: Epoll::new().unwrap(),
            watched: Arc::clone(&watched),
            unwatched: Arc::clone(&unwatched),
        };
        let reactor = Reactor::new(&process, Box::new(poller)).unwrap();
        // The listener.
        watched.store(0, Relaxed);
        Self {
            _root: root,
            address: process.listener.address().ip().unwrap(),
            reactor,
            worker: process.worker(),
            watched,
            unwatched,
            process,
        }
    }

    /// A client that has asked for one file and wants no other, before the server knows of it.
    fn client(&self) -> TcpStream {
        self.asked("Connection: close\r\n")
    }

    fn asked(&self, field: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address).unwrap();
        let request = format!("GET /small.txt HTTP/1.1\r\nHost: h\r\n{field}\r\n");
        client.write_all(request.as_bytes()).unwrap();
        client
    }

    /// Serves for as long as `goes_on`.
    fn serve_while(&mut self, mut goes_on: impl FnMut(&mut Self) -> bool) {
        while goes_on(self) {
            while let Some(Due::Session(token)) = self.reactor.due(&mut self.worker) {
                while let Some(work) = self.reactor.advance(token, &mut self.worker) {
                    let done = work.run(&self.worker.files, self.worker.now);
                    self.reactor.done(token, done, &mut self.worker);
                }
            }
            let at_most = Some(Duration::from_millis(100));
            self.reactor.wait(at_most, &mut self.worker).unwrap();
        }
    }

    fn is_empty(&mut self) -> bool {
        self.reactor.sessions().is_empty()
    }
}

fn read_to_end(mut client: TcpStream) {
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("small"), "{answer}");
}

#[test]
fn a_connection_for_one_request_is_over_before_it_is_watched() {
    let mut server = Server::new(&[]);
    let mut clients: Vec<_> = (0..10).map(|_| server.client()).collect();
    server.serve_while(|server| {
        if server.is_empty() {
            return !clients.is_empty();
        }
        clients.drain(..).for_each(read_to_end);
        true
    });
    assert_eq!(server.watched.load(Relaxed), 0);
}

#[test]
fn one_whose_client_stays_is_watched_in_the_end() {
    let mut server = Server::new(&[]);
    let client = server.client();
    server.serve_while(|server| server.watched.load(Relaxed) == 0);
    assert!(!server.is_empty());
    read_to_end(client);
    server.serve_while(|server| !server.is_empty());
    assert_eq!(server.watched.load(Relaxed), 1);
}

#[test]
fn where_others_may_wait_for_its_place_it_is_watched_at_once() {
    let mut server = Server::new(&["--max-connections", "9"]);
    let client = server.client();
    let mut waits = 0;
    server.serve_while(|server| {
        waits += 1;
        server.watched.load(Relaxed) == 0
    });
    // One to hear of it, and none to look for its end.
    assert!(waits <= 3, "{waits}");
    read_to_end(client);
    server.serve_while(|server| !server.is_empty());
}

#[test]
fn one_that_was_watched_is_not_watched_meanwhile() {
    let mut server = Server::new(&[]);
    let mut client = server.asked("");
    server.serve_while(|server| server.watched.load(Relaxed) == 0);
    client
        .write_all(b"GET /small.txt HTTP/1.0\r\n\r\n")
        .unwrap();
    server.serve_while(|server| server.unwatched.load(Relaxed) == 0);
    drop(client);
    server.serve_while(|server| !server.is_empty());
    assert_eq!(server.watched.load(Relaxed), 1);
}

/// Whoever told it to stop waits for it.
#[test]
fn a_server_that_stops_puts_nobody_aside() {
    let mut server = Server::new(&[]);
    let client = server.asked("");
    server.serve_while(|server| server.watched.load(Relaxed) == 0);
    server.process.stop();
    let reader = std::thread::spawn(|| read_to_end(client));
    server.serve_while(|server| !server.is_empty());
    reader.join().unwrap();
    assert_eq!(server.unwatched.load(Relaxed), 0);
}
