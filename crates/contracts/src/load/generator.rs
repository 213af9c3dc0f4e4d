//! What the generator took.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Unknown, lenient};

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
