//! What a generator was asked for, and where it ran.

use serde::{Deserialize, Serialize};

use crate::{Unknown, lenient};

/// What was asked for, and when.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The command line, without the program.
    #[serde(deserialize_with = "lenient::or_default")]
    pub arguments: Vec<String>,
    /// The version of the generator.
    pub version: Option<String>,
    /// What was asked for, in words.
    pub title: Option<String>,
    /// What arrivals and choices are drawn from.
    #[serde(deserialize_with = "lenient::count")]
    pub seed: Option<u64>,
    /// Who decides when the next request comes.
    #[serde(deserialize_with = "lenient::or_default")]
    pub model: LoadModel,
    /// Which part of a larger run it is, like `2/4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<String>,
    /// The server's address, the first if connections went to several; the path of a Unix socket.
    pub address: Option<String>,
    /// All of them, if connections went to several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "lenient::or_default")]
    pub addresses: Vec<String>,
    /// How many targets were asked for.
    #[serde(deserialize_with = "lenient::count")]
    pub targets: Option<u64>,
    /// The URL of the first one.
    pub first_target: Option<String>,
    /// Clients of a closed loop, connections at the start of an open one.
    #[serde(deserialize_with = "lenient::count")]
    pub clients: Option<u64>,
    /// The most connections that it might have had.
    #[serde(deserialize_with = "lenient::count")]
    pub max_connections: Option<u64>,
    /// Requests outstanding on a connection, over HTTP/1.1.
    #[serde(deserialize_with = "lenient::count")]
    pub pipeline: Option<u64>,
    /// Requests under way on a connection at most, over HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "lenient::count")]
    pub streams: Option<u64>,
    /// Requests after which a connection was replaced.
    #[serde(deserialize_with = "lenient::count")]
    pub requests_per_connection: Option<u64>,
    /// Which statuses were good answers, like `2xx,304`.
    pub expect: Option<String>,
    /// Whether bodies were compared with what they must be.
    pub verify: Option<bool>,
    /// The cores that it was kept on.
    #[serde(deserialize_with = "lenient::or_default")]
    pub cores: Vec<u64>,
    /// How long an answer was waited for.
    pub timeout_s: Option<f64>,
    /// What was cut off at the start.
    pub warmup_s: Option<f64>,
    /// How long it was to ask, the warm-up included.
    pub duration_s: Option<f64>,
    /// How many requests it was to make.
    #[serde(deserialize_with = "lenient::count")]
    pub requests: Option<u64>,
    /// When it began, in seconds since 1970.
    pub started_unix_s: Option<f64>,
    /// How long it took.
    pub elapsed_s: Option<f64>,
    /// Whether somebody stopped it.
    pub interrupted: Option<bool>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Who decides when the next request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// The server, by answering.
    Closed,
    /// A schedule.
    Open,
    /// A schedule for sessions, the server within one (Schroeder, Wierman and Harchol-Balter, NSDI 2006).
    PartlyOpen,
}

/// How requests come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadModel {
    /// Who decides when the next one comes.
    pub name: Option<Loop>,
    /// How those of a schedule are spaced: `constant`, `poisson` or `trace`.
    pub arrivals: Option<String>,
    /// How many of a schedule come in a second, over time.
    pub stages: Option<Vec<RateStage>>,
    /// Requests of a session.
    #[serde(deserialize_with = "lenient::count")]
    pub session_requests: Option<u64>,
    /// Whether these are all due at its beginning, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_at_once: Option<bool>,
    /// What passes between an answer and the next request.
    #[serde(deserialize_with = "lenient::or_default")]
    pub think: Think,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A stretch of a schedule in which the rate changes evenly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateStage {
    /// How long it is; `None` is to the end.
    pub length_s: Option<f64>,
    /// The rate at its beginning.
    pub from_per_s: f64,
    /// The rate at its end.
    pub to_per_s: f64,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What passes between an answer and the next request: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Think {
    /// Always as long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constant_s: Option<f64>,
    /// Exponentially distributed with this mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponential_mean_s: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The machine of a generator, as far as it must be known to run the same again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// The kernel and its release.
    pub kernel: String,
    /// The processor's name.
    pub processor: String,
    /// Cores that the generator might use.
    #[serde(deserialize_with = "lenient::count")]
    pub cores: Option<u64>,
    /// Main memory.
    #[serde(deserialize_with = "lenient::count")]
    pub memory_bytes: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}
