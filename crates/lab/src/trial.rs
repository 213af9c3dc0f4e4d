//! One trial: a server started afresh, a load put on it, both ends' reports.

pub mod cache;
mod commands;
mod disk;
mod ends;
mod foreign;
pub mod hosts;
mod job;
pub mod launched;
pub mod machine;
mod measure;
pub mod memory;
mod network;
pub mod process;
mod process_runner;
mod proof;
pub mod upstream;
pub mod watch;
mod wire;

pub use job::{FinishedTrial, Job, Measured, Runner};
pub use process_runner::{Patience, ProcessRunner};
