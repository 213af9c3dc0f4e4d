//! What became of expectations and objectives: written when a run ends.

use serde::{Deserialize, Serialize};

use super::Factors;
use crate::Unknown;

/// `verdicts.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// [`SCHEMA`](super::SCHEMA).
    pub schema: String,
    /// What became of each expectation, in the order of the experiment file.
    pub expectations: Vec<Judged>,
    /// What became of each objective in each cell.
    #[serde(default)]
    pub slo: Vec<JudgedSlo>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What became of something that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The whole interval is on the right side of the bound.
    Met,
    /// The whole interval is on the wrong side.
    Missed,
    /// The interval holds the bound, or there is too little to tell.
    Undecided,
}

impl Outcome {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Undecided => "undecided",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(self.name())
    }
}

/// An expectation and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// For people.
    pub text: String,
    /// The ratio and its bound.
    pub ratio: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What was measured.
    pub estimate: Option<f64>,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The level of the interval, like 0.95.
    pub level: f64,
    /// Why it is undecided, or what is to be kept in mind.
    pub note: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// An objective in one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedSlo {
    /// The cell.
    pub cell: usize,
    /// Its factors.
    pub factors: Factors,
    /// The objective, like `p(99)<10ms`.
    pub slo: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The median over repeats, in `unit`.
    pub estimate: Option<f64>,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The bound, in `unit`.
    pub limit: f64,
    /// Like `us`.
    pub unit: String,
    /// Whether the estimate is only a lower bound, because requests were given up.
    #[serde(default)]
    pub at_least: bool,
    /// How far the estimate is on the right side of the limit, as a share of it; negative on the wrong side. At most so far, if it is
    /// only a lower bound; `None` if that leaves the side open.
    pub margin: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}
