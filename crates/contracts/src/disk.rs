//! What a disk that is imitated says: a line when it is mounted, and one when it is gone.

use serde::{Deserialize, Serialize};

use crate::{Line, Unknown, lenient};

/// The version of both lines.
pub const SCHEMA: &str = "archbench.disk/1";

/// The line that says that the directory is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ready {
    /// `ready`.
    pub event: String,
    /// [`SCHEMA`]; may be left out.
    pub schema: Option<String>,
    /// The directory that is beneath.
    pub root: Option<String>,
    /// Where it appears.
    pub mountpoint: Option<String>,
    /// The process that is told to unmount.
    #[serde(deserialize_with = "lenient::count")]
    pub process_id: Option<u64>,
    /// The time of a seek, or its mean.
    pub seek_ms: Option<f64>,
    /// How seeks are distributed: `constant` or `exponential`.
    pub distribution: Option<String>,
    /// How fast an arm reads.
    #[serde(deserialize_with = "lenient::count")]
    pub transfer_bytes_per_s: Option<u64>,
    /// How many requests it serves at once.
    #[serde(deserialize_with = "lenient::count")]
    pub arms: Option<u64>,
    /// Whether looking up a name seeks.
    pub metadata_seek: Option<bool>,
    /// Whether reading on where an arm is seeks.
    pub sequential_seek: Option<bool>,
    /// What the kernel reads ahead.
    #[serde(deserialize_with = "lenient::count")]
    pub read_ahead_bytes: Option<u64>,
    /// What seeks are drawn from.
    #[serde(deserialize_with = "lenient::count")]
    pub seed: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The line that says, after it was unmounted, what it did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// `summary`.
    pub event: String,
    /// [`SCHEMA`]; may be left out.
    pub schema: Option<String>,
    /// How long it was there, in seconds.
    pub elapsed_s: Option<f64>,
    /// Reading of files.
    pub reads: Option<Operations>,
    /// Looking up of names.
    pub metadata: Option<Operations>,
    /// Requests that took no arm.
    #[serde(deserialize_with = "lenient::count")]
    pub free_requests: Option<u64>,
    /// The share of the time that the arms were busy.
    pub utilisation: Option<f64>,
    /// By how much answers came later than they were due.
    pub lateness_us: Option<Lateness>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Operations of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operations {
    /// How many there were.
    #[serde(deserialize_with = "lenient::count")]
    pub count: Option<u64>,
    /// The mean time that one waited for an arm.
    pub mean_wait_ms: Option<f64>,
    /// The longest.
    pub max_wait_ms: Option<f64>,
    /// The mean time that an arm took.
    pub mean_service_ms: Option<f64>,
    /// Bytes that were read, of reads.
    #[serde(
        deserialize_with = "lenient::count",
        skip_serializing_if = "Option::is_none"
    )]
    pub bytes: Option<u64>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// By how much answers came later than they were due.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lateness {
    /// In the mean.
    pub mean: Option<f64>,
    /// At the most.
    pub max: Option<f64>,
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
