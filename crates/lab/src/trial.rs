//! One trial: a server started afresh, a load put on it, both ends' reports.

pub mod cache;
mod commands;
mod disk;
mod ends;
mod foreign;
mod job;
pub mod machine;
mod measure;
pub mod memory;
pub mod process;
mod process_runner;
pub mod watch;

pub use job::{Job, Measured};
pub use process_runner::{Patience, ProcessRunner};
