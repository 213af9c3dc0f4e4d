//! The report of a load generator.
//!
//! A generator has to say the schema and its verdict; of the figures, what it measures. Times are in microseconds where a name ends in
//! `_us`, in seconds where it ends in `_s`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Distribution, Document, Unknown, Validity, lenient};

pub mod availability;
mod finding;
mod part;
mod run;

pub use finding::{Finding, Rule};
pub use part::{HostClock, Part, PartStart, PartState};
pub use run::{Host, LoadModel, Loop, RateStage, Run, Think};

/// What `archbench load --output-format json` prints.
///
/// Of `requests.scheduled`, all that were due, `warming_up` fell into the warm-up and count in nothing else. Of the others
/// `errors_total` failed, which is `error_percent` of them; `errors` has these by class, and beside them bytes that answered nothing
/// (`unsolicited`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// Whether the figures are the server's. A generator says everything but [`Validity::Failed`].
    pub verdict: Option<Validity>,
    /// Why they are not, or not quite, for people.
    #[serde(deserialize_with = "lenient::or_default")]
    pub reasons: Vec<String>,
    /// The same for programs.
    #[serde(deserialize_with = "lenient::or_default")]
    pub findings: Vec<Finding>,
    /// What else should be known.
    #[serde(deserialize_with = "lenient::or_default")]
    pub notes: Vec<String>,
    /// With which status the generator ends.
    #[serde(deserialize_with = "lenient::count")]
    pub exit_status: Option<u64>,
    /// What became of the requests.
    #[serde(deserialize_with = "lenient::or_default")]
    pub requests: Requests,
    /// How much was answered.
    #[serde(deserialize_with = "lenient::or_default")]
    pub throughput: Throughput,
    /// What `response_time_us` is, for people.
    pub response_time_is: Option<String>,
    /// From when a request was due to its last byte; in a closed loop, where nothing is due, the service time again.
    pub response_time_us: Option<Distribution>,
    /// From a request being written to its last byte.
    pub service_time_us: Option<Distribution>,
    /// From when a request was due until a connection was free for it.
    pub connection_wait_us: Option<Distribution>,
    /// From when a request was due and had a connection until it was written: the generator's own delay.
    pub generator_lag_us: Option<Distribution>,
    /// From a request being written to its first byte.
    pub first_byte_us: Option<Distribution>,
    /// From asking for a connection to having it.
    pub connect_time_us: Option<Distribution>,
    /// Of that, the handshake of TLS.
    pub handshake_time_us: Option<Distribution>,
    /// From the intended start of a session to the last byte of its last request.
    pub session_time_us: Option<Distribution>,
    /// Whether all clients of a closed loop got the same.
    pub fairness: Option<Fairness>,
    /// How well the times that come first are known.
    pub precision: Option<Precision>,
    /// Where the times were going in the course of the run.
    pub stationarity: Option<Stationarity>,
    /// What came of the objectives.
    #[serde(deserialize_with = "lenient::or_default")]
    pub slo: Vec<Objective>,
    /// The run second by second.
    #[serde(deserialize_with = "lenient::or_default")]
    pub series: Vec<Second>,
    /// What the generator took.
    #[serde(deserialize_with = "lenient::or_default")]
    pub generator: Generator,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::or_default")]
    pub run: Run,
    /// Where the generator ran; of several processes, the first one.
    pub host: Option<Host>,
    /// The processes that made the run together, if there were several, or the one that this is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "lenient::or_default")]
    pub parts: Vec<Part>,
    /// By how many seconds the part that began farthest from the agreed time was off, clocks put right by what is known of them; none where
    /// no time was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_skew_s: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

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

/// Connections that were made in storms, many at once, and asked for nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Newcomers {
    /// Those that were made, with their handshakes of TLS.
    #[serde(deserialize_with = "lenient::count")]
    pub made: Option<u64>,
    /// Those that could not be made.
    #[serde(deserialize_with = "lenient::count")]
    pub failed: Option<u64>,
    /// Those that were left out, since the ones before had not all come.
    #[serde(deserialize_with = "lenient::count")]
    pub missed: Option<u64>,
    /// Why the first that failed did.
    pub first_failure: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What the generator took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Generator {
    /// Its threads.
    #[serde(deserialize_with = "lenient::count")]
    pub threads: Option<u64>,
    /// The most connections it had at a time.
    #[serde(deserialize_with = "lenient::count")]
    pub connections: Option<u64>,
    /// Connections that were made in all.
    #[serde(deserialize_with = "lenient::count")]
    pub connections_made: Option<u64>,
    /// Of these, those that were made to each address of the server.
    #[serde(deserialize_with = "lenient::or_default")]
    pub connections_made_to: BTreeMap<String, u64>,
    /// Over TLS, how many of the connections took up a session from before.
    #[serde(deserialize_with = "lenient::count")]
    pub sessions_resumed: Option<u64>,
    /// Connections on which no answer came, as long as others asked.
    #[serde(deserialize_with = "lenient::count")]
    pub connections_without_answer: Option<u64>,
    /// Those who came beside the connections that asked, and asked for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "lenient::or_default")]
    pub newcomers: Option<Newcomers>,
    /// The share of the time that its busiest loop was busy.
    pub busy: Option<f64>,
    /// The share of the time that a loop waited for its core.
    pub starved: Option<f64>,
    /// The share of the time that was stolen from the machine.
    pub machine_time_stolen: Option<f64>,
    /// Processor time in user mode.
    pub cpu_user_s: Option<f64>,
    /// Processor time in the kernel.
    pub cpu_system_s: Option<f64>,
    /// Of both, spent waiting for a due time.
    pub cpu_spun_s: Option<f64>,
    /// Processor time for each answer, that apart.
    pub cpu_us_per_request: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Document for Report {
    const SCHEMA: &'static str = "archbench.load/1";
}

impl Report {
    /// Whether requests had due times, so that there is a response time. A closed loop has none; what its generator reports as one is
    /// the service time again.
    pub fn is_open_loop(&self) -> bool {
        match &self.run.model.name {
            Some(name) => *name != Loop::Closed,
            None => self
                .response_time_us
                .as_ref()
                .is_some_and(|times| times.p50.is_some()),
        }
    }
}
