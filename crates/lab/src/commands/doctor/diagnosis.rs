//! What a check found.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// What was looked at.
    pub subject: &'static str,
    /// How bad it is.
    pub level: Severity,
    /// What was found.
    pub found: String,
    /// What to do about it; empty if nothing.
    pub advice: String,
}

impl Diagnosis {
    pub(super) fn new(
        subject: &'static str,
        level: Severity,
        found: impl Into<String>,
        advice: &str,
    ) -> Self {
        Self {
            subject,
            level,
            found: found.into(),
            advice: if level == Severity::Ok {
                String::new()
            } else {
                advice.into()
            },
        }
    }
}
