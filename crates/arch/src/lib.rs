//! The landing: the contract between an architecture and everything that all architectures share.
//!
//! Serving a file is five steps (Flash, figure 1): accept a connection, read the request, find the file, read the
//! file, send the answer. An [`Architecture`] answers one question only: which process, thread, loop or helper runs
//! each step, and who waits when a step would block. Whatever does not bear on that question lives here or below.
//!
//! A room receives a [`ServerSetup`], a recipe. Each of its processes opens it once and has a [`ProcessContext`]; each of
//! its threads asks that for a [`Worker`]. Connections come through the [`Listener`], and each has a [`Session`], which does no
//! I/O: it is told what happened, and says what is [`Next`]. Whoever drives it moves the bytes:
//!
//! - [`blocking::drive`], for whoever may wait: one connection, served to its end, over whatever [transport](Transport);
//! - an [`Endpoint`], for whoever must not: a session at a socket that runs until it comes to a [`Work`] that may wait or compute,
//!   and leaves to the room who does it. The crate `reactor` keeps those of an event loop;
//! - a [`CompletionEndpoint`], for whoever hands everything to the kernel and is told when it is done.
//!
//! Where a request goes from thread to thread, its endpoint takes its [`RequestBuffers`] along.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`setup`] | the recipe that a room receives |
//! | [`process`] | what the threads of one process share, opened from it |
//! | [`worker`] | what one thread needs to serve |
//! | [`nature`] | what an architecture is, and how it behaves |
//! | [`options`] | the options that every model has |
//! | [`architecture`] | what a room is |
//! | [`address`] | where a server listens |
//! | [`document`] | the document root, as HTTP sees it |
//! | [`limits`] | how many threads fit |
//! | [`error`] | what was being tried |
//! | [`listener`] | accepting, and the connection limit |
//! | [`acceptor`] | accepting in an event loop |
//! | [`refused`] | turning away |
//! | [`remarks`] | what a room has to say of itself at its end |
//! | [`security`] | what is secured, and with which certificate |
//! | [`session`] | one connection, as its protocol sees it: what is next, outputs, works |
//! | [`buffers`] | what a request needs while it is worked on |
//! | [`transport`] | how bytes move |
//! | [`blocking`] | the driver for whoever may wait |
//! | [`readiness`] | the driver for whoever must not |
//! | [`completion`] | the driver for whoever is told when it is done |
//! | [`spin`] | looking at an empty queue before sleeping there |
//! | [`hand_over`] | the same before a pool whose queue nobody can look at |
//! | [`processes`] | worker processes: made, replaced, told to end |
//! | [`stop`] | ending in good order |
//! | [`privileges`] | giving up those of root |

pub mod acceptor;
pub mod address;
pub mod architecture;
mod binding;
pub mod blocking;
pub mod buffers;
pub mod completion;
pub mod document;
pub mod error;
pub mod hand_over;
mod interest;
pub mod limits;
pub mod listener;
pub mod nature;
pub mod options;
pub mod privileges;
pub mod process;
pub mod processes;
pub mod readiness;
pub mod refused;
pub mod remarks;
pub mod security;
pub mod session;
pub mod setup;
pub mod spin;
pub mod stop;
mod timing;
pub mod transport;
pub mod worker;

pub use acceptor::Acceptor;
pub use address::Address;
pub use architecture::{Architecture, Rule, Sockets};
pub use buffers::RequestBuffers;
pub use completion::{CompletionEndpoint, Turn};
pub use contracts::serve::BlockingEdge;
pub use document::{Entry, Files, residency};
pub use error::context;
pub use hand_over::HandOver;
pub use interest::{Interest, Readiness};
pub use limits::{fit, threads_that_fit};
pub use listener::{Accept, Client, Listener};
pub use nature::Nature;
pub use options::ServeOptions;
pub use process::ProcessContext;
pub use readiness::{ASIDE, Endpoint, Progress};
pub use refused::Refused;
pub use remarks::Remarks;
pub use security::Security;
pub use session::{Done, Next, Session, Step, Work};
pub use setup::ServerSetup;
pub use spin::Spin;
pub use transport::Transport;
pub use worker::Worker;
