//! The client's end of a connection of HTTP/2.

use std::collections::BTreeMap;

use http::client::Error;
use http::h2::ErrorCode;
use http::h2::client::{Client, Event};

use crate::cut;

/// How many requests are made before anything comes.
const REQUESTS: u32 = 8;

/// What a client learns, whatever pieces it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Learnt {
    Head(u32, u16),
    /// All pieces of a body up to the next event.
    Body(u32, Vec<u8>),
    Done(u32),
    Reset(u32, ErrorCode),
    GoAway(u32),
    Wrong(Error),
}

/// Reads `bytes`, the first of which choose cuts, what is asked and what is cancelled, whole, cut and a byte at a time.
///
/// # Panics
/// When what is learnt or said differs; when an answer comes of what was not asked, or goes on after its end, or nothing is used.
pub fn check(bytes: &[u8]) {
    let Some((seed, input)) = cut::seed(bytes) else {
        return;
    };
    let whole = read([input], seed);
    assert_eq!(
        whole,
        read(cut::pieces(input, seed | 1), seed),
        "whole and cut"
    );
    assert_eq!(
        whole,
        read(input.chunks(1), seed),
        "whole and a byte at a time"
    );
    in_order(&whole.0, seed);
}

fn is_head_only(seed: u32, stream: u32) -> bool {
    seed.rotate_right(8 + stream / 2) & 1 != 0
}

/// Whether nobody waits for the body of an answer whose head has come.
fn is_cancelled(seed: u32, stream: u32) -> bool {
    seed.rotate_right(20 + stream / 2) & 1 != 0
}

/// What is learnt, and what is said.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, seed: u32) -> (Vec<Learnt>, Vec<u8>) {
    let mut out = Vec::new();
    let mut client = Client::new(&mut out);
    for number in 0..REQUESTS {
        // What is asked makes no difference to how answers are read, beyond that.
        let stream = client.request(&[0x82], is_head_only(seed, 2 * number + 1), &mut out);
        assert_eq!(stream, 2 * number + 1);
    }
    let mut learnt = Vec::new();
    for piece in pieces {
        if feed(&mut client, piece, seed, &mut learnt, &mut out).is_err() {
            break;
        }
    }
    (learnt, out)
}

fn feed(
    client: &mut Client,
    mut input: &[u8],
    seed: u32,
    learnt: &mut Vec<Learnt>,
    out: &mut Vec<u8>,
) -> Result<(), ()> {
    loop {
        let event = match client.next(&mut input, out) {
            Ok(Event::More) => {
                assert!(
                    input.is_empty(),
                    "it wants more and has not used what is there"
                );
                return Ok(());
            }
            Ok(Event::Body(stream, body)) => {
                assert!(!body.is_empty());
                match learnt.last_mut() {
                    Some(Learnt::Body(of, all)) if *of == stream => all.extend_from_slice(body),
                    _ => learnt.push(Learnt::Body(stream, body.to_vec())),
                }
                continue;
            }
            Ok(Event::Head(stream, status)) => Learnt::Head(stream, status),
            Ok(Event::Done(stream)) => Learnt::Done(stream),
            Ok(Event::Reset(stream, code)) => Learnt::Reset(stream, code),
            Ok(Event::GoAway(last)) => Learnt::GoAway(last),
            Err(error) => {
                learnt.push(Learnt::Wrong(error));
                return Err(());
            }
        };
        learnt.push(event);
        if let Some(&Learnt::Head(stream, _)) = learnt.last()
            && is_cancelled(seed, stream)
        {
            client.cancel(stream, out);
        }
    }
}

/// Each answer has a head, then its body, then an end.
fn in_order(learnt: &[Learnt], seed: u32) {
    #[derive(PartialEq)]
    enum Step {
        Asked,
        HasHead,
        Over,
    }
    let streams = (0..REQUESTS).map(|number| 2 * number + 1);
    let mut steps: BTreeMap<u32, Step> = streams.map(|stream| (stream, Step::Asked)).collect();
    for one in learnt {
        let (stream, from, to) = match one {
            Learnt::Head(stream, status) => {
                assert!((200..1000).contains(status));
                let to = match is_cancelled(seed, *stream) {
                    true => Step::Over,
                    false => Step::HasHead,
                };
                (stream, Step::Asked, to)
            }
            Learnt::Body(stream, _) => {
                assert!(!is_head_only(seed, *stream), "a body of HEAD");
                (stream, Step::HasHead, Step::HasHead)
            }
            Learnt::Done(stream) => (stream, Step::HasHead, Step::Over),
            Learnt::Reset(stream, _) => {
                let step = steps.insert(*stream, Step::Over);
                assert!(step.is_some_and(|step| step != Step::Over), "{learnt:?}");
                continue;
            }
            Learnt::GoAway(_) | Learnt::Wrong(_) => continue,
        };
        assert!(
            steps.insert(*stream, to) == Some(from),
            "{one:?} in {learnt:?}"
        );
    }
}
