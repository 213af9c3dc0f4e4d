//! What was asked, and on which machine: everything that is known before the first trial.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Factor;
use crate::Unknown;

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`](super::SCHEMA).
    pub schema: String,
    /// The name of the experiment.
    pub name: String,
    /// What it is to find out.
    pub question: String,
    /// Why it is made as it is, and what is to be expected.
    #[serde(default)]
    pub reasoning: String,
    /// What is expected.
    #[serde(default)]
    pub expect: Vec<Expectation>,
    /// Objectives, like `p(99)<10ms`.
    #[serde(default)]
    pub slo: Vec<String>,
    /// The experiment file, word for word.
    pub experiment: String,
    /// Where it was.
    pub experiment_path: String,
    /// A hash of `experiment`, by which an unfinished run is found again.
    pub experiment_hash: String,
    /// What the experiment names beside itself, word for word: how servers that are not ours were configured, by file.
    #[serde(default)]
    pub configs: BTreeMap<String, String>,
    /// The factors of every cell, in the order in which they were given.
    pub factors: Vec<Factor>,
    /// How many cells there are.
    pub cells: usize,
    /// How often each of them is measured.
    pub repeats: usize,
    /// What orders the trials and feeds arrivals.
    pub seed: u64,
    /// How long a trial is measured, in seconds.
    pub duration_s: f64,
    /// What is cut off before, in seconds.
    pub warm_up_s: f64,
    /// When the run began, in UTC.
    pub started: String,
    /// The same in seconds since 1970.
    pub started_unix_s: f64,
    /// The command line that repeats it.
    pub command: Vec<String>,
    /// The revision of the source, if it is known.
    pub revision: Option<String>,
    /// Versions of what took part, like `archbench`.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Where it ran.
    pub machine: Machine,
    /// The other hosts that took part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostFacts>,
    /// What could not be done as asked, and what stands in the way of a good measurement.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Something that should come out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// For people.
    pub text: String,
    /// A ratio between cells and its bound, like `sped@dataset=2.0 / sped@dataset=0.5 <= 0.3`.
    pub ratio: String,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A host on which a server or a generator ran, other than the lab's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostFacts {
    /// What ran there: `server` or `generators`.
    pub role: String,
    /// What started it.
    pub launch: Vec<String>,
    /// What machine it is; all of its cores are both ends'.
    pub machine: Machine,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The machine, as far as it bears on figures. What could not be found out is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Name and release of the kernel.
    pub kernel: String,
    /// Its architecture, like `x86_64`.
    pub architecture: String,
    /// The model of the processor.
    pub cpu_model: Option<String>,
    /// Cores that this run may use.
    pub cores: Vec<usize>,
    /// Cores of the server.
    pub server_cores: Vec<usize>,
    /// Cores of the generator.
    pub generator_cores: Vec<usize>,
    /// The frequency governor.
    pub governor: Option<String>,
    /// Whether a hypervisor is underneath.
    pub virtualised: Option<bool>,
    /// Mitigations of processor faults, by fault.
    pub mitigations: BTreeMap<String, String>,
    /// Limits, like `open_files_soft`, `somaxconn`, `local_ports`.
    pub limits: BTreeMap<String, String>,
    /// How memory can be limited: `v2`, `v1` or `none`.
    pub cgroup: String,
    /// The clock source.
    pub clock_source: Option<String>,
    /// Main memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The file system of the file set, like `ext4`.
    pub file_system: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}
