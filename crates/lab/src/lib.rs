//! From a question to an answer: an experiment is planned, run, judged and compared.
//!
//! The lab knows no architecture by name and links none: servers and generators are processes, started through the same
//! command line that people use.
//!
//! Each of these knows only those above it.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`spec`] | what is asked: the experiment file |
//! | [`plan`] | which trials, in which order, for how long |
//! | [`trial`](mod@trial) | how one trial is done, and on which machine |
//! | [`analysis`] | what came out |
//! | [`commands`] | `archbench run`, `slo`, `compare`, `search` and `doctor` |
//!
//! [`cores`], [`files`] and [`table`] serve several of them.

pub mod analysis;
pub mod commands;
pub mod cores;
pub mod files;
pub mod plan;
pub mod spec;
pub mod table;
pub mod trial;

/// Something failed; the text says what, on what, and what to do.
pub type Failure = Box<dyn std::error::Error>;

/// An exit status.
pub type Status = u8;

/// An objective was missed.
pub const SLO_MISSED: Status = 3;
