//! The commands that plan, run and judge.

pub mod agent;
pub mod compare;
pub mod doctor;
pub mod progress;
pub mod run;
pub mod search;
mod shown;
pub mod slo;

pub use shown::Shown;
