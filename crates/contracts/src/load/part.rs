//! The processes that make a run together.

use serde::{Deserialize, Serialize};

use crate::{Distribution, Unknown, Validity, lenient};

/// One of the processes that make a run together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// Which of how many, counted from 1, like `2/4`.
    pub share: String,
    /// How much is there of it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub state: PartState,
    /// The name of the host that it ran on.
    pub host: Option<String>,
    /// What it said of its own figures, if it came to its end.
    pub verdict: Option<Validity>,
    /// When it began.
    pub start: Option<PartStart>,
    /// Up to when there are figures, in seconds since its start.
    pub reached_s: Option<f64>,
    /// Requests that were due.
    #[serde(deserialize_with = "lenient::count")]
    pub scheduled: Option<u64>,
    /// Requests answered well.
    #[serde(deserialize_with = "lenient::count")]
    pub completed: Option<u64>,
    /// Good answers in a second.
    pub requests_per_s: Option<f64>,
    /// Its response time, in a closed loop its service time.
    pub response_time_us: Option<Distribution>,
    /// Its own delay.
    pub generator_lag_us: Option<Distribution>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How much there is of a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// All.
    #[default]
    Whole,
    /// What it had written before it was killed, or before what it wrote was lost.
    CutShort,
    /// It was never begun, as far as is known.
    NotBegun,
    /// Nothing.
    Missing,
}

/// When a part began, and how far its clock may be believed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartStart {
    /// When it was to begin, in seconds since 1970, if that was agreed.
    pub agreed_unix_s: Option<f64>,
    /// When it began by its own clock, in seconds since 1970.
    pub began_unix_s: f64,
    /// What was said of that clock then.
    #[serde(deserialize_with = "lenient::or_default")]
    pub clock: HostClock,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What a host's time service (chrony, ntpd, systemd-timesyncd) had told the kernel of its clock: `adjtimex(2)`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostClock {
    /// Whether a time service keeps it right; none where the kernel does not say.
    pub synchronised: Option<bool>,
    /// By how many seconds it is ahead of the true time, as far as the time service knows and has not yet put right.
    pub ahead_s: Option<f64>,
    /// By how many it may be off at most, as far as the time service knows.
    pub maximum_error_s: Option<f64>,
    /// The boot of the kernel whose clock it is: parts with the same one have the same clock.
    pub boot_id: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl PartStart {
    /// By how many seconds it began after the agreed time, its clock put right by what is known of it; negative if it began before.
    pub fn late_s(&self) -> Option<f64> {
        Some(self.began_unix_s - self.clock.ahead_s.unwrap_or(0.0) - self.agreed_unix_s?)
    }
}
