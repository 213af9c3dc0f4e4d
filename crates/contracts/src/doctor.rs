//! What would spoil a measurement on a machine.

use serde::{Deserialize, Serialize};

use crate::{Document, Unknown};

/// What `archbench doctor --output-format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnoses {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// One of each check.
    pub diagnoses: Vec<Diagnosis>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What was looked at.
    pub subject: String,
    /// How bad it is.
    pub level: Severity,
    /// What was found.
    pub found: String,
    /// What to do about it; empty if nothing.
    #[serde(default)]
    pub advice: String,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Fine.
    Ok,
    /// Good to know.
    Note,
    /// Figures suffer.
    Warn,
    /// Something will not work.
    Fail,
}

impl Document for Diagnoses {
    const SCHEMA: &'static str = "archbench.doctor/1";
}
