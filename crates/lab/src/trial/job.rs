//! What is to be measured, and what came of it.

use std::time::Duration;

use contracts::Unknown;
use contracts::load::Report;
use contracts::serve::Summary;
use results::{Failure, Sample, Validity};

use crate::plan::PlannedTrial;
use crate::plan::cells::Cell;
use crate::spec::Cache;

/// What is to be measured.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// Which cell.
    pub cell: &'a Cell,
    /// Of arrivals and choices.
    pub seed: u64,
    /// Cut off at the start.
    pub warm_up: Duration,
    /// Measured after it.
    pub duration: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// What is done to the page cache.
    pub cache: Cache,
    /// Whether packets are captured.
    pub wire: bool,
}

impl Job<'_> {
    /// How long it is asked, the warm-up included.
    pub fn length(&self) -> Duration {
        self.cell.load.length(self.warm_up, self.duration)
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Whether it may be believed.
    pub verdict: Validity,
    /// Why not.
    pub reasons: Vec<String>,
    /// Why there are no figures.
    pub failure: Option<Failure>,
    /// When it began, in seconds since 1970.
    pub started_unix_s: f64,
    /// How long all of it took, in seconds.
    pub elapsed_s: f64,
    /// How the server was started.
    pub server_command: Vec<String>,
    /// How the generator was started.
    pub generator_command: Vec<String>,
    /// How memory was limited.
    pub memory_limit: Option<String>,
    /// What the generator said.
    pub load: Option<Report>,
    /// What the server said.
    pub server: Option<Summary>,
    /// What the server used over time.
    pub samples: Vec<Sample>,
    /// The histogram log.
    pub hlog: Option<Vec<u8>>,
    /// What server and generator spoke over.
    pub network: results::Network,
    /// What was captured.
    pub captured: Vec<results::Wire>,
}

impl Measured {
    /// As it is kept, with the histogram log beside it.
    pub fn into_trial(
        self,
        trial: &PlannedTrial,
        cell: &Cell,
        cache: Cache,
    ) -> (results::Trial, Option<Vec<u8>>) {
        let id = trial.id();
        let mut wire = self.captured;
        for wire in &mut wire {
            wire.trace = wire.trace.take().map(|_| trace_name(&id, &wire.at));
        }
        let kept = results::Trial {
            schema: results::SCHEMA.into(),
            id,
            cell: trial.cell,
            factors: cell.factors.clone(),
            repeat: trial.repeat,
            block: trial.repeat,
            order: trial.order,
            verdict: self.verdict,
            reasons: self.reasons,
            failure: self.failure,
            started_unix_s: self.started_unix_s,
            elapsed_s: self.elapsed_s,
            server_command: self.server_command,
            generator_command: self.generator_command,
            memory_limit: self.memory_limit,
            cache: cache.name().into(),
            load: self.load,
            server: self.server,
            samples: self.samples,
            hlog: None,
            network: Some(self.network),
            wire,
            unknown: Unknown::new(),
        };
        (kept, self.hlog)
    }
}

/// The file of the packets of a trial at one of its ends.
pub fn trace_name(trial: &str, at: &str) -> String {
    format!("{trial}-{at}.pcapng")
}

pub(super) fn failure(step: &str, reason: impl Into<String>) -> Failure {
    Failure {
        step: step.into(),
        reason: reason.into(),
        unknown: Unknown::new(),
    }
}
