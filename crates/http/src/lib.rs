//! HTTP/1.1 as pure state machines: the server's end, and the [client]'s.
//!
//! A machine asks and a driver tells. There is no socket here, no file and no clock: the driver
//! brings bytes as they came from the network, asks what the machine [wants](Want) next, and
//! reports what became of it. The wants of the server's end are the steps of serving a file, *read
//! request, find file, read file, send response*; who runs which step, and who waits for it, is the
//! driver's own affair, and that is all in which server architectures differ.
//!
//! | where | what |
//! | --- | --- |
//! | [`Connection`] | the server's end: everything that changes the state of a connection |
//! | [`Scratch`] | what connections need only while they are worked on; one for each thread |
//! | [`Request`], [`Response`] | what is asked and what is answered, as values |
//! | [`respond`] | from the one to the other: nothing but a decision |
//! | [`Entity`] | what the answers about one file have in common |
//! | [`Target`] | which file is meant: decoded, normalised, confined to the root |
//! | [`Config`] | limits, and whether connections are kept |
//! | [`client`] | the client's end |
//! | [`relay`] | requests and answers as an intermediary passes them on |
//!
//! Inside, `semantics` is what requests and responses mean (RFC 9110), and `h1` how HTTP/1.1 carries
//! them (RFC 9112). The former knows nothing of the latter, so that another version stands beside
//! `h1`, and whoever changes a request or a response on its way cuts in between. No file depends on
//! one that depends on it.
//!
//! In the order in which a request meets them: `quick` reads a head that is whole and has nothing
//! wrong with it, `scan` finds the end of any other, however it is cut, and says what is wrong;
//! `line`, `fields` and `framing` judge its parts, and `head` puts them together. `target`, `host`
//! and `conditional` read what the request is made of, and `decision` says what is to be done before
//! anybody looks for the file. `body` and `chunked` drop what no method here has a use for.
//! `respond` decides on the answer, by `conditional` and `range`; `encode` writes it, and
//! `delivery` keeps how far its file has gone, and `lifetime` whether another request may follow.
//! What one request needs until it is answered is an `exchange`.
//!
//! # A driver
//!
//! ```
//! use std::sync::Arc;
//! use http::{Config, Connection, Entity, FileState, Scratch, Want};
//!
//! let mut scratch = Scratch::new(Arc::new(Config::default()));
//! let mut connection = Connection::new();
//! let file = b"hello";
//! let state = FileState { len: 5, modified: (784_111_777, 0), ..FileState::default() };
//! let entity = Entity::new(b"hello.txt", state);
//! let mut input = &b"GET /hello.txt HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"[..];
//! let mut socket = Vec::new();
//! loop {
//!     match connection.want() {
//!         Want::Request => {
//!             let taken = connection.receive(input, &mut scratch);
//!             input = &input[taken..];
//!         }
//!         Want::Find => {
//!             assert_eq!(connection.target().path(), b"hello.txt");
//!             connection.found(Ok(&entity), &mut scratch);
//!         }
//!         Want::Load(_) => connection.loaded(&entity, &mut scratch),
//!         Want::Send(range) => {
//!             socket.append(&mut scratch.out);
//!             socket.extend(&file[range.start as usize..range.end as usize]);
//!             connection.sent(range.end - range.start, &mut scratch);
//!         }
//!         Want::Linger | Want::Close => break,
//!     }
//! }
//! socket.append(&mut scratch.out);
//! assert!(socket.starts_with(b"HTTP/1.1 200 OK\r\n") && socket.ends_with(b"\r\n\r\nhello"));
//! assert_eq!(scratch.finished[0].status, 200);
//! ```

mod buffer;
mod config;
mod h1;
pub mod h2;
mod semantics;

pub use config::Config;
pub use h1::client;
pub use h1::refusal::refusal;
pub use h1::relay;
pub use h1::scratch::{Finished, Scratch};
pub use h1::server::Connection;
pub use h1::want::{Phase, Want};
pub use semantics::entity::{Entity, FileState};
pub use semantics::method::Method;
pub use semantics::range::Parts;
pub use semantics::request::{Malformed, Request};
pub use semantics::respond::{Found, Missing, respond};
pub use semantics::response::{Body, Content, Fields, Response};
pub use semantics::status::Status;
pub use semantics::target::{RawTarget, Target};
