//! What differs between the cells of an experiment.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Unknown;

/// Something that an experiment varies or fixes: the model, the rate, the size of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// As expectations name it, like `rate`.
    pub name: String,
    /// As `trials.csv` names it, with its unit, like `rate_per_s`.
    pub column: String,
    /// For axes and tables, like `requests/s`; empty where there is none.
    pub unit: String,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The value of a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Level {
    /// A number in the unit of the factor.
    Number(f64),
    /// A name.
    Text(String),
}

/// The factors of one cell by name, flat.
pub type Factors = BTreeMap<String, Level>;

impl Level {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }

    /// The name, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Number(_) => None,
            Self::Text(text) => Some(text),
        }
    }
}

impl From<f64> for Level {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Level {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Text(text) => out.write_str(text),
        }
    }
}
