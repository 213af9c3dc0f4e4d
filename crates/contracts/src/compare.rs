//! What differs between two runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::results::Factors;
use crate::{Document, Unknown};

/// What `archbench compare --output-format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedRuns {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// The results folder that is compared with.
    pub a: String,
    /// The results folder that is compared.
    pub b: String,
    /// Differences up to this share do not matter.
    pub margin: f64,
    /// The level of the intervals, like 0.95.
    pub level: f64,
    /// Every figure of every cell that both have.
    pub figures: Vec<ComparedFigure>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A figure of a cell, in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedFigure {
    /// The cell, in words.
    pub cell: String,
    /// Its factors.
    pub factors: Factors,
    /// Which figure, like `p99`.
    pub figure: String,
    /// Of its medians, like `µs`; empty where there is none.
    pub unit: String,
    /// Its median in A and B, where they have it.
    pub medians: [Option<f64>; 2],
    /// Whether those are lower bounds, because requests were given up.
    pub at_least: [bool; 2],
    /// B over A, of geometric means.
    pub ratio: Option<f64>,
    /// The lower end of the interval of the ratio.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The probability of such a ratio if there is no difference.
    pub p: Option<f64>,
    /// The same, raised for how many figures were compared.
    pub p_of_all: Option<f64>,
    /// What became of it from A to B.
    pub verdict: Change,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What became of a figure from one run to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A time or processor time is shorter, or a throughput higher.
    Faster,
    /// The opposite.
    Slower,
    /// A figure that is no speed is higher.
    More,
    /// It is lower.
    Less,
    /// None that could be told from chance and is larger than the margin.
    #[serde(rename = "no difference")]
    None,
    /// It hangs on requests that were given up.
    Undecided,
    /// There is too little to tell.
    #[serde(rename = "too few repeats")]
    TooFewRepeats,
}

impl Change {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::More => "more",
            Self::Less => "less",
            Self::None => "no difference",
            Self::Undecided => "undecided",
            Self::TooFewRepeats => "too few repeats",
        }
    }

    /// Whether the runs differ.
    pub fn is_difference(self) -> bool {
        matches!(self, Self::Faster | Self::Slower | Self::More | Self::Less)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl Document for ComparedRuns {
    const SCHEMA: &'static str = "archbench.compare/1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_it_is_printed() {
        let all = [
            Change::Faster,
            Change::Slower,
            Change::More,
            Change::Less,
            Change::None,
            Change::Undecided,
            Change::TooFewRepeats,
        ];
        for change in all {
            let written = serde_json::to_value(change).unwrap();
            assert_eq!(written, change.name());
            assert_eq!(serde_json::from_value::<Change>(written).unwrap(), change);
        }
    }
}
