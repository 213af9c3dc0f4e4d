//! Who has which turn, on sockets whose bytes are all there before the engine reads.

use super::*;
use crate::run::{Fault, Model};
use crate::schedule::Think;
use crate::target::{Order, Target, Targets};
use crate::url::Url;
use crate::verify::Expected;
use std::io::Write;
use std::net::{TcpListener, TcpStream};

/// Bytes of each body: they fit into any socket's buffers.
const BODY_BYTES: usize = 32 * 1024;

/// A closed loop of so many clients, each of which has sent so many requests to one of the streams.
fn asked(clients: usize, depth: usize) -> (Engine, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let url = Url::parse(&format!("http://{address}/")).expect("a URL");
    let run = Run {
        http2: false,
        model: Model::Closed,
        part: None,
        start_at: None,
        addresses: vec![address.into()],
        targets: Targets {
            targets: vec![Target::new(&url, false, &[], Expected::Anything)],
            order: Order::One,
        },
        clients,
        max_connections: clients,
        threads: 1,
        cores: Vec::new(),
        depth,
        idle: 0,
        storm: 0,
        session_at_once: false,
        requests_per_connection: u64::MAX,
        duration: None,
        requests: Some((clients * depth) as u64),
        precision: None,
        warmup: 0,
        timeout: 60 * SECOND,
        think: Think::Constant(Duration::ZERO),
        seed: 1,
        expect: Default::default(),
        verify: false,
        retry: true,
        most_spin: 0,
        security: None,
        fault: Fault::None,
    };
    let (mut mailboxes, _post) = crate::collect::post(1);
    let mailbox = mailboxes.pop().expect("a mailbox");
    let (mut engine, _waker) =
        Engine::new(Arc::new(run), Arc::default(), 0, mailbox, Nanos::MAX).expect("an engine");
    assert!(engine.connect().expect("connections"));
    let accept = |_| listener.accept().expect("a client").0;
    let streams = (0..clients).map(accept).collect();
    engine.issuer.begin(Clock::from(Instant::now()));
    engine.issuer.issue(0);
    (engine, streams)
}

#[test]
fn connections_that_have_more_to_read_take_turns() {
    let (mut engine, mut streams) = asked(4, 1);
    // A turn is a small part of a body.
    engine.receiver.buffer.truncate(64);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES}\r\n\r\n");
    for stream in &mut streams {
        stream.write_all(head.as_bytes()).expect("a head");
        stream.write_all(&[b'x'; BODY_BYTES]).expect("a body");
    }
    let mut events = Events::with_capacity(EVENTS);
    while engine.issuer.pool.turns.len() < 4 {
        engine.poll_events(&mut events, None).expect("events");
        engine.handle(&events);
    }
    let mut left = vec![BODY_BYTES as u64; 4];
    for round in 0..10 {
        engine.take_turns();
        let now: Vec<u64> = engine
            .issuer
            .pool
            .iter()
            .map(|connection| connection.responses.skippable())
            .collect();
        assert!(
            now.iter().all(|other| *other == now[0]) && now[0] < left[0],
            "round {round}: {left:?}, then {now:?}"
        );
        left = now;
    }
}

/// A server that closes without reading on resets the connection. What it had answered before that lies in the socket, unread.
#[test]
fn answers_that_came_before_a_reset_are_answers() {
    let (mut engine, mut streams) = asked(1, 2);
    let mut stream = streams.pop().expect("a connection");
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        .expect("an answer");
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("no lingering");
    drop(stream);
    // The next thing that is done with the connection is to write to it.
    engine.issuer.pool[0].out.extend_from_slice(b"GET");
    engine.issuer.flush(0);
    let completed = |engine: &Engine| engine.issuer.recorder.record.counts.completed;
    let mut events = Events::with_capacity(EVENTS);
    for _ in 0..10 {
        engine.take_turns();
        if completed(&engine) > 0 {
            return;
        }
        engine
            .poll_events(&mut events, Some(Duration::from_millis(100)))
            .expect("events");
        engine.handle(&events);
    }
    panic!("{:?}", engine.issuer.recorder.record.examples);
}

/// A write can fail though the connection goes on: part of a request may be on its way, and nothing can follow it.
#[test]
fn what_was_cut_in_writing_fails_at_once() {
    let (mut engine, _streams) = asked(1, 1);
    engine.issuer.pool[0].broke(io::ErrorKind::OutOfMemory);
    engine.issuer.pool.turns.push(0);
    engine.take_turns();
    let counts = &engine.issuer.recorder.record.counts;
    let failures: Vec<_> = counts.by_class(|_| true).collect();
    assert_eq!(failures, [("socket", 1)]);
    assert_eq!(engine.issuer.pool.in_flight(), 0);
}
