//! The client's end of a connection.

use http::client::{Closed, Error, Event, Expect, Framing, Responses};

use crate::cut;

/// What a client learns from a stream, whatever pieces it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Learnt {
    Head {
        status: u16,
        framing: Framing,
    },
    /// All pieces of a body.
    Body(Vec<u8>),
    Done {
        keep_alive: bool,
    },
    Unasked {
        closing: bool,
    },
    Wrong(Error),
    Closed(Closed),
}

/// Reads `bytes`, the first of which choose cuts and what is expected, whole, cut, a byte at a time, and with bodies dropped
/// unread.
///
/// # Panics
/// When what is learnt differs, or more was used than was there.
pub fn check(bytes: &[u8]) {
    let Some((seed, input)) = cut::seed(bytes) else {
        return;
    };
    let whole = read([input], seed, false);
    assert_eq!(
        whole,
        read(cut::pieces(input, seed | 1), seed, false),
        "whole and cut"
    );
    assert_eq!(
        whole,
        read(input.chunks(1), seed, false),
        "whole and a byte at a time"
    );
    let lengths = |all: Vec<Learnt>| -> Vec<Learnt> {
        all.into_iter()
            .map(|learnt| match learnt {
                Learnt::Body(body) => Learnt::Body(vec![0; body.len()]),
                other => other,
            })
            .collect()
    };
    let dropped = read(cut::pieces(input, seed | 1), seed, true);
    assert_eq!(lengths(whole), lengths(dropped), "read and dropped");
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, seed: u32, drops: bool) -> Vec<Learnt> {
    let mut machine = Responses::new();
    let mut learnt = Vec::new();
    let mut expected = 0;
    for piece in pieces {
        if feed(&mut machine, piece, seed, drops, &mut expected, &mut learnt).is_err() {
            break;
        }
    }
    let failed = matches!(learnt.last(), Some(Learnt::Wrong(_)));
    match machine.closed() {
        // It stays in the error that it is in.
        Err(error) if failed => assert_eq!(learnt.last(), Some(&Learnt::Wrong(error))),
        outcome => learnt.push(outcome.map_or_else(Learnt::Wrong, Learnt::Closed)),
    }
    learnt
}

fn feed(
    machine: &mut Responses,
    mut input: &[u8],
    seed: u32,
    drops: bool,
    expected: &mut u32,
    learnt: &mut Vec<Learnt>,
) -> Result<(), ()> {
    loop {
        if !machine.in_progress() && !input.is_empty() && *expected < 40 {
            let head_only = seed.rotate_right(*expected) & 0x100 != 0;
            machine.expect(if head_only {
                Expect::HeadOnly
            } else {
                Expect::Body
            });
            *expected += 1;
        }
        if drops && machine.skippable() > 0 && !input.is_empty() {
            let count = usize::try_from(machine.skippable())
                .map_or(input.len(), |most| most.min(input.len()));
            machine.skip(count as u64);
            add(learnt, &input[..count]);
            input = &input[count..];
        }
        let before = input.len();
        match machine.next(&mut input) {
            Ok(Event::More) => {
                assert!(
                    input.is_empty(),
                    "it wants more and has not used what is there"
                );
                return Ok(());
            }
            Ok(Event::Head(head)) => learnt.push(Learnt::Head {
                status: head.status,
                framing: head.framing,
            }),
            Ok(Event::Body(body)) => {
                assert!(!body.is_empty() && input.len() + body.len() <= before);
                add(learnt, body);
            }
            Ok(Event::Done { keep_alive }) => learnt.push(Learnt::Done { keep_alive }),
            Ok(Event::Unasked { closing }) => learnt.push(Learnt::Unasked { closing }),
            Err(error) => {
                learnt.push(Learnt::Wrong(error));
                assert_eq!(machine.next(&mut input), Err(error), "it stays wrong");
                return Err(());
            }
        }
    }
}

fn add(learnt: &mut Vec<Learnt>, body: &[u8]) {
    match learnt.last_mut() {
        Some(Learnt::Body(all)) => all.extend_from_slice(body),
        _ => learnt.push(Learnt::Body(body.to_vec())),
    }
}
