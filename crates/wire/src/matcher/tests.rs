//! Synthetic captures: what is asked and answered, and what must come of it.

use super::*;
use crate::connection::Matched;
use std::time::Duration;

const PORT: u16 = 8080;
const REQUEST: &[u8] = b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";

/// A capture in the making: both ends of one connection, and the clock, in microseconds.
struct Capture {
    matcher: Matcher,
    exchanges: Vec<Exchange>,
    handshakes: Vec<Duration>,
    client: SocketAddr,
    sent: [u32; 2],
}

impl Capture {
    fn new() -> Self {
        Self {
            matcher: Matcher::new(PORT),
            exchanges: Vec::new(),
            handshakes: Vec::new(),
            client: "198.18.0.2:40000".parse().unwrap(),
            sent: [1000, u32::MAX - 5],
        }
    }

    fn segment<'a>(&self, at: u64, from_server: bool, payload: &'a [u8]) -> Segment<'a> {
        let server = "198.18.0.1:8080".parse().unwrap();
        let (source, destination) = match from_server {
            true => (server, self.client),
            false => (self.client, server),
        };
        Segment {
            at: Duration::from_micros(at),
            frame_bytes: 66 + payload.len() as u32,
            source,
            destination,
            sequence: self.sent[usize::from(from_server)],
            syn: false,
            ack: true,
            fin: false,
            reset: false,
            payload_bytes: payload.len(),
            payload,
        }
    }

    fn take(&mut self, segment: &Segment<'_>) {
        let taken = self
            .matcher
            .take(segment, |exchange| self.exchanges.push(exchange));
        self.handshakes.extend(taken.handshake);
    }

    /// The next bytes of an end, in order.
    fn send(&mut self, at: u64, from_server: bool, payload: &[u8]) {
        let segment = self.segment(at, from_server, payload);
        self.take(&segment);
        let sent = &mut self.sent[usize::from(from_server)];
        *sent = sent.wrapping_add(payload.len() as u32);
    }

    fn ask(&mut self, at: u64, payload: &[u8]) {
        self.send(at, false, payload);
    }

    fn answer(&mut self, at: u64, payload: &[u8]) {
        self.send(at, true, payload);
    }

    fn open(&mut self, at: u64) {
        for (at, from_server) in [(at, false), (at + 7, true)] {
            let syn = Segment {
                syn: true,
                ..self.segment(at, from_server, b"")
            };
            self.take(&syn);
            let sent = &mut self.sent[usize::from(from_server)];
            *sent = sent.wrapping_add(1);
        }
    }

    fn close(&mut self, at: u64, from_server: bool) {
        let fin = Segment {
            fin: true,
            ..self.segment(at, from_server, b"")
        };
        self.take(&fin);
    }

    /// The four times of each exchange, and what is told apart from them.
    fn end(mut self) -> (Vec<[u64; 4]>, Vec<Exchange>, Counts) {
        let counts = self.matcher.end(|exchange| self.exchanges.push(exchange));
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap();
        let times = |one: &Exchange| {
            [
                one.request_first,
                one.request_last,
                one.answer_first,
                one.answer_last,
            ]
            .map(micros)
        };
        (
            self.exchanges.iter().map(times).collect(),
            self.exchanges,
            counts,
        )
    }
}

#[test]
fn a_request_in_two_segments_and_an_answer_in_three() {
    let mut capture = Capture::new();
    capture.open(100);
    capture.ask(200, &REQUEST[..10]);
    capture.ask(250, &REQUEST[10..]);
    capture.answer(300, &ANSWER[..39]);
    capture.answer(310, &ANSWER[39..40]);
    capture.answer(330, &ANSWER[40..]);
    assert_eq!(capture.handshakes, [Duration::from_micros(7)]);
    let (times, exchanges, counts) = capture.end();
    assert_eq!(times, [[200, 250, 300, 330]]);
    assert_eq!(exchanges[0].opened, Some(Duration::from_micros(100)));
    assert_eq!(exchanges[0].matched, Matched::Http);
    assert_eq!(
        (counts.connections, counts.unanswered, counts.lost),
        (1, 0, 0)
    );
    assert_eq!((counts.to_server.packets, counts.to_client.packets), (3, 4));
    assert_eq!(counts.to_server.payload_bytes, REQUEST.len() as u64);
    assert_eq!(counts.to_client.bytes, 66 * 4 + ANSWER.len() as u64);
}

