//! The stages of a server that is made of some, over time.

use serde::Deserialize;
use serde_json::Value;

/// A stage, as the server's summary has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Stage {
    /// What the server calls it.
    pub name: String,
    /// How it went.
    pub over_time: Course,
}

/// What was seen of a stage, one value for each time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Course {
    /// When, in seconds since the server started.
    pub at_s: Vec<f64>,
    /// Events that waited.
    pub queue: Vec<f64>,
    /// Threads.
    pub threads: Vec<f64>,
    /// Events that a thread took at a time, at the most.
    pub batch: Vec<f64>,
    /// Time for one event since the value before, in microseconds.
    pub service_us: Vec<f64>,
    /// Events that found no place or were not let in since the value before, in a second.
    pub rejected_per_s: Vec<f64>,
}

/// The stages in a summary; none if the server has none, or tells otherwise of them than this crate knows.
pub(crate) fn of(summary: Option<&Value>) -> Vec<Stage> {
    let stages = summary.and_then(|summary| summary.get("stages"));
    stages
        .and_then(|stages| Vec::deserialize(stages).ok())
        .unwrap_or_default()
}
