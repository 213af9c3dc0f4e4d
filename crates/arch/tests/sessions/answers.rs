//! Requests that are handed over as values, and answered with what somebody else made of them.

use std::collections::VecDeque;

use arch::session::{Answer, KeptFile, Piece, Scratch, Source};
use arch::{Done, Next, Work};
use http::Status;
use http::relay::RelayedHead;
use meter::Event;

use crate::memory::{Place, bytes};

/// Pieces as they are to be given; behind them nothing comes for ever.
#[derive(Debug, Default)]
struct Pieces(VecDeque<Piece>);

impl Pieces {
    fn of(pieces: impl IntoIterator<Item = Piece>) -> Box<dyn Source> {
        Box::new(Self(pieces.into_iter().collect()))
    }
}

impl Source for Pieces {
    fn next(&mut self) -> Piece {
        self.0.pop_front().unwrap_or(Piece::NotYet)
    }
}

fn piece(text: &str) -> Piece {
    Piece::Ready(text.as_bytes().into())
}

/// What a client receives who sends `requests`, if each is answered so, what was counted, and whether it waits for more.
struct Exchanged {
    received: String,
    events: Vec<Event>,
    waits: bool,
}

fn exchange(place: &Place, requests: &str, answer: impl FnMut(Work) -> Done) -> Exchanged {
    exchange_with(place, place.scratch_of_values(), requests, answer)
}

/// The same where nothing is handed over.
fn usual(place: &Place, requests: &str) -> String {
    let told = exchange_with(place, place.scratch(), requests, |_| unreachable!());
    told.received
}

fn exchange_with(
    place: &Place,
    mut scratch: Scratch,
    requests: &str,
    mut answer: impl FnMut(Work) -> Done,
) -> Exchanged {
    let mut session = place.session();
    let (mut received, mut left) = (Vec::new(), requests.as_bytes());
    let waits = loop {
        match session.next(&mut scratch) {
            Next::Work(work) if work.request().is_some() => {
                session.done(answer(work), &mut scratch);
            }
            Next::Work(work) => session.done(place.do_now(work), &mut scratch),
            Next::Send(output) => {
                // In two parts, so that what is left of each is met too.
                let bytes = bytes(&output);
                let sent = bytes.len().div_ceil(2);
                received.extend_from_slice(&bytes[..sent]);
                session.sent(output, Ok(sent), &mut scratch);
            }
            Next::Receive if left.is_empty() => break false,
            Next::Receive => {
                let taken = session.receive(left, &mut scratch);
                left = &left[taken..];
            }
            Next::Wait => break true,
            Next::ShutdownWrite | Next::Yield => {}
            Next::Closed => break false,
        }
    };
    Exchanged {
        received: String::from_utf8_lossy(&received).into_owned(),
        events: scratch.events,
        waits,
    }
}

/// What a client of HTTP/1.1 receives who asks twice and is told to go, if each request is answered with this answer of another server.
fn relayed(first_line: &str, head: &str, pieces: impl Fn() -> Vec<Piece>) -> Exchanged {
    let request = format!("{first_line}\r\nHost: h\r\n\r\n");
    let requests = format!("{request}{request}");
    exchange(&Place::new(&[]), &requests, |work| {
        let head = RelayedHead::read(head.as_bytes()).unwrap();
        work.answered(Answer::Relayed(Box::new(head), Pieces::of(pieces())))
    })
}

const GET: &str = "GET /a HTTP/1.1";

