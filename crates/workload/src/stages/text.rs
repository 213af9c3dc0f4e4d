//! Stages as people write them, and what is wrong with those that are none.

use super::{RateStage, RateStages};
use crate::units::{self, UnitError};
use std::fmt;
use std::str::FromStr;

/// Why a text or a list is no sequence of stages.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RateStagesError {
    /// A part that is not of the form `DURATION@RATE`.
    #[error(
        "stage '{0}' is not DURATION@RATE or DURATION@RATE..RATE, like 30s@500 or 30s@500..2000"
    )]
    Form(String),
    /// A duration or rate that cannot be read.
    #[error("stage '{part}': {source}")]
    Unit {
        /// The stage as it was written.
        part: String,
        /// What is wrong with it.
        source: UnitError,
    },
    /// A rate given in code that is negative or no number.
    #[error("a rate of {0} per second makes no sense")]
    Rate(f64),
    /// Nothing would ever arrive.
    #[error("no arrival would ever be due: every rate or duration is 0")]
    Nothing,
    /// The stages last longer than 2⁶⁴ nanoseconds.
    #[error("the stages last more than 584 years together")]
    TooLong,
}

impl FromStr for RateStages {
    type Err = RateStagesError;

    fn from_str(text: &str) -> Result<Self, RateStagesError> {
        let stages: Result<Vec<RateStage>, RateStagesError> =
            text.split(',').map(|part| stage(part.trim())).collect();
        Self::new(stages?)
    }
}

fn stage(part: &str) -> Result<RateStage, RateStagesError> {
    let unit = |source| RateStagesError::Unit {
        part: part.into(),
        source,
    };
    let (length, rates) = part
        .split_once('@')
        .ok_or_else(|| RateStagesError::Form(part.into()))?;
    let (from, to) = rates.split_once("..").unwrap_or((rates, rates));
    Ok(RateStage {
        length: units::duration(length).map_err(unit)?,
        from: units::rate_or_zero(from).map_err(unit)?,
        to: units::rate_or_zero(to).map_err(unit)?,
    })
}

impl fmt::Display for RateStages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let length = if self.endless {
                "∞".into()
            } else {
                units::show_duration(stage.length)
            };
            write!(f, "{comma}{length}@{}", stage.from)?;
            if stage.from != stage.to {
                write!(f, "..{}", stage.to)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_and_explained() {
        for text in [
            "", "30s", "30s@", "@5", "30@5", "30s@5..", "30s@-5", "30s@5,", "0s@5", "30s@0",
        ] {
            assert!(text.parse::<RateStages>().is_err(), "{text}");
        }
        assert_eq!(
            "30@5".parse::<RateStages>().map_err(|e| e.to_string()),
            Err("stage '30@5': duration '30' lacks a unit; expected a number with a unit, like 500ms, 10s, 1m or 2m30s".into())
        );
        assert!(RateStages::steady(f64::NAN, None).is_err());
        assert!(RateStages::steady(0.0, None).is_err());
    }
}
