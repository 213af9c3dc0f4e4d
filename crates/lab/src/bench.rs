//! One trial: a server started afresh, a load put on it, both ends' reports.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use results::{Failure, Sample, Validity};
use serde_json::Value;
use workload::FileSet;

use crate::cache;
use crate::cells::Cell;
use crate::cores::{self, Cores};
use crate::experiment::Cache;
use crate::interrupt::Interrupt;
use crate::memory::{Group, Support};
use crate::process::{NoLine, Process, describe};
use crate::watch::Watcher;

/// How long a server may take to start, and to stop.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
const STOPS_WITHIN: Duration = Duration::from_secs(20);
/// What a generator may need beyond its schedule.
const SLACK: Duration = Duration::from_secs(20);

/// Everything that trials share.
#[derive(Debug)]
pub struct Bench {
    /// The command line that starts servers and generators.
    pub archbench: PathBuf,
    /// Which cores they have.
    pub cores: Cores,
    /// How memory can be limited.
    pub memory: Support,
    /// Whether the generator writes a histogram log beside its report.
    pub hlog: bool,
    /// Where a log may lie until it is in the results folder.
    pub scratch: PathBuf,
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
    pub load: Option<Value>,
    /// What the server said.
    pub server: Option<Value>,
    /// What the server used over time.
    pub samples: Vec<Sample>,
    /// The histogram log.
    pub hlog: Option<Vec<u8>>,
}

impl Measured {
    /// As it is kept, with the histogram log beside it.
    pub fn into_trial(
        self,
        trial: &crate::plan::Trial,
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
        };
        (kept, self.hlog)
    }
}

fn failure(step: &str, reason: impl Into<String>) -> Failure {
    Failure {
        step: step.into(),
        reason: reason.into(),
    }
}

impl Bench {
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
        if job.cache == Cache::Drop || group.is_some() {
            // Pages that somebody else has read would not count against the limit.
            cache::drop_files(&set, &root)
                .map_err(|error| failure("dropping the page cache", error.to_string()))?;
        }
        let server_cores = &self.cores.server;
        let server_cores = &server_cores[..job
            .cell
            .cores
            .unwrap_or(server_cores.len())
            .min(server_cores.len())];
        measured.server_command = self.server_command(job.cell, &root);
        let mut server = Process::start(&measured.server_command, server_cores, group.as_ref())
            .map_err(|error| failure("starting the server", error.to_string()))?;
        let address = self.address(&mut server)?;
        if job.cache == Cache::Prefill {
            cache::prefill(&set, &root, group.as_ref())
                .map_err(|error| failure("prefilling the page cache", error.to_string()))?;
        }
        let log = self.hlog.then(|| self.scratch.join(".trial.hlog"));
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
        (measured.verdict, measured.reasons) = verdict(&load)?;
        measured.load = Some(load);
        measured.hlog = log.and_then(|log| {
            let bytes = std::fs::read(&log).ok();
            // Nothing hangs on it once it has been read.
            let _ = std::fs::remove_file(&log);
            bytes
        });
        measured.server = Some(self.stop(&mut server)?);
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

    fn server_command(&self, cell: &Cell, root: &Path) -> Vec<String> {
        let mut command = vec![
            self.archbench.display().to_string(),
            "serve".into(),
            "--model".into(),
            cell.model.clone(),
            "--addr".into(),
            "127.0.0.1:0".into(),
            "--root".into(),
            root.display().to_string(),
            "--output-format".into(),
            "json".into(),
        ];
        command.extend(cell.flags.iter().cloned());
        command
    }

    /// Waits until the server says that it is ready, and where.
    fn address(&self, server: &mut Process) -> Result<String, Failure> {
        let step = "starting the server";
        let line = match server.line(STARTS_WITHIN, &self.interrupt) {
            Ok(line) => line,
            Err(NoLine::Late) => {
                let limit = STARTS_WITHIN.as_secs();
                return Err(failure(step, format!("it was not ready within {limit} s")));
            }
            Err(NoLine::Interrupted) => return Err(failure(step, "interrupted")),
            Err(NoLine::Ended) => {
                let status = server.wait(Duration::from_secs(2));
                let errors = server.kill();
                return Err(failure(
                    step,
                    status.map_or("it closed its output".into(), |status| {
                        describe(status, &errors)
                    }),
                ));
            }
        };
        let ready: Option<Value> = serde_json::from_str(&line).ok();
        let is_ready = |ready: &Value| ready.get("event").and_then(Value::as_str) == Some("ready");
        ready
            .filter(is_ready)
            .and_then(|ready| Some(ready.get("address")?.as_str()?.to_owned()))
            .ok_or_else(|| {
                failure(
                    step,
                    format!(
                        "it should say that it is ready, and said '{}'",
                        short(&line)
                    ),
                )
            })
    }

