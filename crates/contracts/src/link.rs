//! What a link that is slow in a known way says: a line when it joins its hosts, and one when it has ended.

use serde::{Deserialize, Serialize};

use crate::{Line, Unknown, lenient};

/// The version of both lines.
pub const SCHEMA: &str = "archbench.link/1";

/// The line that says that the hosts are joined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ready {
    /// `ready`.
    pub event: String,
    /// [`SCHEMA`]; may be left out.
    pub schema: Option<String>,
    /// The process that is told to end.
    #[serde(deserialize_with = "lenient::count")]
    pub process_id: Option<u64>,
    /// Who makes packets take their time: `netem` or `user-space`.
    pub way: Option<String>,
    /// Why it is not netem.
    pub why_not_netem: Option<String>,
    /// The time there and back of a packet that nothing holds up.
    pub rtt_ms: Option<f64>,
    /// What each direction sends; nothing if as fast as can be.
    #[serde(deserialize_with = "lenient::count")]
    pub rate_bits_per_s: Option<u64>,
    /// The share of packets that never arrives, from 0 to 1.
    pub loss: Option<f64>,
    /// How much a packet's way varies.
    pub jitter_ms: Option<f64>,
    /// What may wait to be sent, each way.
    #[serde(deserialize_with = "lenient::count")]
    pub queue_bytes: Option<u64>,
    /// What losses and jitter are drawn from.
    #[serde(deserialize_with = "lenient::count")]
    pub seed: Option<u64>,
    /// The host for the server.
    pub server: Option<Host>,
    /// The host for the client.
    pub client: Option<Host>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One of the hosts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Host {
    /// Its address.
    pub address: Option<String>,
    /// A path by which its network namespace can be entered.
    pub namespace: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The line that says what the link did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// `summary`.
    pub event: String,
    /// [`SCHEMA`]; may be left out.
    pub schema: Option<String>,
    /// What was carried, which netem does not tell.
    pub carried: Option<Carried>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What was carried.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Carried {
    /// From the client to the server.
    pub to_server: Direction,
    /// From the server to the client.
    pub to_client: Direction,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What was carried in one direction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Direction {
    /// Packets that arrived.
    #[serde(deserialize_with = "lenient::count")]
    pub packets: Option<u64>,
    /// Their bytes, IP headers included.
    #[serde(deserialize_with = "lenient::count")]
    pub bytes: Option<u64>,
    /// Packets lost on their way, as the model has it.
    #[serde(deserialize_with = "lenient::count")]
    pub lost: Option<u64>,
    /// Packets that found the queue too full.
    #[serde(deserialize_with = "lenient::count")]
    pub dropped: Option<u64>,
    /// Packets that the receiving host did not take.
    #[serde(deserialize_with = "lenient::count")]
    pub refused: Option<u64>,
    /// How long packets that arrived had waited to be sent, in the mean.
    pub mean_wait_us: Option<f64>,
    /// The same, at the most.
    pub max_wait_us: Option<f64>,
    /// How much later than the model says packets arrived, in the mean.
    pub mean_lateness_us: Option<f64>,
    /// The same, at the most.
    pub max_lateness_us: Option<f64>,
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
