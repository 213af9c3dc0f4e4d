//! HTTP/2, in two halves as everything: what does not depend on who serves, on the session in memory ([`SUBJECTS`]); and on each
//! architecture, over real sockets, a pass of the golden requests and what depends on who serves ([`sockets`]).
//!
//! The client's frames are the tests' own, and what it is answered is decoded by another's decoder.

#[path = "../../../http/tests/support/frames.rs"]
pub(crate) mod frames;

mod alike;
mod memory;
pub(crate) mod sockets;

use crate::http1::Case;
use frames::{Answer, Heard};

pub(crate) const SUBJECTS: &[(&str, &[Case])] =
    &[("alike", alike::CASES), ("memory", memory::CASES)];

/// Has the client take as much as it is given.
pub(crate) fn hello_with_room() -> Vec<u8> {
    let settings = frames::settings(&[(4, (1 << 31) - 1)]);
    let room = frames::window_update(0, (1 << 31) - 1 - 65_535);
    [frames::PREFACE, &settings, &room].concat()
}

/// What has come of a stream, which must be whole.
#[track_caller]
pub(crate) fn whole(heard: &Heard, stream: u32) -> &Answer {
    let answer = heard.answers.get(&stream).expect("an answer");
    assert!(
        answer.is_whole && answer.reset.is_none(),
        "{:?}",
        answer.fields
    );
    answer
}
