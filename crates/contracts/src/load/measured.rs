//! What was measured: requests and what became of them, and what that says of the server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Unknown, lenient};

/// What became of the requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requests {
    /// That were due.
    #[serde(deserialize_with = "lenient::count")]
    pub scheduled: Option<u64>,
    /// Of these, in the warm-up.
    #[serde(deserialize_with = "lenient::count")]
    pub warming_up: Option<u64>,
    /// That were written.
    #[serde(deserialize_with = "lenient::count")]
    pub sent: Option<u64>,
    /// That were answered well.
    #[serde(deserialize_with = "lenient::count")]
    pub completed: Option<u64>,
    /// That were given up: timed out, under way at the end, or never sent.
    #[serde(deserialize_with = "lenient::count")]
    pub censored: Option<u64>,
    /// That were under way at the end.
    #[serde(deserialize_with = "lenient::count")]
    pub unfinished: Option<u64>,
    /// That were never written.
    #[serde(deserialize_with = "lenient::count")]
    pub never_sent: Option<u64>,
    /// That found no free connection when they were due.
    #[serde(deserialize_with = "lenient::count")]
    pub waited_for_connection: Option<u64>,
    /// That were sent again because a connection that had been used before ended before any of their answers.
    #[serde(deserialize_with = "lenient::count")]
    pub retried: Option<u64>,
    /// That were pipelined behind an answer that announced the end of the connection, and so became due again.
    #[serde(deserialize_with = "lenient::count")]
    pub behind_announced_close: Option<u64>,
    /// Whose bodies were compared with what they must be.
    #[serde(deserialize_with = "lenient::count")]
    pub verified: Option<u64>,
    /// That failed, by class.
    #[serde(deserialize_with = "lenient::or_default")]
    pub errors: BTreeMap<String, u64>,
    /// That failed.
    #[serde(deserialize_with = "lenient::count")]
    pub errors_total: Option<u64>,
    /// The same in percent of those that were due after the warm-up.
    pub error_percent: Option<f64>,
    /// Attempts to connect that failed, by class.
    #[serde(deserialize_with = "lenient::or_default")]
    pub connects_failed: BTreeMap<String, u64>,
    /// Some failures, for people.
    #[serde(deserialize_with = "lenient::or_default")]
    pub error_examples: Vec<String>,
    /// Answers by status.
    #[serde(deserialize_with = "lenient::or_default")]
    pub statuses: BTreeMap<String, u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How much was answered in the measured time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Throughput {
    /// Good answers in a second.
    pub requests_per_s: Option<f64>,
    /// Bytes that were received.
    #[serde(deserialize_with = "lenient::count")]
    pub bytes: Option<u64>,
    /// The same in a second.
    pub bytes_per_s: Option<f64>,
    /// The measured time, in seconds.
    pub window_s: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Whether all clients of a closed loop got the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fairness {
    /// Jain's index of the requests that each had answered: 1 if all had as many (Jain, Chiu and Hawe, 1984).
    pub jain: Option<f64>,
    /// How many clients there were.
    #[serde(deserialize_with = "lenient::count")]
    pub clients: Option<u64>,
    /// Requests of the client that had the fewest answered.
    #[serde(deserialize_with = "lenient::count")]
    pub fewest: Option<u64>,
    /// Of the one that had the most.
    #[serde(deserialize_with = "lenient::count")]
    pub most: Option<u64>,
    /// The answers of each client, of a generator that does not work out the index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "lenient::or_default")]
    pub answers: Vec<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How well the times that come first are known, from this run alone: what neighbouring requests have in common is taken into account,
/// what makes two runs differ is not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Precision {
    /// Which times, like `response_time_us`.
    pub of: Option<String>,
    /// The share of such intervals that hold the truth, like 0.95.
    pub level: Option<f64>,
    /// As how many independent requests those of the run count.
    pub independent: Option<f64>,
    /// The interval of each statistic, by its name like `p99`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub statistics: BTreeMap<String, Within>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Between what a statistic lies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Within {
    /// Not below this.
    pub low_us: Option<f64>,
    /// Nor above this; none where the run was too short to say, or requests were given up there.
    pub high_us: Option<f64>,
    /// The larger way from the statistic to an end, as a share of it.
    pub relative: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Where the times were going in the course of a run, from the means of its batches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stationarity {
    /// Whether there was a steady state; without one, percentiles depend on how long the run lasted.
    pub steady: Option<bool>,
    /// By how many seconds the mean grew each second.
    pub slope_s_per_s: Option<f64>,
    /// What that adds up to over the run, as a share of the median.
    pub drift: Option<f64>,
    /// Of neighbouring batches.
    pub autocorrelation: Option<f64>,
    /// The 99th percentile of the response time, if there was a steady state.
    pub steady_p99_us: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What came of an objective.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Objective {
    /// As it was asked for, like `p(99)<10ms`.
    pub slo: String,
    /// Whether it was met.
    pub met: bool,
    /// What was measured, in `unit`.
    pub value: Option<f64>,
    /// What was asked for, in `unit`.
    pub limit: f64,
    /// Like `us`.
    pub unit: String,
    /// Whether the value is only a lower bound.
    pub at_least: bool,
    /// How far the value stays on the right side of the limit, as a share of it; negative on the wrong side. Of a lower bound, how far
    /// at most; none where that leaves the side open.
    pub margin: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One second of a run. Of a second in which nothing was answered the times are `None`, which is `null`: a zero would be read as a
/// very good one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Second {
    /// Its end, in seconds since the start.
    pub at_s: f64,
    /// Requests written.
    #[serde(deserialize_with = "lenient::count")]
    pub sent: Option<u64>,
    /// Requests answered well.
    #[serde(deserialize_with = "lenient::count")]
    pub completed: Option<u64>,
    /// Requests that failed.
    #[serde(deserialize_with = "lenient::count")]
    pub failed: Option<u64>,
    /// Attempts to connect that failed.
    #[serde(deserialize_with = "lenient::count")]
    pub connects_failed: Option<u64>,
    /// Bytes received.
    #[serde(deserialize_with = "lenient::count")]
    pub bytes: Option<u64>,
    /// The mean of the times that come first (response time; in a closed loop, service time), in microseconds.
    pub mean_us: Option<f64>,
    /// Their median.
    pub p50_us: Option<f64>,
    /// Their 99th percentile.
    pub p99_us: Option<f64>,
    /// Their 99.9th percentile.
    #[serde(rename = "p99.9_us")]
    pub p99_9_us: Option<f64>,
    /// Their maximum.
    pub max_us: Option<f64>,
    /// Which of these are lower bounds, because requests were given up, by name like `p99`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub at_least: Vec<String>,
    /// Requests under way at its end.
    #[serde(deserialize_with = "lenient::count")]
    pub in_flight: Option<u64>,
    /// Arrivals due and not sent at its end.
    #[serde(deserialize_with = "lenient::count")]
    pub waiting: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}
