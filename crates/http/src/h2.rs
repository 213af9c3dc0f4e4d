//! HTTP/2: many requests and answers at a time on one connection (RFC 9113).
//!
//! From below: `frame` is what everything is cut into, `hpack` how fields are written in few bytes, `flow` how many bytes may be sent,
//! `priority` which first, `calm` what is too much. `head` reads a request, and `encode` writes the head of an answer; in between it is
//! `semantics` that decides, as for every version. What one request needs until it is answered is a `stream`.

pub(crate) mod calm;
pub mod client;
pub(crate) mod encode;
pub(crate) mod flow;
pub(crate) mod frame;
pub(crate) mod frames;
pub(crate) mod head;
pub mod hpack;
pub(crate) mod input;
pub(crate) mod priority;
pub(crate) mod server;
pub(crate) mod stream;

pub use calm::Flood;
pub use frame::{ErrorCode, PREFACE};
pub use frames::{Frames, FramesSent, Header};
pub use server::{Connection, Fault, MAX_STREAMS, Want};
