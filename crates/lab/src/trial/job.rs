//! What is to be measured, and what came of it.

use std::time::{Duration, SystemTime};

use contracts::Unknown;
use contracts::load::Report;
use contracts::serve::Summary;
use results::{Failure, Network, Sample, Validity, Wire};

use crate::plan::PlannedTrial;
use crate::plan::cells::Cell;
use crate::spec::{Cache, Model};

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
    /// Who is behind the server, if anybody is.
    pub upstream: Option<&'a Model>,
}

impl Job<'_> {
    /// How long it is asked, the warm-up included.
    pub fn length(&self) -> Duration {
        self.cell.load.length(self.warm_up, self.duration)
    }
}

/// Who does trials.
pub trait Runner {
    /// Does one; whatever goes wrong is in what comes of it. `None` when somebody stopped it.
    fn run(&self, job: &Job<'_>) -> Option<Measured>;
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
    pub network: Network,
    /// What was captured, and the packets, if they were kept.
    pub captured: Vec<(Wire, Option<Vec<u8>>)>,
}

impl Measured {
    /// Nothing yet of a trial that begins now.
    pub fn nothing() -> Self {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            verdict: Validity::Failed,
            reasons: Vec::new(),
            failure: None,
            started_unix_s: started.unwrap_or_default().as_secs_f64(),
            elapsed_s: 0.0,
            server_command: Vec::new(),
            generator_command: Vec::new(),
            memory_limit: None,
            load: None,
            server: None,
            samples: Vec::new(),
            hlog: None,
            network: Network::default(),
            captured: Vec::new(),
        }
    }

    /// As it is kept.
    pub(crate) fn into_trial(
        self,
        trial: &PlannedTrial,
        cell: &Cell,
        cache: Cache,
    ) -> FinishedTrial {
        let id = trial.id();
        let (mut wire, mut traces) = (Vec::new(), Vec::new());
        for (mut seen, packets) in self.captured {
            seen.trace = packets.map(|packets| {
                let name = trace_name(&id, &seen.at);
                traces.push((name.clone(), packets));
                name
            });
            wire.push(seen);
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
        FinishedTrial {
            trial: kept,
            hlog: self.hlog,
            traces,
        }
    }
}

/// A trial as it is kept, and what lies beside it.
#[derive(Debug, Clone)]
pub struct FinishedTrial {
    /// The trial.
    pub trial: results::Trial,
    /// Its histogram log.
    pub hlog: Option<Vec<u8>>,
    /// Its packets, by the names of their files.
    pub traces: Vec<(String, Vec<u8>)>,
}

/// The file of the packets of a trial at one of its ends.
pub(super) fn trace_name(trial: &str, at: &str) -> String {
    format!("{trial}-{at}.pcapng")
}

pub(super) fn failure(step: &str, reason: impl Into<String>) -> Failure {
    Failure {
        step: step.into(),
        reason: reason.into(),
        unknown: Unknown::new(),
    }
}
