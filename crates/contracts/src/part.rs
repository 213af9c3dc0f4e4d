//! What a process that is one part of a run writes as it goes, a line for each second, so that what it had done is there when it is killed.
//!
//! Lines of several parts may be mixed, as a launcher gathers them; each says whose it is. The first line of a part says what was asked
//! for, the next that it has begun, the last how it ended. Numbers are exact: what all parts wrote adds up to what one process would
//! have written that saw the same requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::load::{Host, PartStart, Report, Run};
use crate::{Unknown, lenient};

/// A line of a part. Lines of another schema are of another version, and none of a run of this one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartLine {
    /// [`PartLine::SCHEMA`].
    pub schema: String,
    /// What all parts of the run, and none of another, call it.
    pub run_id: String,
    /// The part, counted from 1.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
    /// The number of this line among those of the part, counted from 0.
    pub line: u64,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<PartAsked>>,
    /// That it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Box<PartStart>>,
    /// What was recorded in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Box<PartSecond>>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Box<PartEnded>>,
}

impl PartLine {
    /// The schema that is written and read here.
    pub const SCHEMA: &'static str = "archbench.load-part/1";

    /// Reads one.
    ///
    /// # Errors
    /// When it is no JSON, or has a field that is not what it should be.
    pub fn parse(line: &[u8]) -> Result<Self, serde_json::Error> {
        str::from_utf8(line)
            .map_err(serde::de::Error::custom)
            .and_then(serde_json::from_str)
    }
}

/// What a part was asked for, before it begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartAsked {
    /// What was asked of all parts together.
    #[serde(deserialize_with = "lenient::or_default")]
    pub run: Run,
    /// A digest of everything that is asked for, in order.
    pub targets_digest: String,
    /// A digest of the program.
    pub build: String,
    /// What must be met.
    #[serde(deserialize_with = "lenient::or_default")]
    pub slo: Vec<String>,
    /// Where the part runs.
    #[serde(deserialize_with = "lenient::or_default")]
    pub host: Host,
    /// When this was written, in seconds since 1970.
    pub written_unix_s: f64,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What a part recorded in a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartSecond {
    /// Its end, in nanoseconds since the part's start.
    pub end_ns: u64,
    /// Counts by name, those that are 0 left out.
    pub counts: BTreeMap<String, u64>,
    /// Failures by class.
    pub failures: BTreeMap<String, u64>,
    /// Answers by status; 600 stands for all that are greater.
    pub statuses: BTreeMap<u16, u64>,
    /// The first failures of each kind: class, status (0 if none), words.
    pub examples: Vec<(String, u16, String)>,
    /// Times by name, in nanoseconds, those without any left out: Base64 of pairs of numbers in LEB128, how much a value is greater
    /// than the one before, and how often it was.
    pub times: BTreeMap<String, String>,
    /// The length of the stretches of `batches`, as a power of two nanoseconds.
    pub batch_width: u32,
    /// Of stretches with values: their number since the start, the sum of their values, how many there were.
    pub batches: Vec<(u64, u64, u64)>,
    /// Requests under way at its end.
    pub in_flight: u64,
    /// Arrivals due and not sent at its end.
    pub waiting: u64,
}

/// How a part ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartEnded {
    /// Its own report, without the series.
    #[serde(deserialize_with = "lenient::or_default")]
    pub report: Report,
    /// From the start to the end of the schedule, in nanoseconds.
    pub window_ns: u64,
    /// From the start to the end of the drain, in nanoseconds.
    pub elapsed_ns: u64,
    /// When the last answer came, in nanoseconds since the start.
    pub last_answer_ns: u64,
    /// Processor time that was spent: in user mode, in the kernel, and of both in waiting for due times; in nanoseconds.
    pub cpu_ns: [u64; 3],
    /// Good answers by client (closed loop).
    pub answered_of: Vec<u64>,
    /// Whether the run was given up because the server was gone.
    pub gave_up: bool,
    /// Of gaps between arrivals that were to be those of a Poisson process, how many fell into each bin of the test: number, count.
    pub gaps_by_bin: Vec<(u32, u64)>,
    /// Of gaps that were to be even, how many there were, and how many were not.
    pub gaps: [u64; 2],
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}
