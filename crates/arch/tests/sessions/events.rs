//! Whatever happens, at whatever moment: a session is never stuck, never says a thing twice, and leaves nothing behind.

use arch::session::Scratch;
use arch::session::SendError;
use arch::{Next, Session};
use meter::Event;

use crate::memory::{Place, Wire};
use crate::{REQUESTS, STATUSES};

/// Something that may happen at any time.
type Happening = fn(&mut Session, &mut Scratch);

const HAPPENINGS: [(&str, Happening); 5] = [
    ("expire", |session, scratch| session.expire(scratch)),
    ("finish", |session, _| session.finish()),
    ("abandon", |session, scratch| session.abandon(scratch)),
    ("broken", |session, scratch| session.broken(scratch)),
    ("end of input", |session, scratch| {
        session.end_of_input(scratch);
    }),
];

/// Pieces, so that it also waits for requests.
fn pieces() -> impl Iterator<Item = &'static [u8]> {
    REQUESTS.as_bytes().chunks(50)
}

/// Half of what is wanted, so that outputs come back in parts.
fn half(wanted: usize) -> Result<usize, SendError> {
    Ok(wanted.div_ceil(2))
}

#[test]
fn anything_may_happen_before_any_call() {
    for place in Place::each() {
        let mut whole = Wire::new(&place, pieces());
        let steps = whole.run(&mut half);
        assert_eq!(whole.statuses, STATUSES);
        for (name, happen) in HAPPENINGS {
            for moment in 0..=steps {
                let mut wire = Wire::new(&place, pieces());
                for _ in 0..moment {
                    wire.step(&mut half);
                }
                happen(&mut wire.session, &mut wire.scratch);
                wire.account();
                wire.run(&mut half);
                check(name, moment, &wire, &whole.received);
            }
        }
    }
}

/// With an output or a work in hand, which comes back afterwards all the same, done or broken.
#[test]
fn anything_may_happen_while_something_is_out() {
    for place in Place::each() {
        let mut whole = Wire::new(&place, pieces());
        let steps = whole.run(&mut half);
        for (name, happen) in HAPPENINGS {
            for moment in 0..=steps {
                for is_broken in [false, true] {
                    let mut wire = Wire::new(&place, pieces());
                    for _ in 0..moment {
                        wire.step(&mut half);
                    }
                    let next = wire.session.next(&mut wire.scratch);
                    if matches!(next, Next::Receive) {
                        // Nothing is out: it is as if it had happened before.
                        continue;
                    }
                    happen(&mut wire.session, &mut wire.scratch);
                    wire.account();
                    wire.give(next, &mut |wanted| match is_broken {
                        true => Err(SendError::Broken),
                        false => half(wanted),
                    });
                    wire.account();
                    wire.run(&mut half);
                    check(name, moment, &wire, &whole.received);
                }
            }
        }
    }
}

/// What holds whatever has happened.
fn check(name: &str, moment: usize, wire: &Wire<'_>, whole: &[u8]) {
    let what = format!("{name} at {moment}: {:?}", wire.events);
    assert!(wire.events.len() <= 1, "{what}");
    assert!(wire.statuses.len() <= STATUSES.len(), "{what}");
    // It says what it would have said, as far as it goes, or that this is the last answer.
    let answers = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split("HTTP/1.1 ")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (said, whole) = (answers(&wire.received), answers(whole));
    for (number, (said_now, would_have)) in said.iter().zip(&whole).enumerate() {
        let is_last = number + 1 == said.len();
        let goes_on = would_have.starts_with(said_now.as_str());
        let closes = said_now.contains("Connection: close\r\n");
        assert!(
            said_now == would_have || (is_last && (goes_on || closes)),
            "{what}: {said_now}"
        );
    }
    if name == "expire" && wire.events == [Event::RequestTimeout] {
        assert!(wire.statuses.last() == Some(&408), "{what}");
    }
}

/// A session that is over says so for ever, whatever it is told.
#[test]
fn nothing_happens_to_a_session_that_is_over() {
    let place = Place::new(&["--content-cache", "0"]);
    let mut late = Wire::new(&place, [REQUESTS]);
    let (mut work, mut output) = (None, None);
    while work.is_none() || output.is_none() {
        match late.session.next(&mut late.scratch) {
            Next::Work(found) if work.is_none() && late.statuses.len() > 1 => {
                late.session.abandon(&mut late.scratch);
                work = Some(found);
                break;
            }
            Next::Send(sent) if output.is_none() && late.statuses.len() == 1 => {
                output = Some(());
                late.give(Next::Send(sent), &mut Ok);
            }
            next => {
                late.give(next, &mut Ok);
            }
        }
        late.account();
    }
    late.account();
    assert_eq!(late.events, [Event::Abandoned]);
    let done = place.do_now(work.unwrap());
    late.session.done(done, &mut late.scratch);
    for (_, happen) in HAPPENINGS {
        happen(&mut late.session, &mut late.scratch);
        assert!(matches!(late.session.next(&mut late.scratch), Next::Closed));
    }
    late.session
        .receive(b"GET / HTTP/1.1\r\n\r\n", &mut late.scratch);
    assert!(matches!(late.session.next(&mut late.scratch), Next::Closed));
    late.account();
    assert_eq!(late.events.len(), 1);
}
