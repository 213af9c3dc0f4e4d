//! One trial: a server started afresh, a load put on it, and what came of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::factor::Factors;

/// `trials/ID.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// [`crate::SCHEMA`].
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
    /// All that the generator said (`archbench.load/1`).
    pub load: Option<Value>,
    /// All that the server said when it stopped (`archbench.serve/1`); of a server that is not ours, what was seen of it
    /// (`archbench.external/1`, the same names).
    pub server: Option<Value>,
    /// The server's processes over time, by /proc.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// The name of the histogram log beside it, if there is one.
    pub hlog: Option<String>,
}

/// Whether figures may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Validity {
    /// They may.
    Valid,
    /// With care; the reasons say why.
    Suspect,
    /// They may not: the generator could not do what was asked.
    Invalid,
    /// There are none.
    Failed,
}

impl Validity {
    /// The one that is printed so.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Valid, Self::Suspect, Self::Invalid, Self::Failed];
        all.into_iter().find(|validity| validity.name() == name)
    }

    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Suspect => "SUSPECT",
            Self::Invalid => "INVALID",
            Self::Failed => "FAILED",
        }
    }
}

impl std::fmt::Display for Validity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(self.name())
    }
}

/// Why a trial has no figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was under way, like `starting the server`.
    pub step: String,
    /// What happened.
    pub reason: String,
}

/// The server's processes at one moment, summed over all of them. Counters count from their start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
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
}

impl Trial {
    /// Whether its figures take part in conclusions: valid, or suspect.
    pub fn counts(&self) -> bool {
        matches!(self.verdict, Validity::Valid | Validity::Suspect)
    }

    /// Whether requests had due times, so that there is a response time. A closed loop has none; what its generator reports as
    /// one is the service time again.
    pub fn is_open_loop(&self) -> bool {
        let Some(load) = &self.load else {
            return false;
        };
        match load.pointer("/run/model/name").and_then(Value::as_str) {
            Some(model) => model != "closed",
            None => load
                .pointer("/response_time_us/p50")
                .is_some_and(Value::is_number),
        }
    }

    /// A number of the generator's report by its JSON pointer, like `/throughput/requests_per_s`.
    pub fn load_number(&self, pointer: &str) -> Option<f64> {
        self.load.as_ref()?.pointer(pointer)?.as_f64()
    }

    /// A number of the server's summary by its JSON pointer, like `/cpu/per_request_us`.
    pub fn server_number(&self, pointer: &str) -> Option<f64> {
        self.server.as_ref()?.pointer(pointer)?.as_f64()
    }

    /// The stages of the server over time, if it is made of some.
    pub fn stages(&self) -> Vec<crate::Stage> {
        crate::stage::of(self.server.as_ref())
    }

    /// The level of a factor for people, empty if the cell has none of it.
    pub fn level(&self, factor: &str) -> String {
        self.factors
            .get(factor)
            .map_or(String::new(), ToString::to_string)
    }
}
