//! The protocol, from bytes to bytes: each row of its table, whole and byte by byte.

mod answers;
mod framing;
mod heads;
mod lifecycle;
mod persistence;
mod ranges;
mod request_line;
#[path = "../support/mod.rs"]
mod support;
