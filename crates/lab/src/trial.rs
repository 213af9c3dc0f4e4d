//! One trial: a server started afresh, a load put on it, both ends' reports.

pub mod cache;
mod commands;
mod disk;
mod ends;
mod foreign;
pub mod machine;
pub mod memory;
pub mod process;
pub mod watch;

pub use ends::Patience;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use contracts::Unknown;
use contracts::load::Report;
use contracts::serve::Summary;
use results::{Failure, Sample, Validity};
use rustix::process::Signal;

use crate::cores::Cores;
use crate::interrupt::Interrupt;
use crate::plan::cells::{Cell, Server};
use crate::spec::Cache;
use foreign::Foreign;
use memory::{Group, Support};
use process::{Process, describe};
use watch::Watcher;

/// Everything that trials share.
#[derive(Debug)]
pub struct ProcessRunner {
    /// The command line that starts servers and generators.
    pub archbench: PathBuf,
    /// Which cores they have.
    pub cores: Cores,
    /// How memory can be limited.
    pub memory: Support,
    /// Where the generator's histogram log lies until it is in the results folder; without it none is written.
    pub scratch: Option<PathBuf>,
    /// How long the ends are waited for.
    pub patience: Patience,
    /// Whether to stop.
    pub interrupt: Interrupt,
}

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
}

impl Job<'_> {
    /// How long it is asked, the warm-up included.
    fn length(&self) -> Duration {
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
}

impl Measured {
    /// As it is kept, with the histogram log beside it.
    pub fn into_trial(
        self,
        trial: &crate::plan::PlannedTrial,
        cell: &Cell,
        cache: Cache,
    ) -> (results::Trial, Option<Vec<u8>>) {
        let kept = results::Trial {
            schema: results::SCHEMA.into(),
            id: trial.id(),
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
            unknown: Unknown::new(),
        };
        (kept, self.hlog)
    }
}

fn failure(step: &str, reason: impl Into<String>) -> Failure {
    Failure {
        step: step.into(),
        reason: reason.into(),
        unknown: Unknown::new(),
    }
}

impl ProcessRunner {
    /// Measures; whatever goes wrong is in what comes of it.
    pub fn measure(&self, job: &Job<'_>) -> Measured {
        let began = Instant::now();
        let started = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let mut measured = Measured {
            verdict: Validity::Failed,
            reasons: Vec::new(),
            failure: None,
            started_unix_s: started.as_secs_f64(),
            elapsed_s: 0.0,
            server_command: Vec::new(),
            generator_command: Vec::new(),
            memory_limit: None,
            load: None,
            server: None,
            samples: Vec::new(),
            hlog: None,
        };
        if let Err(failure) = self.fill(job, &mut measured) {
            measured.verdict = Validity::Failed;
            measured.failure = Some(failure);
        }
        measured.elapsed_s = began.elapsed().as_secs_f64();
        measured
    }

    fn fill(&self, job: &Job<'_>, measured: &mut Measured) -> Result<(), Failure> {
        let set = job.cell.files.file_set(1);
        let root = set
            .cache_dir()
            .map_err(|error| failure("finding the files", error.to_string()))?;
        let group = self.limit(job.cell, measured)?;
        // Declared before the server, so that it is unmounted after the server has ended.
        let mounted = job.cell.disk.as_ref();
        let mounted = mounted
            .map(|flags| self.mount(&set, &root, flags))
            .transpose()?;
        if mounted.is_none() && (job.cache == Cache::Drop || group.is_some()) {
            // Pages that somebody else has read would not count against the limit.
            cache::drop_files(&set, &root)
                .map_err(|error| failure("dropping the page cache", error.to_string()))?;
        }
        let root = mounted
            .as_ref()
            .map_or(root, |mounted| mounted.point.clone());
        let server_cores = &self.cores.server;
        let server_cores = &server_cores[..job
            .cell
            .cores
            .unwrap_or(server_cores.len())
            .min(server_cores.len())];
        let start = |last: Signal, command: &[String]| {
            Process::start_until(last, command, server_cores, group.as_ref())
                .map_err(|error| failure("starting the server", error.to_string()))
        };
        let (mut server, address, foreign) = match &job.cell.server {
            Server::Model { model, flags } => {
                measured.server_command = self.server_command(model, flags, &root);
                let mut server = start(Signal::KILL, &measured.server_command)?;
                let address = self.address(&mut server)?;
                (server, address, None)
            }
            Server::External(external) => {
                let foreign = Foreign::prepare(external, &root, server_cores.len())?;
                measured.server_command = foreign.command();
                // It has workers to end.
                let mut server = start(Signal::TERM, &measured.server_command)?;
                let address = foreign.ready(&mut server, self, &set)?;
                (server, address, Some(foreign))
            }
        };
        if job.cache == Cache::Prefill {
            cache::prefill(&set, &root, group.as_ref())
                .map_err(|error| failure("prefilling the page cache", error.to_string()))?;
        }
        let log = self.scratch.as_ref().map(|home| home.join("trial.hlog"));
        measured.generator_command = self.generator_command(job, &set, &address, log.as_deref());
        let watcher = Watcher::start(server.id());
        let reported = self.generate(job, &measured.generator_command);
        measured.samples = watcher.stop();
        if let Some(status) = server.ended() {
            let what = describe(status, &server.kill());
            return Err(failure(
                "serving",
                format!("in the middle of the trial {what}"),
            ));
        }
        let load = reported?;
        let judged = ends::verdict(&load);
        measured.load = Some(load);
        measured.hlog = log.and_then(|log| {
            let bytes = std::fs::read(&log).ok();
            // Nothing hangs on it once it has been read.
            let _ = std::fs::remove_file(&log);
            bytes
        });
        let stopped = match foreign {
            None => self
                .stop(&mut server)
                .map(|summary| ends::without_start(summary, &measured.samples)),
            Some(foreign) => foreign.stop(&mut server, self.patience.stops, measured),
        };
        // What went wrong first is what matters.
        let (verdict, reasons) = judged?;
        measured.server = Some(stopped?);
        (measured.verdict, measured.reasons) = (verdict, reasons);
        Ok(())
    }

    fn limit(&self, cell: &Cell, measured: &mut Measured) -> Result<Option<Group>, Failure> {
        let Some(bytes) = cell.memory_limit else {
            return Ok(None);
        };
        if let Support::None(why) = &self.memory {
            measured.memory_limit = Some(format!("skipped: {why}"));
            return Ok(None);
        }
        let group = self
            .memory
            .group(bytes, "trial")
            .map_err(|error| failure("limiting memory", error.to_string()))?;
        measured.memory_limit = Some(format!("cgroup {}", self.memory.name()));
        Ok(Some(group))
    }
}

/// What a trial takes beyond its schedule, in the mean: starting and stopping a server, prefilling.
pub fn overhead() -> Duration {
    Duration::from_millis(700)
}
