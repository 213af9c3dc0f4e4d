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
//!   and leaves to the room who does it. The crate `reactor` keeps those of an event loop.
//!
//! Where a request goes from thread to thread, its endpoint takes its [`RequestBuffers`] along.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`setup`] | the recipe, what a process opens from it, what a thread needs |
//! | [`nature`] | what an architecture is, and how it behaves |
//! | [`options`] | the options that every model has |
//! | [`address`] | where a server listens |
//! | [`listener`] | accepting, and the connection limit |
//! | [`refused`] | turning away |
//! | [`session`] | one connection, as its protocol sees it: what is next, outputs, works |
//! | [`buffers`] | what a request needs while it is worked on |
//! | [`transport`] | how bytes move |
//! | [`blocking`] | the driver for whoever may wait |
//! | [`readiness`] | the driver for whoever must not |
//! | [`stop`] | ending in good order |
//! | [`privileges`] | giving up those of root |

pub mod address;
pub mod blocking;
pub mod buffers;
pub mod listener;
pub mod nature;
pub mod options;
pub mod privileges;
pub mod readiness;
pub mod refused;
pub mod session;
pub mod setup;
pub mod stop;
mod timing;
pub mod transport;

pub use address::Address;
pub use buffers::RequestBuffers;
pub use listener::{Accept, Acceptor, Client, Listener};
pub use nature::Nature;
pub use options::ServeOptions;
pub use readiness::{Endpoint, Progress, Readiness};
pub use refused::Refused;
pub use session::{Done, Next, Session, Step, Work};
pub use setup::{ProcessContext, ServerSetup, Worker};
pub use transport::Transport;

/// The document root, with what HTTP wants to know of each file in its header cache.
pub type Files = files::Files<http::Entity>;
/// A file that was found.
pub type Entry = std::sync::Arc<files::Entry<http::Entity>>;
/// One way of turning connections into running code.
///
/// The type is the architecture's own options: what its author would call its knobs, with units in their names.
pub trait Architecture: clap::Args {
    /// What `--model` calls it.
    const NAME: &'static str;
    /// One line: who runs which step.
    const SUMMARY: &'static str;
    /// The paper's diagram, and what blocks where, for a terminal.
    const DIAGRAM: &'static str;
    /// What it is, and how it behaves with which options.
    const NATURE: Nature;

    /// Serves `setup` until it is told to stop and its last answer is sent. Calls `ready` as soon as everybody is there who is
    /// to serve from the start.
    ///
    /// # Errors
    /// What kept it from starting or from going on, in words for the person who started it.
    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()>;
}

/// Adds what was being tried to an error of the operating system.
pub fn context(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> std::io::Error {
    move |error| std::io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// How many threads this process has room for, whatever else limits them. Each takes four of the mappings that a process may have
/// (`vm.max_map_count`), two for its stack and two for the one on which it would handle signals; a thread that finds no room for the
/// latter ends the process.
pub fn threads_that_fit() -> usize {
    /// What Linux has by default.
    const MAPPINGS: usize = 65_530;
    const OTHERS: usize = 1000;
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    let limit = limit.ok().and_then(|limit| limit.trim().parse().ok());
    limit.unwrap_or(MAPPINGS).saturating_sub(OTHERS) / 4
}

/// That so many threads fit.
///
/// # Errors
/// That they do not, in words for the person who asked for them.
pub fn fit(threads: u32) -> std::io::Result<()> {
    let most = threads_that_fit();
    if threads as usize <= most {
        return Ok(());
    }
    Err(std::io::Error::other(format!(
        "cannot start {threads} threads: one process has room for {most} (vm.max_map_count); try fewer --threads"
    )))
}

/// How this process has asked the kernel what is in memory; `None` if it never had to.
pub fn residency() -> Option<files::Residency> {
    files::residency::method()
}
