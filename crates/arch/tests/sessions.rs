//! Sessions under an event loop: what belongs to one must never reach another.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::session::Socket;
use arch::{
    Accept, Blocked, Listener, ProcessContext, ServeOptions, ServerSetup, Session, Sessions, Step,
    Steps, Token, Worker,
};
use clap::Parser;
use rustix::net::sockopt;
use tempfile::TempDir;

const KEPT: usize = 8000;
/// No less than what the kernel takes by default, which it may have promised to take.
const BUFFER: usize = 128 << 10;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// An event loop without a loop: the test says when something happens.
struct Loop {
    root: TempDir,
    process: ProcessContext,
    listener: Arc<Listener>,
    sessions: Sessions,
    worker: Worker,
}

impl Loop {
    fn new(options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("small.txt"), "small\n").unwrap();
        std::fs::write(root.path().join("kept.bin"), [b'k'; KEPT]).unwrap();
        std::fs::write(root.path().join("large.bin"), vec![b'l'; 8 << 20]).unwrap();
        let arguments = ["test", "--addr", "127.0.0.1:0"].iter().chain(options);
        let options = CommandLine::parse_from(arguments).options;
        let setup = ServerSetup::new(options, root.path()).unwrap();
        let process = setup.open_unwatched().unwrap();
        process.listener.never_block().unwrap();
        Self {
            root,
            listener: Arc::clone(&process.listener),
            sessions: Sessions::default(),
            worker: process.worker(),
            process,
        }
    }

    fn connect(&mut self) -> (TcpStream, Token) {
        let address: SocketAddr = self.listener.address();
        let client = TcpStream::connect(address).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < deadline, "nobody came");
            if let Accept::Client(accepted) = self
                .listener
                .try_accept(Socket::NonBlocking, &self.worker.counters)
            {
                let token = self.sessions.insert(accepted, &self.worker);
                return (client, token);
            }
        }
    }

    /// Whatever `token` waits for on the network has come.
    fn ready(&mut self, token: Token) {
        if let Some(session) = self.sessions.get_mut(token) {
            session.ready(true, true, false);
        }
    }

    /// Runs a session as SPED does.
    fn serve(&mut self, token: Token) -> Option<Blocked> {
        while let Some((session, blocked)) = self.sessions.advance(token, &mut self.worker) {
            match blocked {
                Blocked::Find => {
                    let found = self.worker.files.find(session.path(), self.worker.now);
                    session.found(found, &mut self.worker);
                }
                Blocked::Load(entry, _) => {
                    let loaded = self.worker.files.load(&entry);
                    session.loaded(loaded, &mut self.worker);
                }
                Blocked::Turn => {}
                other => return Some(other),
            }
        }
        None
    }

    /// Runs a session until it is over, its client reading meanwhile.
    fn finish(&mut self, token: Token, client: TcpStream) -> Vec<u8> {
        let reading = std::thread::spawn(move || {
            let mut client = client;
            let mut bytes = Vec::new();
            client.read_to_end(&mut bytes).unwrap();
            bytes
        });
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.sessions.get_mut(token).is_some() {
            assert!(Instant::now() < deadline, "the session does not end");
            self.ready(token);
            self.worker.tick();
            self.serve(token);
            std::thread::sleep(Duration::from_millis(1));
        }
        reading.join().unwrap()
    }

    /// Fills the buffers between a session and its client, and returns how many bytes that took.
    fn fill(&mut self, token: Token, client: &TcpStream) -> usize {
        let socket = self
            .sessions
            .get_mut(token)
            .unwrap()
            .socket()
            .try_clone()
            .unwrap();
        // What has been given a length does not grow any more.
        sockopt::set_socket_send_buffer_size(&socket, BUFFER).unwrap();
        sockopt::set_socket_recv_buffer_size(client, BUFFER).unwrap();
        let mut filled = 0;
        let mut refused = 0;
        // The client's kernel takes what it takes with a delay.
        while refused < 20 {
            match (&socket).write(&[b'x'; 4096]) {
                Ok(count) => {
                    filled += count;
                    refused = 0;
                }
                Err(_) => {
                    refused += 1;
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
        filled
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
}

fn statuses(answers: &[u8]) -> usize {
    answers
        .windows(9)
        .filter(|bytes| bytes == b"HTTP/1.1 ")
        .count()
}

/// Waits until what the client sent has arrived: on the same machine that is all but at once.
fn send(client: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    client.write_all(bytes.as_ref()).unwrap();
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn an_answer_that_a_full_socket_refuses_reaches_its_own_client_only() {
    for path in ["/small.txt", "/kept.bin", "/large.bin", "/nowhere"] {
        let mut events = Loop::new(&[]);
        let (mut full, first) = events.connect();
        let filled = events.fill(first, &full);
        send(&mut full, request(path));
        events.ready(first);
        assert!(
            matches!(events.serve(first), Some(Blocked::Writable)),
            "{path}"
        );

        let (mut other, second) = events.connect();
        send(&mut other, request("/small.txt"));
        events.ready(second);
        let answer = events.finish(second, other);
        assert_eq!(
            statuses(&answer),
            1,
            "{path}: {}",
            String::from_utf8_lossy(&answer)
        );
        assert!(answer.ends_with(b"\r\n\r\nsmall\n"), "{path}");

        let mut answer = events.finish(first, full);
        let answer = answer.split_off(filled);
        assert!(answer.starts_with(b"HTTP/1.1 "), "{path}: the head is lost");
        assert_eq!(statuses(&answer), 1, "{path}");
        let length = match path {
            "/kept.bin" => KEPT,
            "/large.bin" => 8 << 20,
            "/small.txt" => 6,
            _ => 14,
        };
        let head = answer
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .unwrap()
            + 4;
        assert_eq!(answer.len() - head, length, "{path}");
        drop(events.root);
    }
}

#[test]
fn sessions_that_are_late_together_are_each_told_so() {
    let mut events = Loop::new(&["--request-timeout", "10ms"]);
    let mut clients: Vec<_> = (0..5).map(|_| events.connect()).collect();
    for (client, token) in &mut clients {
        send(client, "GET / HT");
        events.ready(*token);
        assert!(matches!(events.serve(*token), Some(Blocked::Readable)));
    }
    std::thread::sleep(Duration::from_millis(300));
    events.worker.tick();
    for token in events.sessions.expire(&mut events.worker) {
        events.serve(token);
    }
    for (number, (client, token)) in clients.into_iter().enumerate() {
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = events.finish(token, client);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(statuses(answer.as_bytes()), 1, "client {number}: {answer}");
        assert!(
            answer.starts_with("HTTP/1.1 408 "),
            "client {number}: {answer}"
        );
    }
}

/// Two requests pass through workers in turn, each step at another, and neither finds what the other left.
#[test]
fn sessions_that_travel_keep_their_own() {
    let mut events = Loop::new(&[]);
    let mut workers: Vec<_> = (0..5).map(|_| events.process.worker()).collect();
    let mut travellers = Vec::new();
    for (path, body) in [
        ("/small.txt", b"small\n".to_vec()),
        ("/kept.bin", vec![b'k'; KEPT]),
    ] {
        let (mut client, token) = events.connect();
        send(&mut client, request(path));
        events.ready(token);
        let session = events.sessions.take(token).unwrap();
        travellers.push((client, token, session, events.process.buffers(), body));
    }
    assert!(events.sessions.are_all_away() && events.sessions.away() == 2);
    let steps = [Step::Read, Step::Parse, Step::Find, Step::Load, Step::Send];
    for (step, worker) in steps.into_iter().zip(&mut workers) {
        for (.., session, buffers, _) in &mut travellers {
            worker.exchange(buffers);
            let mut outcome = session.run(step.into(), worker);
            // Whoever may wait does so, at the same worker.
            while let Err(blocked @ (Blocked::Find | Blocked::Load(..))) = outcome {
                match blocked {
                    Blocked::Load(entry, _) => session.loaded(worker.files.load(&entry), worker),
                    _ => {
                        let found = worker.files.find(session.path(), worker.now);
                        session.found(found, worker);
                    }
                }
                outcome = session.run(step.into(), worker);
            }
            worker.exchange(buffers);
            match step {
                Step::Send => assert!(matches!(outcome, Err(Blocked::Closed)), "{outcome:?}"),
                _ => assert!(outcome.is_ok_and(|next| next as u8 == 2 * step as u8)),
            }
        }
    }
    for (mut client, token, session, _, body) in travellers {
        drop(session);
        events.sessions.remove(token);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(statuses(&answer), 1);
        assert!(answer.ends_with(&[b"\r\n\r\n", &body[..]].concat()));
    }
    assert!(events.sessions.is_empty() && events.sessions.away() == 0);
}

/// What the network says while a session is away is said to it when it is back.
#[test]
fn a_session_that_was_away_is_told_what_it_missed() {
    let mut events = Loop::new(&[]);
    let (mut client, token) = events.connect();
    let mut session = events.sessions.take(token).unwrap();
    assert!(events.sessions.get_mut(token).is_none() && events.sessions.take(token).is_none());
    let blocked = session.run(Step::Read.into(), &mut events.worker);
    assert!(matches!(blocked, Err(Blocked::Readable)), "{blocked:?}");
    assert!(!events.sessions.catch_up(token, &mut session));
    send(&mut client, request("/small.txt"));
    // It is not here to be advanced.
    assert!(!events.sessions.ready(token, true, true, false));
    assert!(events.sessions.catch_up(token, &mut session));
    assert!(!events.sessions.catch_up(token, &mut session));
    events.sessions.bring_back(token, session, &events.worker);
    assert!(!events.sessions.ready(token, true, true, false), "no news");
    let answer = events.finish(token, client);
    assert!(answer.ends_with(b"\r\n\r\nsmall\n"));
}

/// Whoever has too much to do says so, and the connection goes on.
#[test]
fn a_request_that_is_refused_is_answered() {
    let mut events = Loop::new(&["--content-cache", "0"]);
    for last in [Step::Find, Step::Load] {
        let (mut client, token) = events.connect();
        send(&mut client, "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n");
        let session = events.sessions.get_mut(token).unwrap();
        let worker = &mut events.worker;
        assert!(matches!(
            session.run(Step::Read | Step::Parse, worker),
            Ok(Step::Find)
        ));
        if last == Step::Load {
            let found = worker.files.find(session.path(), worker.now);
            session.found(found, worker);
            assert!(matches!(session.run(Steps::NONE, worker), Ok(Step::Load)));
        }
        session.refuse(worker);
        assert!(matches!(
            session.run(Step::Read | Step::Send, worker),
            Err(Blocked::Readable)
        ));
        let mut answer = [0; 400];
        let length = client.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains("Retry-After: 1") && !answer.contains("close"),
            "{answer}"
        );
        send(&mut client, request("/small.txt"));
        events.ready(token);
        assert!(events.finish(token, client).ends_with(b"\r\n\r\nsmall\n"));
    }
}

/// A client that sends faster than it is read does not keep a thread from looking at the clock.
#[test]
fn a_thread_that_drains_looks_at_the_clock_after_each_read() {
    const INPUT: usize = 100_000;
    let mut events = Loop::new(&[]);
    let mut client = TcpStream::connect(events.listener.address()).unwrap();
    let mut sender = client.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        let input = [&b"NONSENSE\r\n\r\n"[..], &[b'x'; INPUT]].concat();
        sender.write_all(&input).unwrap();
        sender.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let accepted = loop {
        if let Accept::Client(accepted) = events
            .listener
            .try_accept(Socket::Blocking, &events.worker.counters)
        {
            break accepted;
        }
    };
    let mut session = Session::new(Arc::new(accepted), Socket::Blocking, events.worker.now);
    let mut looks = 0;
    loop {
        match session.advance(&mut events.worker) {
            Blocked::Readable => looks += 1,
            Blocked::Closed => break,
            other => panic!("{other:?}"),
        }
        session.ready(true, true, false);
    }
    assert!(looks > INPUT / (16 << 10), "{looks}");
    sending.join().unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
}

/// Whoever has no time to read lets a session rest: it is patient from then on, and once only.
#[test]
fn a_session_that_rests_before_it_reads_begins_to_wait_anew() {
    let mut events = Loop::new(&["--idle-timeout", "7s", "--request-timeout", "3s"]);
    let (mut client, token) = events.connect();
    let mut session = events.sessions.take(token).unwrap();
    let mut buffers = events.process.buffers();
    let worker = &mut events.worker;
    for (piece, poll_timeout) in [("GET /small.txt HT", 3), ("TP/1.1\r\nHost: h\r\n\r\n", 7)] {
        send(&mut client, piece);
        session.ready(true, true, false);
        worker.exchange(&mut buffers);
        let read = session.run(Step::Read.into(), worker);
        assert!(matches!(read, Ok(Step::Parse)), "{read:?}");
        let mut steps = Step::Parse | Step::Find;
        loop {
            match session.run(steps, worker) {
                Ok(Step::Read) => break,
                Ok(_) => steps = Step::Load | Step::Send,
                Err(Blocked::Load(entry, _)) => session.loaded(worker.files.load(&entry), worker),
                Err(_) => session.found(worker.files.find(session.path(), worker.now), worker),
            }
        }
        worker.exchange(&mut buffers);
        let poll_timeout = Duration::from_secs(poll_timeout);
        assert_eq!(session.deadline(worker), Some(worker.now + poll_timeout));
    }
    // It is late, and that is the end of it, on whichever buffers.
    session.expire();
    let outcome = session.run(Step::Read.into(), worker);
    assert!(matches!(outcome, Err(Blocked::Closed)), "{outcome:?}");
}

/// A client is not held to account for what a helper takes.
#[test]
fn time_spent_elsewhere_is_not_the_clients() {
    let mut events = Loop::new(&["--send-timeout", "30s"]);
    let (mut client, token) = events.connect();
    events.fill(token, &client);
    send(&mut client, request("/large.bin"));
    events.ready(token);
    let hour = Duration::from_secs(3600);
    loop {
        let (session, blocked) = events.sessions.advance(token, &mut events.worker).unwrap();
        let worker = &mut events.worker;
        match blocked {
            Blocked::Find => {
                worker.now += hour;
                session.found(worker.files.find(session.path(), worker.now), worker);
            }
            Blocked::Load(entry, _) => {
                worker.now += hour;
                session.loaded(worker.files.load(&entry), worker);
            }
            Blocked::Writable => break,
            other => panic!("{other:?}"),
        }
    }
    let worker = &events.worker;
    let deadline = events
        .sessions
        .get_mut(token)
        .and_then(|session| session.deadline(worker));
    assert_eq!(deadline, Some(worker.now + Duration::from_secs(30)));
}

/// Where a loop waits for the disk itself, a client who asks for one unknown name after the other has one turn, not one for each.
#[test]
fn a_turn_goes_on_after_the_disk() {
    let mut events = Loop::new(&["--name-cache", "0"]);
    let (mut client, token) = events.connect();
    let requests = 100;
    send(
        &mut client,
        "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n".repeat(requests),
    );
    events.ready(token);
    let (mut finds, mut turns) = (0, 0);
    loop {
        let (session, blocked) = events.sessions.advance(token, &mut events.worker).unwrap();
        let worker = &mut events.worker;
        match blocked {
            Blocked::Find => {
                finds += 1;
                session.found(worker.files.find(session.path(), worker.now), worker);
            }
            Blocked::Load(entry, _) => session.loaded(worker.files.load(&entry), worker),
            Blocked::Turn => turns += 1,
            Blocked::Readable => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((finds, turns), (requests, 3));
}
