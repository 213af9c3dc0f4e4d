//! Bodies that come in pieces, from something that may have none yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use arch::session::{Piece, Source};
use arch::{Done, Next, Step};
use http::Phase;
use meter::Event;

use crate::memory::{LARGE, Place, bytes};

/// What the test gives it, a piece at a time.
#[derive(Debug, Clone, Default)]
struct Given(Arc<Mutex<VecDeque<Piece>>>);

impl Source for Given {
    fn next(&mut self) -> Piece {
        self.0.lock().unwrap().pop_front().unwrap_or(Piece::NotYet)
    }
}

impl Given {
    fn give(&self, bytes: &[u8]) {
        self.0.lock().unwrap().push_back(Piece::Ready(bytes.into()));
    }
}

#[test]
fn a_body_may_come_in_pieces() {
    for (gather_from, piece) in [("1", 7), ("100", 7), ("1", 900), ("100", 900), ("8k", 1)] {
        let place = Place::new(&["--gather-from", gather_from]);
        let (mut session, mut scratch, given) =
            (place.session(), place.scratch(), Given::default());
        let (mut received, mut waits) = (Vec::new(), 0);
        let body: Vec<u8> = (0..LARGE).map(|byte| byte as u8).collect();
        let mut pieces = body.chunks(piece);
        let request = b"GET /large.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        assert_eq!(session.receive(request, &mut scratch), request.len());
        loop {
            match session.next(&mut scratch) {
                Next::Work(work) if work.step() == Some(Step::Load) => {
                    let done = Done::from_source(&work, Box::new(given.clone()));
                    session.done(done, &mut scratch);
                }
                Next::Work(work) => session.done(place.do_now(work), &mut scratch),
                Next::Send(output) => {
                    let bytes = bytes(&output);
                    let sent = bytes.len().div_ceil(2);
                    received.extend_from_slice(&bytes[..sent]);
                    session.sent(output, Ok(sent), &mut scratch);
                }
                Next::Wait => {
                    // The client waits for nothing that is his doing, but for the server's answer.
                    assert_eq!(session.phase(), Some(Phase::Answer));
                    session.rest(&scratch);
                    waits += 1;
                    given.give(pieces.next().expect("it waits for more than there is"));
                }
                Next::ShutdownWrite => {}
                // It waits for its client's end.
                Next::Receive => session.end_of_input(&mut scratch),
                Next::Closed => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(received.ends_with(&[b"\r\n\r\n", &body[..]].concat()));
        assert_eq!(waits, LARGE.div_ceil(piece));
        assert_eq!(scratch.settled.len(), 1);
    }
}

/// A source that fails in the midst closes the connection short; whatever it gives beyond the length is not sent.
#[test]
fn a_source_may_fail_or_give_too_much() {
    for fails in [true, false] {
        let place = Place::new(&[]);
        let (mut session, mut scratch, given) =
            (place.session(), place.scratch(), Given::default());
        given.give(&[b'x'; 100]);
        if fails {
            given.0.lock().unwrap().push_back(Piece::Failed);
        } else {
            given.give(&[b'y'; 2 * LARGE]);
        }
        let mut received = Vec::new();
        session.receive(b"GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n", &mut scratch);
        loop {
            match session.next(&mut scratch) {
                Next::Work(work) if work.step() == Some(Step::Load) => {
                    let done = Done::from_source(&work, Box::new(given.clone()));
                    session.done(done, &mut scratch);
                }
                Next::Work(work) => session.done(place.do_now(work), &mut scratch),
                Next::Send(output) => {
                    let bytes = bytes(&output);
                    received.extend_from_slice(&bytes);
                    session.sent(output, Ok(bytes.len()), &mut scratch);
                }
                Next::ShutdownWrite => {}
                Next::Receive | Next::Closed => break,
                other => panic!("{other:?}"),
            }
        }
        let ends = |byte: u8, count: usize| received.ends_with(&vec![byte; count]);
        if fails {
            assert!(ends(b'x', 100) && matches!(session.next(&mut scratch), Next::Closed));
            assert_eq!(scratch.events, [Event::UpstreamFailed]);
            assert!(scratch.settled.is_empty());
        } else {
            assert!(ends(b'y', LARGE - 100) && matches!(session.next(&mut scratch), Next::Receive));
            assert_eq!(scratch.settled.len(), 1);
        }
    }
}
