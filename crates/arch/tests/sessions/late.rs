//! A client that is slow to read while somebody works for its next request.

use arch::session::Output;
use arch::{Next, Work};

use crate::memory::{Place, bytes};

/// What a work brings while an earlier answer has not left whole goes behind that, and is with the session when others have their turn:
/// what lay in the buffers would go to the next one's client.
#[test]
fn what_a_work_brings_waits_behind_what_has_not_left() {
    let place = Place::new(&[]);
    let (mut session, mut scratch) = (place.session(), place.scratch());
    let first = "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n";
    let requests = format!("{first}GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let mut left = requests.as_bytes();
    let mut received = Vec::new();
    // As far as the second request's work, with the first answer collected.
    let mut works = 0;
    let second: Work = loop {
        match session.next(&mut scratch) {
            Next::Receive => {
                let taken = session.receive(left, &mut scratch);
                left = &left[taken..];
            }
            // Finding and reading what the first asks for.
            Next::Work(work) if works < 2 => {
                works += 1;
                session.done(place.do_now(work), &mut scratch);
            }
            Next::Work(work) => break work,
            other => panic!("{other:?}"),
        }
    };
    let send = |output: Output, at_most: usize, received: &mut Vec<u8>| {
        let all = bytes(&output);
        received.extend_from_slice(&all[..at_most.min(all.len())]);
        (output, at_most.min(all.len()))
    };
    let collected = session.collected(&mut scratch).expect("an answer");
    let (output, sent) = send(collected, 10, &mut received);
    session.sent(output, Ok(sent), &mut scratch);
    // The work is done, and the client still takes nothing.
    session.done(place.do_now(second), &mut scratch);
    let Next::Send(output) = session.next(&mut scratch) else {
        panic!("what has not left is to be sent");
    };
    session.sent(output, Ok(0), &mut scratch);
    assert!(scratch.is_clear(), "it would go to the next one's client");
    session.rest(&scratch);
    loop {
        match session.next(&mut scratch) {
            Next::Send(output) => {
                let (output, sent) = send(output, 7, &mut received);
                session.sent(output, Ok(sent), &mut scratch);
            }
            Next::ShutdownWrite => {}
            Next::Receive => session.end_of_input(&mut scratch),
            Next::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    let text = String::from_utf8(received).unwrap();
    assert_eq!(text.matches("HTTP/1.1 ").count(), 2, "{text}");
    assert!(text.contains("\r\n\r\nsmall\nHTTP/1.1 404 ") && text.ends_with("404 Not Found\n"));
    assert_eq!(scratch.settled.len(), 2);
}
