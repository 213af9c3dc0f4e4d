//! HTTP/1.1 as pure state machines: the server's end, and the [client]'s.
//!
//! A machine asks and a driver tells. There is no socket here, no file and no clock: the driver
//! brings bytes as they came from the network, asks what the machine [wants](Want) next, and
//! reports what became of it. The wants of the server's end are the five steps of serving a file,
//! *read request, find file, read file, send response*; who runs which step, and who waits for it,
//! is the driver's own affair, and that is all in which server architectures differ.
//!
//! | where | what |
//! | --- | --- |
//! | [`Connection`] | the server's end: everything that changes the state of a connection |
//! | [`Scratch`] | what connections need only while they are worked on; one for each thread or loop |
//! | [`Entity`] | what the answers about one file have in common |
//! | [`Target`] | which file is meant: decoded, normalised, confined to the root |
//! | [`Config`] | limits, and whether connections are kept |
//! | [`client`] | the client's end |
//!
//! Inside, in the order in which a request meets them: `head` finds the end of a head however it is
//! cut, `request` reads it, `framing` decides how long the body is, `body` drops it, `target` names
//! the file, `conditional` and `range` decide what of it is wanted, and `answer` renders the reply.

mod answer;
mod body;
mod chunked;
pub mod client;
mod conditional;
mod config;
mod date;
mod entity;
mod exchange;
mod fields;
mod framing;
mod head;
mod host;
mod line;
mod quick;
mod range;
mod request;
mod scratch;
mod server;
mod stamp;
mod status;
mod syntax;
mod target;
mod verdict;
mod want;

pub use config::Config;
pub use entity::Entity;
pub use scratch::{Finished, Scratch, refusal};
pub use server::Connection;
pub use target::Target;
pub use want::{Missing, Phase, Want};
