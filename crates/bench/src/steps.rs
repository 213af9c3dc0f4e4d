//! Steps without a socket.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use http::client::{Event, Expect, Responses};
use http::{Config, Connection, Entity, FileState, Scratch, Want};
use load::schedule::{Model, Origin, Plan, Schedule, Think};
use workload::RateStages;

use crate::Step;

/// What generators send.
pub(crate) const SHORT: &[u8] =
    b"GET /dir00000/class1_5.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// What a browser sends.
pub(crate) const BROWSER: &[u8] =
    b"GET /dir00000/class1_5.html HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive\r\n\
    Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n\r\n";

const LENGTH: u64 = 1 << 10;
const SECOND: u64 = 1_000_000_000;

fn scratch() -> Scratch {
    let mut scratch = Scratch::new(Arc::new(Config::default()));
    scratch.set_time(784_111_777);
    scratch
}

pub(crate) fn parse(head: &'static [u8]) -> Step {
    let mut scratch = scratch();
    Box::new(move || {
        let mut connection = Connection::new();
        let taken = connection.receive(black_box(head), &mut scratch);
        assert!(taken == head.len() && connection.want() == Want::Find);
        black_box(&connection);
    })
}

pub(crate) fn answer() -> Step {
    let mut scratch = scratch();
    let mut connection = Connection::new();
    let entity = Entity::new(
        b"class1_5.html",
        FileState {
            len: LENGTH,
            modified: (784_111_777, 0),
            changed: (784_111_777, 0),
            revision: 0,
        },
    );
    Box::new(move || {
        connection.receive(black_box(SHORT), &mut scratch);
        connection.found(Ok(black_box(&entity)), &mut scratch);
        connection.loaded(&entity, &mut scratch);
        assert_eq!(connection.want(), Want::Send(0..LENGTH));
        black_box(&scratch.out);
        scratch.out.clear();
        connection.sent(LENGTH, &mut scratch);
        assert_eq!(scratch.finished.len(), 1);
        scratch.finished.clear();
    })
}

pub(crate) fn count_answer() -> Step {
    let meter = meter::Meter::new().expect("a page of counters");
    let counters = meter.counters();
    let mut latency = 0;
    Box::new(move || {
        latency = (latency + 7919) % 1_000_000;
        counters.answered(black_box(200), Duration::from_nanos(latency));
    })
}

pub(crate) fn read_response() -> Step {
    let head = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: archbench\r\nContent-Type: text/html\r\n\
        Content-Length: 1024\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"2ebcacc1-400\"\r\nAccept-Ranges: bytes\r\n\r\n";
    let response = [head.as_bytes(), &[b'x'; LENGTH as usize]].concat();
    let mut responses = Responses::new();
    Box::new(move || {
        responses.expect(Expect::Body);
        let mut input = black_box(response.as_slice());
        let mut body = 0;
        loop {
            match responses.next(&mut input) {
                Ok(Event::Head(head)) => assert_eq!(head.status, 200),
                Ok(Event::Body(piece)) => body += piece.len(),
                Ok(Event::Done { keep_alive }) => break assert!(keep_alive),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(body as u64, LENGTH);
    })
}

fn plan(model: Model, arrivals: Option<workload::Schedule>) -> Plan {
    Plan {
        model,
        arrivals,
        think: Think::Constant(Duration::ZERO),
        seed: 1,
        end: u64::MAX,
        limit: u64::MAX,
        requests: u64::MAX,
    }
}

pub(crate) fn arrival() -> Step {
    let stages: RateStages = "1000h@100000".parse().expect("a constant");
    let arrivals = workload::Schedule::poisson(stages, 1);
    let mut schedule = Schedule::new(plan(Model::Open, Some(arrivals)));
    Box::new(move || {
        let due = schedule.next_at().expect("arrivals do not end so soon");
        let taken = schedule.take(black_box(due)).expect("it is due");
        schedule.answered(taken.origin, taken.number, due);
    })
}

pub(crate) fn client_turn() -> Step {
    let mut schedule = Schedule::new(plan(
        Model::Closed {
            clients: 64,
            first: 0,
            of: 64,
            depth: 1,
        },
        None,
    ));
    let mut now = SECOND;
    Box::new(move || {
        now += 5000;
        let due = schedule
            .take(black_box(now))
            .expect("every client is ready");
        assert!(matches!(due.origin, Origin::Client(_)));
        schedule.answered(due.origin, due.number, now);
    })
}

pub(crate) fn record() -> Step {
    let mut histogram = load::record::histogram();
    let mut latency = 0;
    Box::new(move || {
        latency = (latency + 7919) % 1_000_000;
        histogram.saturating_record(black_box(latency));
    })
}