#[test]
fn a_connection_that_was_open_before_is_matched_from_its_next_request_on() {
    let mut capture = Capture::new();
    capture.ask(10, REQUEST);
    capture.answer(20, ANSWER);
    capture.ask(30, REQUEST);
    capture.answer(45, ANSWER);
    let (times, exchanges, _) = capture.end();
    assert_eq!(times, [[10, 10, 20, 20], [30, 30, 45, 45]]);
    assert!(
        exchanges
            .iter()
            .all(|exchange| exchange.opened.is_none() && !exchange.pipelined)
    );
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let mut capture = Capture::new();
    capture.open(0);
    capture.ask(10, &[REQUEST, b"HEAD / HTTP/1.1\r\n\r\n", REQUEST].concat());
    let head = &ANSWER[..39];
    capture.answer(20, &[ANSWER, head, &ANSWER[..5]].concat());
    capture.answer(30, &ANSWER[5..]);
    let (times, exchanges, counts) = capture.end();
    assert_eq!(
        times,
        [[10, 10, 20, 20], [10, 10, 20, 20], [10, 10, 20, 30]]
    );
    let pipelined: Vec<_> = exchanges
        .iter()
        .map(|exchange| exchange.pipelined)
        .collect();
    assert_eq!(pipelined, [false, true, true]);
    assert_eq!((counts.unasked, counts.unanswered), (0, 0));
}

#[test]
fn a_lost_segment_that_comes_again_makes_the_answer_late_and_counts_once() {
    let mut capture = Capture::new();
    capture.open(0);
    capture.ask(10, REQUEST);
    let [first, second] = [&ANSWER[..20], &ANSWER[20..]];
    let lost = capture.segment(20, true, first);
    capture.sent[1] = capture.sent[1].wrapping_add(20);
    capture.answer(21, second);
    // Seen twice: on its way out and again.
    capture.take(&Segment {
        at: Duration::from_micros(220),
        ..lost
    });
    capture.take(&Segment {
        at: Duration::from_micros(420),
        ..lost
    });
    let (times, _, counts) = capture.end();
    assert_eq!(times, [[10, 10, 220, 220]]);
    assert_eq!(
        (
            counts.to_client.retransmissions,
            counts.to_server.retransmissions
        ),
        (1, 0)
    );
}

#[test]
fn what_is_encrypted_is_matched_by_turns_and_marked() {
    let mut capture = Capture::new();
    capture.open(0);
    for (at, from_server) in [
        (10, false),
        (12, false),
        (20, true),
        (25, true),
        (30, false),
        (40, true),
    ] {
        capture.send(at, from_server, b"\x17\x03\x03\r\n\r\n");
    }
    capture.close(50, true);
    let (times, exchanges, counts) = capture.end();
    assert_eq!(times, [[10, 12, 20, 25], [30, 30, 40, 40]]);
    assert!(
        exchanges
            .iter()
            .all(|exchange| exchange.matched == Matched::BytesAndTime)
    );
    assert_eq!((counts.lost, counts.unanswered), (1, 0));
}

#[test]
fn chunks_and_heads_that_were_cut_are_matched_by_turns_from_there_on() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".as_slice();
    for cut in [false, true] {
        let mut capture = Capture::new();
        capture.ask(10, REQUEST);
        capture.answer(20, ANSWER);
        capture.ask(30, REQUEST);
        let answer = if cut { ANSWER } else { chunked };
        let segment = capture.segment(40, true, answer);
        let kept = if cut { 8 } else { answer.len() };
        capture.take(&Segment {
            payload: &answer[..kept],
            ..segment
        });
        capture.sent[1] = capture.sent[1].wrapping_add(answer.len() as u32);
        capture.ask(50, REQUEST);
        capture.answer(60, ANSWER);
        let (times, exchanges, counts) = capture.end();
        // The one in whose midst the thread was lost has none.
        assert_eq!(times, [[10, 10, 20, 20], [50, 50, 60, 60]], "{cut}");
        let matched: Vec<_> = exchanges.iter().map(|exchange| exchange.matched).collect();
        assert_eq!(matched, [Matched::Http, Matched::BytesAndTime]);
        assert_eq!(counts.lost, 1);
    }
}

#[test]
fn an_answer_without_a_length_ends_with_the_connection() {
    let mut capture = Capture::new();
    capture.ask(10, REQUEST);
    capture.answer(20, b"HTTP/1.0 200 OK\r\n\r\nall that");
    capture.answer(30, b" there is");
    capture.close(35, true);
    assert_eq!(capture.end().0, [[10, 10, 20, 35]]);
}

