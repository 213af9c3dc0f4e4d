//! The report of a load generator.
//!
//! A generator has to say the schema and its verdict; of the figures, what it measures. Times are in microseconds where a name ends in
//! `_us`, in seconds where it ends in `_s`.

use serde::{Deserialize, Serialize};

use crate::document::{self, Malformed};
use crate::{Distribution, Document, Unknown, Validity, lenient};

pub mod availability;
mod finding;
mod generator;
mod measured;
mod part;
mod run;

pub use finding::{Finding, Rule};
pub use generator::{Generator, Newcomers};
pub use measured::{
    Fairness, Objective, Precision, Requests, Second, Stationarity, Throughput, Within,
};
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

impl Document for Report {
    const SCHEMA: &'static str = "archbench.load/1";

    fn parse(text: &str) -> Result<Self, Malformed> {
        document::parse(text)
    }
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
