//! Hostile input: what must hold whatever comes.
//!
//! Each module has one function, `check`, which is given bytes that anybody may have sent or written and panics if
//! something is wrong. A fuzzer looks for such bytes; those that were worth keeping lie in `corpus`, and `cargo test`
//! tries them all again, on any toolchain and without a fuzzer.
//!
//! ```console
//! $ scripts/fuzz 60                                                              # each target for a minute
//! $ cargo +nightly fuzz run --fuzz-dir crates/fuzz --features fuzzer request     # one of them, with AddressSanitizer
//! ```
//!
//! | target | what is hostile | what must hold |
//! | --- | --- | --- |
//! | [`request`] | the bytes on a connection to the server | one answer to each request, whole, and nothing read past its end; cutting makes no difference |
//! | [`response`] | the bytes that a server sends to the generator | the same events however cut, and however much of a body is dropped unread |
//! | [`frame`] | the same to the server, of HTTP/2 | answered alike however cut; no more sent than there is room for, and no answer short that is said to be whole |
//! | [`answer`] | the same to the generator, of HTTP/2 | the same events however cut, each answer's in their order |
//! | [`header_block`] | the header blocks of a connection | decoded as another decoder does it, and as another encoder has written it |
//! | [`record`] | the records of a TLS connection: changed, cut, dropped, repeated, or no records at all | nothing comes of what is not the client's; an alert or a page, and an end |
//! | [`path`] | the path of a request | nothing outside the root is opened |
//! | [`experiment`] | an experiment file | it is refused in a line, or planned within bounds |
//! | [`histogram`] | a histogram log | it is refused in a line, or read back as it was written |
//! | [`results`] | the files of a results folder | they are refused in a line, or can be judged and tabulated |
//! | [`page`] | the same | they are refused in a line, or can be drawn, and nothing in them becomes markup |
//! | [`torrent`] | what BitTorrent peers and trackers say, and a torrent itself | a peer is understood alike however cut, and dropped or served; what else is said is refused in a line, or can be said again |
//! | [`program`] | a program of Flux | what is wrong is told with its place, or every path takes constraints in order, and it can be drawn and made Rust |
//!
//! The crate belongs to the workspace, so that the checks are compiled, linted and run like everything else. The fuzz
//! targets themselves are three lines each around a `check`; they are linked with libFuzzer, so no other command builds
//! them.

pub mod answer;
pub mod cut;
pub mod experiment;
pub mod frame;
pub mod header_block;
pub mod histogram;
pub mod page;
pub mod path;
pub mod program;
pub mod record;
pub mod request;
pub mod response;
pub mod results;
pub mod torrent;

#[path = "../../http/tests/support/frames.rs"]
mod frames;
#[path = "../../files/tests/support/mod.rs"]
mod ground;
#[path = "../../http/tests/h2/driver.rs"]
#[allow(dead_code, reason = "tests use more of it")]
#[allow(clippy::unwrap_used, reason = "a check fails by panicking")]
mod h2_driver;
mod limits;
#[path = "../../http/tests/support/mod.rs"]
mod support;

/// A name, as `cargo fuzz` and the corpus know it, and its check.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 13] = [
    ("request", request::check),
    ("response", response::check),
    ("frame", frame::check),
    ("answer", answer::check),
    ("header_block", header_block::check),
    ("record", record::check),
    ("path", path::check),
    ("experiment", experiment::check),
    ("histogram", histogram::check),
    ("results", results::check),
    ("page", page::check),
    ("program", program::check),
    ("torrent", torrent::check),
];
