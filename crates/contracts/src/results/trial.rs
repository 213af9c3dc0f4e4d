//! One trial: a server started afresh, a load put on it, and what came of it.

use serde::{Deserialize, Serialize};

use super::Factors;
use crate::{Unknown, Validity, link, load, serve, wire};

/// `trials/ID.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// [`SCHEMA`](super::SCHEMA).
    pub schema: String,
    /// Cell and repeat, like `c003-r1`; the name of its files.
    pub id: String,
    /// Which cell, from 0.
    pub cell: usize,
    /// The factors of the cell, by the names in the manifest.
    pub factors: Factors,
    /// Which repeat of the cell, from 1.
    pub repeat: usize,
    /// Which block, from 1: each block holds every cell once.
    pub block: usize,
    /// Its place in the run, from 1.
    pub order: usize,
    /// Whether its figures may be believed.
    pub verdict: Validity,
    /// Why not, or why not quite.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Why there are no figures, if there are none.
    pub failure: Option<Failure>,
    /// When it began, in seconds since 1970.
    pub started_unix_s: f64,
    /// How long it took, with starting and stopping the server.
    pub elapsed_s: f64,
    /// How the server was started.
    #[serde(default)]
    pub server_command: Vec<String>,
    /// How the generator was started.
    #[serde(default)]
    pub generator_command: Vec<String>,
    /// How the memory limit was kept, if there is one: `cgroup v2`, `cgroup v1`, or `skipped`.
    pub memory_limit: Option<String>,
    /// What was done to the page cache: `prefill`, `drop` or `as-is`.
    #[serde(default)]
    pub cache: String,
    /// All that the generator said.
    pub load: Option<load::Report>,
    /// All that the server said when it stopped; of one that says nothing, what was seen of it ([`serve::SEEN_SCHEMA`]).
    pub server: Option<serve::Summary>,
    /// The server's processes over time, by /proc.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// The name of the histogram log beside it, if there is one.
    pub hlog: Option<String>,
    /// What server and generator spoke over; where nothing is said, loopback.
    pub network: Option<Network>,
    /// What was captured of it, at each end where it was.
    #[serde(default)]
    pub wire: Vec<Wire>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What server and generator of a trial spoke over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// For people, like `a veth pair between two network namespaces`.
    pub description: String,
    /// Of a link, who made packets take their time: `netem` or `user-space`.
    pub way: Option<String>,
    /// Of a link in user space, what it carried.
    pub carried: Option<link::Carried>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A capture at one end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wire {
    /// At whose interface: `server` or `client`; on loopback both share one.
    pub at: String,
    /// What was seen.
    pub summary: wire::Summary,
    /// The name of the file of packets beside the trial, if there is one.
    pub trace: Option<String>,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Why a trial has no figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was under way, like `starting the server`.
    pub step: String,
    /// What happened.
    pub reason: String,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The server's processes at one moment, summed over all of them. Counters count from their start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the generator was started.
    pub at_s: f64,
    /// Processor time in user mode.
    pub cpu_user_s: f64,
    /// Processor time in the kernel.
    pub cpu_system_s: f64,
    /// Resident memory; what processes share counts for each.
    pub resident_bytes: u64,
    /// Processes.
    pub processes: u64,
    /// Threads.
    pub threads: u64,
    /// Context switches because a thread waited.
    pub voluntary_switches: u64,
    /// Context switches because the core was taken away.
    pub involuntary_switches: u64,
    /// Page faults served without the disk.
    pub minor_faults: u64,
    /// Page faults that had to wait for the disk.
    pub major_faults: u64,
    /// Further fields.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Trial {
    /// Whether its figures take part in conclusions: valid, or suspect.
    pub fn counts(&self) -> bool {
        matches!(self.verdict, Validity::Valid | Validity::Suspect)
    }

    /// Whether requests had due times, so that there is a response time.
    pub fn is_open_loop(&self) -> bool {
        self.load.as_ref().is_some_and(load::Report::is_open_loop)
    }

    /// The stages of the server, if it is made of some.
    pub fn stages(&self) -> &[serve::StageSummary] {
        self.server.as_ref().map_or(&[], |summary| &summary.stages)
    }

    /// The blocking graph of the server, if it has user-level threads.
    pub fn blocking_graph(&self) -> &[serve::BlockingEdge] {
        self.server
            .as_ref()
            .map_or(&[], |summary| &summary.blocking_graph)
    }

    /// The level of a factor for people, empty if the cell has none of it.
    pub fn level(&self, factor: &str) -> String {
        self.factors
            .get(factor)
            .map_or(String::new(), ToString::to_string)
    }
}
