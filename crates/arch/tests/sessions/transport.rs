//! However the bytes are cut on their ways, and wherever a way ends.

use arch::Next;
use arch::session::SendError;
use http::client::{Event, Expect, Responses};

use crate::memory::{KEPT, LARGE, Place, Wire};
use crate::{REQUESTS, STATUSES};

/// What is answered to requests that come in one piece, over a transport that takes all.
fn reference(place: &Place) -> Vec<u8> {
    let mut wire = Wire::new(place, [REQUESTS]);
    wire.run_whole();
    assert_eq!(wire.statuses, STATUSES);
    assert!(wire.events.is_empty());
    wire.received
}

/// The client's end understands it, too.
#[test]
fn both_ends_agree() {
    for place in Place::each() {
        let answers = reference(&place);
        for cut in 1..50 {
            let mut responses = Responses::new();
            let mut bodies = vec![0];
            let expect = |number| match number {
                1 => Expect::HeadOnly,
                _ => Expect::Body,
            };
            responses.expect(expect(0));
            for mut piece in answers.chunks(cut) {
                loop {
                    match responses.next(&mut piece).unwrap() {
                        Event::More => break,
                        Event::Unasked { .. } => panic!("an answer to nothing"),
                        Event::Head(head) => assert_eq!(head.status, STATUSES[bodies.len() - 1]),
                        Event::Body(bytes) => *bodies.last_mut().unwrap() += bytes.len(),
                        Event::Done { keep_alive } => {
                            assert_eq!(keep_alive, bodies.len() < STATUSES.len());
                            if !keep_alive {
                                break;
                            }
                            responses.expect(expect(bodies.len()));
                            bodies.push(0);
                        }
                    }
                }
            }
            assert_eq!((bodies[0], bodies[1], bodies[5]), (6, 0, LARGE));
        }
    }
}

#[test]
fn what_is_answered_does_not_depend_on_how_requests_are_cut() {
    for place in Place::each() {
        let expected = reference(&place);
        let requests = REQUESTS.as_bytes();
        for cut in 1..requests.len() {
            let mut wire = Wire::new(&place, [&requests[..cut], &requests[cut..]]);
            wire.run_whole();
            assert_eq!(wire.received, expected, "cut at {cut}");
        }
        for size in 1..40 {
            let mut wire = Wire::new(&place, requests.chunks(size));
            wire.run_whole();
            assert_eq!(wire.received, expected, "in pieces of {size}");
        }
    }
}

/// A transport that takes so many bytes, then none, then all; and one that never takes more than so many.
#[test]
fn nothing_is_lost_however_little_a_transport_takes() {
    for place in Place::each() {
        let expected = reference(&place);
        for limit in 0..expected.len() {
            let mut wire = Wire::new(&place, [REQUESTS]);
            let (mut left, mut refused) = (limit, false);
            wire.run(&mut |wanted| {
                let taken = if refused { wanted } else { wanted.min(left) };
                left -= taken.min(left);
                refused |= taken < wanted;
                Ok(taken)
            });
            assert_eq!(wire.received, expected, "short after {limit}");
            assert_eq!(wire.statuses, STATUSES);
        }
        for most in 1..100 {
            let mut wire = Wire::new(&place, [REQUESTS]);
            let mut takes = false;
            wire.run(&mut |wanted| {
                takes = !takes;
                Ok(if takes { wanted.min(most) } else { 0 })
            });
            assert_eq!(wire.received, expected, "{most} bytes at a time");
            assert_eq!(wire.statuses, STATUSES);
        }
    }
}

/// An error ends the session, is counted once, and leaves nothing for the next one; what was answered before is counted as sent.
#[test]
fn an_error_at_any_call_ends_that_session_and_no_more() {
    for place in Place::each() {
        let expected = reference(&place);
        let errors = [
            (SendError::Broken, meter::Event::Broken),
            (SendError::Truncated, meter::Event::Truncated),
            (SendError::Unreadable, meter::Event::Unreadable),
        ];
        for (error, event) in errors {
            for failing in 0.. {
                let mut wire = Wire::new(&place, [REQUESTS]);
                let mut calls = 0;
                wire.run(&mut |wanted| {
                    calls += 1;
                    if calls > failing {
                        Err(error)
                    } else {
                        Ok(wanted.div_ceil(2))
                    }
                });
                if calls <= failing {
                    break;
                }
                assert_eq!(wire.events, [event], "call {failing}");
                assert!(wire.statuses.len() < STATUSES.len());
                assert!(expected.starts_with(&wire.received));
                assert!(matches!(wire.session.next(&mut wire.scratch), Next::Closed));
                // The next session has the same scratch.
                let mut next = Wire::new(&place, [REQUESTS]);
                next.scratch = wire.scratch;
                next.run_whole();
                assert_eq!(next.received, expected);
            }
        }
    }
}

/// Many requests in one packet have turns like everybody's, and their answers share packets.
#[test]
fn requests_that_come_together_take_turns_and_share_outputs() {
    let place = Place::new(&["--name-cache", "0"]);
    let requests = "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100);
    let mut wire = Wire::new(&place, [requests]);
    let mut outputs = 0;
    wire.run(&mut |wanted| {
        outputs += 1;
        Ok(wanted)
    });
    assert_eq!(wire.statuses, [200; 100]);
    // A turn goes on after the disk: 32 requests each.
    assert_eq!(wire.yields, 3);
    assert!(outputs <= 5, "{outputs}");
    assert_eq!(KEPT, 300);
}