#[test]
fn requests_without_an_answer_and_answers_without_a_request_are_counted() {
    let mut capture = Capture::new();
    capture.open(0);
    capture.answer(
        5,
        b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    );
    capture.ask(10, REQUEST);
    capture.ask(12, &REQUEST[..4]);
    let reset = Segment {
        reset: true,
        ..capture.segment(20, true, b"")
    };
    capture.take(&reset);
    let (times, _, counts) = capture.end();
    assert!(times.is_empty());
    assert_eq!(
        (counts.unasked, counts.unanswered, counts.resets),
        (1, 2, 1)
    );
}

#[test]
fn the_same_ends_may_meet_again_and_a_syn_may_come_twice() {
    let mut capture = Capture::new();
    capture.open(0);
    capture.ask(10, REQUEST);
    capture.answer(20, ANSWER);
    capture.sent = [77, 88];
    capture.open(100);
    let again = Segment {
        syn: true,
        sequence: 77,
        ..capture.segment(105, false, b"")
    };
    capture.take(&again);
    capture.ask(110, REQUEST);
    capture.answer(130, ANSWER);
    let (times, exchanges, counts) = capture.end();
    assert_eq!(times, [[10, 10, 20, 20], [110, 110, 130, 130]]);
    assert_eq!(exchanges[1].opened, Some(Duration::from_micros(100)));
    assert_eq!(
        (counts.connections, counts.to_server.retransmissions),
        (2, 1)
    );
}

#[test]
fn connections_are_told_apart_and_giant_frames_are_counted() {
    let mut capture = Capture::new();
    capture.ask(10, REQUEST);
    let other = Capture {
        client: "198.18.0.2:40001".parse().unwrap(),
        ..Capture::new()
    };
    let ask = other.segment(15, false, REQUEST);
    let answer = Segment {
        frame_bytes: 65_000,
        ..other.segment(20, true, ANSWER)
    };
    capture.take(&ask);
    capture.take(&answer);
    capture.answer(30, ANSWER);
    let (times, _, counts) = capture.end();
    assert_eq!(times, [[15, 15, 20, 20], [10, 10, 30, 30]]);
    assert_eq!(
        (counts.to_client.giant, counts.largest_frame_bytes),
        (1, 65_000)
    );
}

#[test]
fn a_connection_that_is_over_is_forgotten_and_its_last_acknowledgement_opens_none() {
    for reset in [false, true] {
        let mut capture = Capture::new();
        capture.open(0);
        capture.ask(10, REQUEST);
        capture.answer(20, ANSWER);
        capture.close(30, true);
        assert_eq!(capture.matcher.connections.len(), 1);
        let last = Segment {
            fin: !reset,
            reset,
            ..capture.segment(40, false, b"")
        };
        capture.take(&last);
        assert!(capture.matcher.connections.is_empty());
        let acknowledged = capture.segment(41, true, b"");
        capture.take(&acknowledged);
        let (times, _, counts) = capture.end();
        assert_eq!(times, [[10, 10, 20, 20]]);
        assert_eq!((counts.connections, counts.unanswered), (1, 0));
        assert_eq!(counts.to_client.packets, 4);
    }
}

proptest::proptest! {
    #[test]
    fn no_segments_confuse_it(
        segments in proptest::collection::vec(
            (0..2_u16, 0..200_u32, 0..6_usize, proptest::collection::vec(proptest::bool::ANY, 4)),
            0..60,
        ),
    ) {
        let payloads: [&[u8]; 6] = [b"", REQUEST, ANSWER, b"HEAD / HT", b"\r\n\r\n", b"\x16\x03"];
        let mut capture = Capture::new();
        let all = segments.len() as u64;
        for (at, (client, sequence, payload, flags)) in segments.into_iter().enumerate() {
            capture.client.set_port(40_000 + client);
            let payload = payloads[payload];
            let kept = payload.len() / (1 + usize::from(flags[0]));
            let segment = Segment {
                sequence: sequence.wrapping_sub(50),
                syn: flags[1],
                fin: flags[2],
                reset: flags[2] && flags[3],
                payload: &payload[..kept],
                ..capture.segment(at as u64, flags[3], payload)
            };
            capture.take(&segment);
        }
        let (_, exchanges, counts) = capture.end();
        proptest::prop_assert_eq!(counts.to_server.packets + counts.to_client.packets, all);
        for one in exchanges {
            proptest::prop_assert!(one.request_first <= one.request_last && one.answer_first <= one.answer_last);
        }
    }
}
