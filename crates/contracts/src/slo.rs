//! Objectives, held against a run.

use serde::{Deserialize, Serialize};

use crate::results::JudgedSlo;
use crate::{Document, Unknown};

/// What `archbench slo --output-format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedObjectives {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// The results folder.
    pub results: String,
    /// Whether all of its trials are done.
    pub complete: bool,
    /// What became of each objective in each cell, cell by cell.
    pub objectives: Vec<JudgedSlo>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Document for JudgedObjectives {
    const SCHEMA: &'static str = "archbench.slo/1";
}
