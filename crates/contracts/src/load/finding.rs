//! What speaks against believing a run.

use serde::{Deserialize, Serialize};

use crate::{Unknown, Validity};

/// Something that speaks against a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it takes away.
    pub level: Validity,
    /// Which rule found it, for programs.
    pub rule: Rule,
    /// What was found, for people.
    pub text: String,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Requests went out late.
    GeneratorLag,
    /// Requests that were due were not sent before the schedule ended, though a connection was free.
    ScheduleNotOffered,
    /// A loop had no time to spare.
    GeneratorBusy,
    /// No descriptors.
    OutOfDescriptors,
    /// No ports.
    OutOfPorts,
    /// The arrivals were not those asked for.
    Arrivals,
    /// Not one good answer.
    NothingAnswered,
    /// The server went away.
    ServerGone,
    /// From some moment on it answered nothing, though it was asked.
    FellSilent,
    /// Answers that were malformed, or had the wrong bytes.
    UnsoundAnswers,
    /// The times went somewhere.
    Drift,
    /// Neighbouring stretches are alike.
    Autocorrelation,
    /// The machine's owner took processor time away.
    Stolen,
    /// Others took the loop's core.
    Starved,
    /// Many requests failed.
    Failures,
    /// For seconds on end a closed loop got nothing but failures.
    Silence,
    /// Some clients or connections got no answer as long as others asked.
    Unheard,
    /// Nothing is there of a part of the run.
    PartMissing,
    /// A part ended before its end, or not all that it wrote is there.
    PartCutShort,
    /// A part did not begin at the time that was agreed.
    PartLate,
    /// A part was asked for something else than the others, or is of another build.
    PartDiffers,
    /// A part is there twice.
    PartRepeated,
    /// Whether a part began at the agreed time is not known, for nothing keeps its clock right.
    PartClock,
    /// A rule of another generator, or of a later version.
    #[serde(untagged)]
    Other(String),
}

impl Rule {
    /// Whether it says that the machine was disturbed, so that the same run may do better.
    pub fn is_disturbance(&self) -> bool {
        matches!(
            self,
            Self::GeneratorLag
                | Self::ScheduleNotOffered
                | Self::GeneratorBusy
                | Self::Arrivals
                | Self::Stolen
                | Self::Starved
        )
    }

    /// Whether it leaves nothing to be measured, whatever else is true: the server did not do what servers do.
    pub fn is_fault_of_server(&self) -> bool {
        matches!(
            self,
            Self::NothingAnswered | Self::ServerGone | Self::FellSilent | Self::UnsoundAnswers
        )
    }

    /// Whether a part of a run of several was not as it should have been.
    pub fn is_of_parts(&self) -> bool {
        matches!(
            self,
            Self::PartMissing
                | Self::PartCutShort
                | Self::PartLate
                | Self::PartDiffers
                | Self::PartRepeated
                | Self::PartClock
        )
    }

    /// Whether the generator lacked something without which it cannot know what the server does.
    pub fn is_shortage_of_generator(&self) -> bool {
        matches!(self, Self::OutOfDescriptors | Self::OutOfPorts)
    }
}