#[test]
fn a_request_is_handed_over_with_all_of_its_fields() {
    let asked = "GET /small.txt?q HTTP/1.1\r\nHost: h\r\nX-Own:  v \r\nAccept: a\r\n\r\n";
    let mut seen = Vec::new();
    let told = exchange(&Place::new(&[]), asked, |work| {
        let request = work.request().unwrap();
        assert_eq!(request.target().path(), b"small.txt");
        let fields = request.fields().map(|(name, value)| {
            let text = [name, b"=", value].concat();
            String::from_utf8(text).unwrap()
        });
        seen.extend(fields);
        work.answered(Answer::Page(Status::Unauthorized))
    });
    assert_eq!(seen, ["Host=h", "X-Own=v", "Accept=a"]);
    assert!(told.received.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    assert!(told.received.contains("\r\nWWW-Authenticate: Basic realm="));
}

/// Whoever answers with the file, in one step or in several, answers what a session answers that hands nothing over.
#[test]
fn a_file_is_answered_with_as_ever() {
    for fields in [
        "",
        "Range: bytes=1-3\r\n",
        "Range: bytes=1-3,5-7\r\n",
        "Range: bytes=9999999-\r\n",
        "If-None-Match: *\r\n",
        "If-Match: \"no\"\r\n",
    ] {
        for line in [
            "GET /large.bin",
            "HEAD /large.bin",
            "GET /none",
            "GET /small.txt",
        ] {
            let request = format!("{line} HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
            let asked = request.repeat(2);
            let place = Place::new(&[]);
            let usual = usual(&place, &asked);
            let in_one = exchange(&place, &asked, |work| place.do_now(work));
            assert_eq!(in_one.received, usual, "{request}");
            let in_steps = exchange(&place, &asked, |work| {
                let mut answer = place.answer_with_file(work.request().unwrap());
                while let Some(next) = answer.next() {
                    answer.done(place.do_now(next));
                }
                let status = answer.status().to_string();
                assert_eq!(usual[9..12], status, "{request}");
                work.answered(Answer::File(Box::new(answer)))
            });
            assert_eq!(in_steps.received, usual, "{request}");
        }
    }
}

/// A file that was kept answers others as it did the first, whatever part or condition they ask for.
#[test]
fn a_file_that_was_kept_answers_other_requests() {
    let first = "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n";
    let others = [
        first.to_owned(),
        first.replace("GET", "HEAD"),
        first.replace("\r\n\r\n", "\r\nRange: bytes=1-2\r\n\r\n"),
        first.replace("\r\n\r\n", "\r\nIf-None-Match: *\r\n\r\n"),
    ];
    for other in others {
        let asked = format!("{first}{other}");
        let place = Place::new(&[]);
        let (usual, mut kept) = (usual(&place, &asked), None);
        let told = exchange(&place, &asked, |work| {
            let request = work.request().unwrap();
            let answer = match &kept {
                Some(kept) => KeptFile::answer(kept, request.clone()),
                None => {
                    let mut first = place.answer_with_file(request);
                    while let Some(next) = first.next() {
                        first.done(place.do_now(next));
                    }
                    kept = first.keep();
                    assert!(kept.is_some());
                    first
                }
            };
            assert!(answer.next().is_none());
            work.answered(Answer::File(Box::new(answer)))
        });
        assert_eq!(told.received, usual, "{other}");
    }
}

#[test]
fn another_servers_answer_is_passed_on() {
    let told = relayed(
        GET,
        "HTTP/1.1 299 Odd\r\nDate: d\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n",
        || vec![piece("he"), piece("llo"), piece("too much")],
    );
    let one = "HTTP/1.1 299 Odd\r\nDate: d\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(told.received, one.repeat(2));
    assert_eq!(told.events, []);
}

#[test]
fn a_body_of_unknown_length_is_passed_on_in_chunks() {
    let pieces = || vec![piece("hello"), piece("x"), Piece::End];
    let told = relayed(GET, "HTTP/1.1 200 OK\r\nDate: d\r\n\r\n", pieces);
    let one = "HTTP/1.1 200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n";
    assert_eq!(told.received, one.repeat(2));
    // One of HTTP/1.0 knows no chunks: its end is the connection's.
    let old = "GET /a HTTP/1.0\r\nConnection: keep-alive";
    let told = relayed(old, "HTTP/1.1 200 OK\r\nDate: d\r\n\r\n", pieces);
    let one = "HTTP/1.1 200 OK\r\nDate: d\r\nConnection: close\r\n\r\nhellox";
    assert_eq!(told.received, one);
    // The end before anything has come.
    let told = relayed(GET, "HTTP/1.1 200 OK\r\nDate: d\r\n\r\n", || {
        vec![Piece::End]
    });
    assert!(told.received.ends_with("chunked\r\n\r\n0\r\n\r\n"));
}

#[test]
fn a_head_without_a_body_is_passed_on_whole() {
    let head = "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 5\r\n\r\n";
    let told = relayed("HEAD /a HTTP/1.1", head, Vec::new);
    assert_eq!(told.received, head.repeat(2));
    for status in ["204 No Content", "304 Not Modified"] {
        let head = format!("HTTP/1.1 {status}\r\nDate: d\r\n\r\n");
        let told = relayed(GET, &head, Vec::new);
        assert_eq!(told.received, head.repeat(2));
    }
    let told = relayed(
        GET,
        "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 0\r\n\r\n",
        Vec::new,
    );
    assert_eq!(
        told.received.matches("Content-Length: 0\r\n\r\n").count(),
        2
    );
}

/// Broken off before its end, an answer ends its connection short, whichever way its end would have been told.
#[test]
fn what_is_broken_off_closes_short() {
    for (length, last) in [
        ("Content-Length: 9\r\n", Piece::Failed),
        ("Content-Length: 9\r\n", Piece::End),
        ("", Piece::Failed),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nDate: d\r\n{length}\r\n");
        let is_end = matches!(last, Piece::End);
        let told = relayed(GET, &head, || {
            let last = if is_end { Piece::End } else { Piece::Failed };
            vec![piece("hello"), last]
        });
        let rest = told.received.split("\r\n\r\n").nth(1).unwrap();
        let (body, tail) = if length.is_empty() {
            ("5\r\nhello\r\n", "")
        } else {
            ("hello", "")
        };
        assert_eq!(rest, format!("{body}{tail}"), "{head}");
        assert!(!told.waits && !told.received.contains("0\r\n\r\n"));
        assert_eq!(told.events.contains(&Event::UpstreamFailed), !is_end);
    }
}

#[test]
fn what_has_not_come_is_waited_for() {
    let told = relayed(GET, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", || {
        vec![piece("he")]
    });
    assert!(told.waits && told.received.ends_with("\r\n\r\nhe"));
}

#[test]
fn what_is_refused_or_failed_upstream_is_counted() {
    for (status, event) in [
        (Status::ServiceUnavailable, Some(Event::Shed)),
        (Status::BadGateway, Some(Event::UpstreamFailed)),
        (Status::GatewayTimeout, Some(Event::UpstreamFailed)),
        (Status::Unauthorized, None),
    ] {
        let asked = format!("{GET}\r\nHost: h\r\n\r\n");
        let told = exchange(&Place::new(&[]), &asked, |work| {
            work.answered(Answer::Page(status))
        });
        assert!(told.received.contains(&status.code().to_string()));
        assert_eq!(told.events, event.into_iter().collect::<Vec<_>>());
    }
}
