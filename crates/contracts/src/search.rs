//! The highest rates at which objectives hold.

use serde::{Deserialize, Serialize};

use crate::{Document, Unknown};

/// What `archbench search --output-format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HighestRates {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// What had to hold, like `p(99)<10ms`.
    pub slo: Vec<String>,
    /// The level of the intervals, like 0.95.
    pub level: f64,
    /// What was found for each model, in the order in which they were tried.
    pub models: Vec<HighestRate>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The highest rate at which one model holds them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HighestRate {
    /// Which model.
    pub model: String,
    /// What it does in a closed loop.
    pub closed_loop_per_s: Option<f64>,
    /// The highest rate that held: the median over repeats.
    pub rate_per_s: Option<f64>,
    /// The lower end of its interval.
    pub low_per_s: Option<f64>,
    /// The upper end.
    pub high_per_s: Option<f64>,
    /// The highest rate that held in each repeat.
    #[serde(default)]
    pub repeats_per_s: Vec<f64>,
    /// Whether the generator was the limit in some repeat, so that the model might do more.
    #[serde(default)]
    pub at_least: bool,
    /// What went wrong.
    pub note: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Document for HighestRates {
    const SCHEMA: &'static str = "archbench.search/1";
}
