//! The landing: the contract between an architecture and everything that all architectures share.
//!
//! Serving a file is five steps (Flash, figure 1): accept a connection, read the request, find the file, read the
//! file, send the answer. An [`Architecture`] answers one question only: which process, thread, loop or helper runs
//! each step, and who waits when a step would block. Whatever does not bear on that question lives here or below.
//!
//! A room receives a [`ServerSetup`], a recipe. Each of its processes opens the setup once and has a [`ProcessContext`]; each of
//! its threads asks that for a [`Worker`]. Connections come through the [`Listener`] and become [`Session`]s, which are
//! driven in one of two sinks, as a rule:
//!
//! - [`blocking::serve`], for whoever may wait: fifty lines that serve one connection to its end;
//! - a [`Sessions`] table under an event loop, for whoever must not: [`Sessions::advance`] runs one session until it
//!   would block, and says on what.
//!
//! Where a request goes from thread to thread, each runs its own [`Steps`] of it with [`Session::run`]; the session leaves
//! its place in the table meanwhile, and takes its [`RequestBuffers`] along.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`setup`] | the recipe, what a process opens from it, what a thread needs |
//! | [`nature`] | what an architecture is, and how it behaves |
//! | [`options`] | the options that every model has |
//! | [`listener`] | the acceptor: accepting, the connection limit |
//! | [`refused`] | turning away |
//! | [`session`] | one connection: socket, protocol state, file |
//! | [`buffers`] | what a request lies on while it is worked on |
//! | [`transfer`] | how bytes leave |
//! | [`blocking`] | the driver for whoever may wait |
//! | [`readiness`] | the table of sessions for an event loop |
//! | [`stop`] | ending in good order |
//! | [`privileges`] | giving up those of root |

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
pub mod transfer;

pub use buffers::RequestBuffers;
pub use listener::{Accept, Acceptor, Client, Listener};
pub use nature::Nature;
pub use options::ServeOptions;
pub use readiness::{Sessions, Token};
pub use refused::Refused;
pub use session::{Blocked, Session, Step, Steps};
pub use setup::{ProcessContext, ServerSetup, Worker};

/// The document root, with what HTTP wants to know of each file in its header cache.
pub type Files = files::Files<http::Entity>;
/// A file that was found.
pub type Entry = std::sync::Arc<files::Entry<http::Entity>>;
/// What came of looking for one.
pub type Found = Result<Entry, files::Missing>;

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
