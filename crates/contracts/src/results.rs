//! The files of a results folder.

mod factor;
mod manifest;
mod trial;
mod verdicts;

pub use factor::{Factor, Factors, Level};
pub use manifest::{Expectation, HostFacts, Machine, Manifest};
pub use trial::{Failure, Network, Sample, Trial, Wire};
pub use verdicts::{Judged, JudgedSlo, Outcome, Verdicts};

/// The version of everything in a results folder. Fields may be added to it; a changed meaning makes a new version.
pub const SCHEMA: &str = "archbench.results/1";
