//! What a run would do.

use serde::{Deserialize, Serialize};

use crate::results::{Expectation, Factor, Factors};
use crate::{Document, Unknown};

/// What `archbench run --dry-run --output-format json` prints: an experiment, planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// The name of the experiment.
    pub name: String,
    /// What it is to find out.
    pub question: String,
    /// The factors of every cell, in the order in which they were given.
    pub factors: Vec<Factor>,
    /// The cells, by number.
    pub cells: Vec<PlannedCell>,
    /// The trials by name, in the order in which they are made: `c003-r1` is the first repeat of cell 3.
    pub trials: Vec<String>,
    /// How often each cell is measured.
    pub repeats: usize,
    /// What orders the trials and feeds arrivals.
    pub seed: u64,
    /// What is cut off before a trial is measured, in seconds.
    pub warm_up_s: f64,
    /// How long it is measured, in seconds, where its load does not say so itself.
    pub duration_s: f64,
    /// How long all of it takes, about.
    pub estimated_s: f64,
    /// Cores of the server.
    pub server_cores: Vec<usize>,
    /// Cores of the generator.
    pub generator_cores: Vec<usize>,
    /// The generator, if it is not ours.
    pub generator: Option<String>,
    /// What is expected.
    #[serde(default)]
    pub expect: Vec<Expectation>,
    /// Objectives, like `p(99)<10ms`.
    #[serde(default)]
    pub slo: Vec<String>,
    /// What will not be done as asked, and what stands in the way of a good measurement.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A combination of factors that is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// Its number.
    pub cell: usize,
    /// Its factors.
    pub factors: Factors,
    /// Flags of `archbench serve`, if it is ours that serves.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Document for PlannedRun {
    const SCHEMA: &'static str = "archbench.plan/1";
}
