//! What a server says: a line when it is ready, and one when it has stopped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Distribution, Line, Unknown, lenient};

/// The version of both lines.
pub const SCHEMA: &str = "archbench.serve/1";
/// The version of what the lab has seen of a server that prints no summary: the same fields.
pub const SEEN_SCHEMA: &str = "archbench.external/1";

/// The line that says that everybody is there who is to serve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// `ready`.
    pub event: String,
    /// [`SCHEMA`]; may be left out.
    pub schema: Option<String>,
    /// What it calls itself, like `amped`.
    pub model: Option<String>,
    /// Where it listens, like `127.0.0.1:8080`.
    pub address: String,
    /// The same as a URL.
    pub url: Option<String>,
    /// The directory that it serves.
    pub root: Option<String>,
    /// What its options bring with them that whoever started it has to know.
    pub notice: Option<String>,
    /// Why it is not the kernel that resolves paths, if it is not.
    pub openat2_refusal: Option<String>,
    /// The process that is told to stop.
    #[serde(default, deserialize_with = "lenient::count")]
    pub process_id: Option<u64>,
    /// Whose rights it has, if it gave up its own.
    pub user: Option<String>,
    /// How many descriptors it may have.
    pub descriptors: Option<Descriptors>,
    /// What it shows clients, if it speaks TLS.
    pub tls: Option<Tls>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The certificate of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tls {
    /// Its file, in PEM: what clients may be given to trust, where it is of the server's own making.
    pub certificate: Option<String>,
    /// Pairs of hexadecimal digits with colons between.
    pub fingerprint_sha256: Option<String>,
    /// Whether the server has made it.
    pub self_signed: Option<bool>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Handshakes of TLS that came to their end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Handshakes {
    /// In full.
    #[serde(deserialize_with = "lenient::count")]
    pub full: Option<u64>,
    /// That took up a session from before.
    #[serde(deserialize_with = "lenient::count")]
    pub resumed: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The soft limit on descriptors of a process; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Descriptors {
    /// As it is.
    #[serde(deserialize_with = "lenient::count")]
    pub soft_limit: Option<u64>,
    /// As it was before the server raised it.
    #[serde(deserialize_with = "lenient::count")]
    pub soft_limit_before: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The line that says, after the last answer, what a server did and what it took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// `summary`.
    pub event: String,
    /// [`SCHEMA`], which may be left out, or [`SEEN_SCHEMA`].
    pub schema: Option<String>,
    /// What it calls itself.
    pub model: Option<String>,
    /// How long it served, in seconds.
    pub elapsed_s: Option<f64>,
    /// Requests that were answered, well or not.
    #[serde(deserialize_with = "lenient::count")]
    pub requests: Option<u64>,
    /// Bytes that were sent.
    #[serde(deserialize_with = "lenient::count")]
    pub bytes: Option<u64>,
    /// Connections that were accepted.
    #[serde(deserialize_with = "lenient::count")]
    pub connections: Option<u64>,
    /// Handshakes of TLS, if it speaks that.
    pub handshakes: Option<Handshakes>,
    /// The same for each of its loops, if it has several.
    #[serde(
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub connections_by_loop: Vec<u64>,
    /// Answers by class of status: `2xx`, `3xx`, `4xx`, `5xx`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub status: BTreeMap<String, u64>,
    /// What went wrong, by kind.
    #[serde(deserialize_with = "lenient::or_default")]
    pub errors: BTreeMap<String, u64>,
    /// From a request being readable to its answer being sent, in microseconds.
    pub server_time_us: Option<Distribution>,
    /// Processor time.
    pub cpu: Option<Cpu>,
    /// Context switches.
    pub context_switches: Option<ContextSwitches>,
    /// Page faults.
    pub faults: Option<PageFaults>,
    /// The most resident memory that one of its processes had.
    #[serde(deserialize_with = "lenient::count")]
    pub peak_resident_bytes_of_largest_process: Option<u64>,
    /// The most threads that served at a time, in all processes.
    #[serde(deserialize_with = "lenient::count")]
    pub peak_threads: Option<u64>,
    /// The most processes that served at a time.
    #[serde(deserialize_with = "lenient::count")]
    pub peak_processes: Option<u64>,
    /// How it asked the kernel what is in memory, if it did.
    pub residency: Option<String>,
    /// Its stages, or its kinds of actors, if it is made of some.
    #[serde(deserialize_with = "lenient::or_default")]
    pub stages: Vec<StageSummary>,
    /// Of user-level threads, the ways that they go between the places where they wait.
    #[serde(
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub blocking_graph: Vec<BlockingEdge>,
    /// What else it says of itself, by name.
    #[serde(deserialize_with = "lenient::or_default")]
    pub remarks: BTreeMap<String, String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Processor time of a server and all its processes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cpu {
    /// In user mode, in seconds.
    pub user_s: Option<f64>,
    /// In the kernel, in seconds.
    pub system_s: Option<f64>,
    /// Both over the requests, in microseconds.
    pub per_request_us: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Context switches of a server and all its processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContextSwitches {
    /// Because a thread waited.
    #[serde(deserialize_with = "lenient::count")]
    pub voluntary: Option<u64>,
    /// Because the core was taken away.
    #[serde(deserialize_with = "lenient::count")]
    pub involuntary: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Page faults of a server and all its processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageFaults {
    /// Served without the disk.
    #[serde(deserialize_with = "lenient::count")]
    pub minor: Option<u64>,
    /// That had to wait for the disk.
    #[serde(deserialize_with = "lenient::count")]
    pub major: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A stage of a server that is made of some; or all actors of one kind, whose queue is what waits in their mailboxes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StageSummary {
    /// What the server calls it.
    pub name: String,
    /// Events that it handled.
    #[serde(deserialize_with = "lenient::count")]
    pub events: Option<u64>,
    /// Events that a thread took at a time, in the mean.
    pub events_per_batch: Option<f64>,
    /// Time for one event in the mean, in microseconds.
    pub service_us: Option<f64>,
    /// The most events that waited.
    #[serde(deserialize_with = "lenient::count")]
    pub queue_peak: Option<u64>,
    /// The most threads.
    #[serde(deserialize_with = "lenient::count")]
    pub threads_peak: Option<u64>,
    /// Events that found no place or were not let in.
    #[serde(deserialize_with = "lenient::count")]
    pub rejected: Option<u64>,
    /// How often something in it was started again after a defect.
    #[serde(deserialize_with = "lenient::count")]
    pub restarts: Option<u64>,
    /// How it went.
    #[serde(deserialize_with = "lenient::or_default")]
    pub over_time: StageSeries,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What was seen of a stage over time: one value of each list for each moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StageSeries {
    /// The moments, in seconds since the server started.
    #[serde(deserialize_with = "lenient::or_default")]
    pub at_s: Vec<f64>,
    /// Events that waited.
    #[serde(deserialize_with = "lenient::or_default")]
    pub queue: Vec<f64>,
    /// Threads.
    #[serde(deserialize_with = "lenient::or_default")]
    pub threads: Vec<f64>,
    /// Events that a thread takes at a time, at the most.
    #[serde(deserialize_with = "lenient::or_default")]
    pub batch: Vec<f64>,
    /// Events handled since the moment before, in a second.
    #[serde(deserialize_with = "lenient::or_default")]
    pub events_per_s: Vec<f64>,
    /// Time for one event since the moment before, in microseconds.
    #[serde(deserialize_with = "lenient::or_default")]
    pub service_us: Vec<f64>,
    /// Events that found no place or were not let in since the moment before, in a second.
    #[serde(deserialize_with = "lenient::or_default")]
    pub rejected_per_s: Vec<f64>,
    /// Restarts after defects since the moment before, in a second.
    #[serde(deserialize_with = "lenient::or_default")]
    pub restarts_per_s: Vec<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A way between two places where user-level threads wait: an edge of the blocking graph (Capriccio, section 4.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockingEdge {
    /// The place where they set out, with the scopes around it.
    pub from: String,
    /// The place where they come to.
    pub to: String,
    /// How often one has gone it.
    #[serde(deserialize_with = "lenient::count")]
    pub count: Option<u64>,
    /// How long one keeps its worker on it in the mean, in microseconds, where that was measured.
    pub mean_us: Option<f64>,
    /// Memory that all have taken on it, in bytes; negative: given back.
    pub memory_bytes: Option<f64>,
    /// Descriptors, likewise.
    pub descriptors: Option<f64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Line for Ready {
    const SCHEMA: &'static str = SCHEMA;
    const EVENT: &'static str = "ready";
}

impl Line for Summary {
    const SCHEMA: &'static str = SCHEMA;
    const EVENT: &'static str = "summary";
}