    fn generator_command(
        &self,
        job: &Job<'_>,
        set: &FileSet,
        address: &str,
        log: Option<&Path>,
    ) -> Vec<String> {
        let load = &job.cell.load;
        let seconds = |time: Duration| format!("{}us", time.as_micros());
        let mut command = vec![
            self.archbench.display().to_string(),
            "load".into(),
            format!("http://{address}"),
        ];
        let mut put = |flag: &str, value: String| command.extend([flag.to_owned(), value]);
        put("--files", set.preset().to_string());
        put("--files-seed", set.seed().to_string());
        put("--connections", load.connections.to_string());
        if let Some(rate) = load.rate {
            put("--rate", rate.to_string());
        }
        if let Some(stages) = &load.stages {
            put("--stages", stages.to_string());
        }
        if let Some(arrival) = &load.arrival {
            put("--arrival", arrival.to_string());
        }
        if let Some(each) = load.session_requests {
            put("--session-requests", each.to_string());
        }
        if let Some(think) = load.think {
            let kind = if load.think_exponential { "exp:" } else { "" };
            put("--think", format!("{kind}{}", seconds(think)));
        }
        put("--seed", job.seed.to_string());
        put("--warmup", seconds(job.warm_up));
        put("--duration", seconds(job.warm_up + job.duration));
        put("--timeout", seconds(job.timeout));
        put("--pin", cores::list(&self.cores.generator));
        put("--output-format", "json".into());
        if let Some(log) = log {
            put("--hlog", log.display().to_string());
        }
        command.push("--quiet".into());
        command.extend(load.flags.iter().cloned());
        command
    }

    fn generate(&self, job: &Job<'_>, command: &[String]) -> Result<Value, Failure> {
        let step = "generating load";
        let mut generator = Process::start(command, &self.cores.generator, None)
            .map_err(|error| failure(step, error.to_string()))?;
        let limit = job.warm_up + job.duration + 2 * job.timeout + SLACK;
        let lines = match generator.rest(limit, &self.interrupt) {
            Ok(lines) => lines,
            Err(NoLine::Interrupted) => return Err(failure(step, "interrupted")),
            Err(_) => {
                let limit = limit.as_secs();
                return Err(failure(
                    step,
                    format!("the generator did not end within {limit} s"),
                ));
            }
        };
        let status = generator.wait(Duration::from_secs(5));
        let errors = generator.kill();
        let told = || status.map_or("it did not end".into(), |status| describe(status, &errors));
        if !status
            .and_then(|status| status.code())
            .is_some_and(|code| matches!(code, 0 | 3 | 4))
        {
            return Err(failure(step, told()));
        }
        let text = lines.join("\n");
        let report: Value = serde_json::from_str(&text).map_err(|error| {
            failure(
                step,
                format!("its report is no JSON ({error}): '{}'", short(&text)),
            )
        })?;
        let schema = report
            .get("schema")
            .and_then(Value::as_str)
            .unwrap_or("none");
        if schema != "archbench.load/1" {
            return Err(failure(
                step,
                format!("its report is of schema {schema}, and archbench.load/1 is read here"),
            ));
        }
        Ok(report)
    }

    /// Has the server stop, and takes its summary.
    fn stop(&self, server: &mut Process) -> Result<Value, Failure> {
        let step = "stopping the server";
        server.terminate();
        let lines = server.rest(STOPS_WITHIN, &self.interrupt).map_err(|none| {
            let limit = STOPS_WITHIN.as_secs();
            let late = format!("it was told to stop and did not within {limit} s");
            failure(
                step,
                if none == NoLine::Interrupted {
                    "interrupted".into()
                } else {
                    late
                },
            )
        })?;
        let status = server.wait(STOPS_WITHIN);
        let errors = server.kill();
        if !status.is_some_and(|status| status.success()) {
            return Err(failure(
                step,
                status.map_or("it did not end".into(), |status| describe(status, &errors)),
            ));
        }
        lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line.get("event").and_then(Value::as_str) == Some("summary"))
            .ok_or_else(|| {
                let said = lines.join(" / ");
                failure(
                    step,
                    format!("it printed no summary but '{}'", short(&said)),
                )
            })
    }
}

fn verdict(load: &Value) -> Result<(Validity, Vec<String>), Failure> {
    let text = load
        .get("verdict")
        .and_then(Value::as_str)
        .unwrap_or("none");
    let verdict = match text {
        "VALID" => Validity::Valid,
        "SUSPECT" => Validity::Suspect,
        "INVALID" => Validity::Invalid,
        other => {
            return Err(failure(
                "generating load",
                format!("its verdict is '{other}'"),
            ));
        }
    };
    let reasons = load.get("reasons").and_then(Value::as_array);
    let reasons = reasons
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    Ok((verdict, reasons.collect()))
}

fn short(text: &str) -> String {
    text.chars().take(120).collect()
}

/// What a trial takes beyond its schedule, in the mean: starting and stopping a server, prefilling.
pub fn overhead() -> Duration {
    Duration::from_millis(700)
}
