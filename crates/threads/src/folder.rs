//! An experiment as a results folder, which `archbench report` and `archbench compare` read as any other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use command::interrupt::Interrupt;
use contracts::load::{Loop, Report};
use contracts::results::Verdicts;
use contracts::results::{Expectation, Factor, Failure, Manifest, SCHEMA, Trial};
use contracts::{Document, Line, Unknown, Validity, serve};
use lab::cores::{self, Cores};
use lab::spec::Expect;
use lab::trial::machine;
use lab::trial::memory::Support;
use lab::trial::process::{Placement, Process};
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use results::Folder;

use crate::experiment::{Cell, Experiment};
use crate::file::Placed;
use crate::trial::Outcome;

/// What orders the trials.
const SEED: u64 = 1;

/// How long a trial may take beyond the time that it is watched for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Run an experiment and judge it
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The experiment; bench-configs/threads has some
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Say what would be done, and how long it takes
    #[arg(long)]
    dry_run: bool,
    /// Where results go: a folder for each run
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// How often each cell is measured, if not as the experiment says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: Option<u32>,
    /// How long each is watched, if not as the experiment says
    #[arg(long, value_name = "TIME", value_parser = workload::units::duration)]
    duration: Option<Duration>,
    /// Leave out those with more threads
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    at_most: usize,
}

/// A run of an experiment.
struct Run<'a> {
    experiment: &'a Experiment,
    text: String,
    arguments: &'a Arguments,
    cells: Vec<Cell>,
    repeats: u32,
    duration: Duration,
    /// Where threads run, and the disk that they read from.
    core: usize,
    others: Vec<usize>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let (experiment, text) = Experiment::read(&arguments.config)?;
    // The last core is the one that is disturbed least.
    let mut others = cores::available();
    let core = others.pop().unwrap_or(0);
    if others.is_empty() {
        others.push(core);
    }
    let run = Run {
        experiment: &experiment,
        text,
        arguments,
        cells: experiment.cells(arguments.at_most),
        repeats: arguments.repeats.unwrap_or(experiment.repeats),
        duration: arguments.duration.unwrap_or(experiment.duration),
        core,
        others,
    };
    if arguments.dry_run {
        println!("{}: {}\n", experiment.name, experiment.question);
        let count = run.cells.len();
        for cell in &run.cells {
            println!("{}", run.name(cell));
        }
        let takes = experiment.takes(count, run.repeats, run.duration);
        println!(
            "{count} cells, {} repeats, about {} s",
            run.repeats,
            takes.as_secs()
        );
        return Ok(());
    }
    run.measure()
}

impl Run<'_> {
    /// Tries all cells in turns, writes each trial as soon as it is over, and judges.
    fn measure(&self) -> Result<(), String> {
        let now = SystemTime::now();
        let name = format!("{}-{}", self.experiment.name, results::compact_utc(now));
        let path = self.arguments.results.join(name);
        let mut folder =
            Folder::create(&path, self.manifest(now)).map_err(|error| error.to_string())?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
        let mut order = 0;
        for repeat in 1..=self.repeats as usize {
            let mut turns: Vec<usize> = (0..self.cells.len()).collect();
            turns.shuffle(&mut random);
            for number in turns {
                order += 1;
                let trial = self.trial(number, repeat, order);
                eprintln!("{}: {}", self.name(&self.cells[number]), said(&trial));
                folder
                    .append(trial, None)
                    .map_err(|error| error.to_string())?;
            }
        }
        let verdicts = Verdicts {
            schema: SCHEMA.into(),
            expectations: lab::analysis::judge::expectations(folder.run(), self.expectations()),
            slo: Vec::new(),
            unknown: Unknown::new(),
        };
        let run = folder
            .conclude(verdicts)
            .map_err(|error| error.to_string())?;
        lab::commands::run::tell(&run);
        Ok(())
    }

    /// None where cells were left out.
    fn expectations(&self) -> &[Expect] {
        let all = self.experiment.cells(usize::MAX).len();
        match self.cells.len() == all {
            true => &self.experiment.expect,
            false => &[],
        }
    }

    fn name(&self, cell: &Cell) -> String {
        let unit = match self.experiment.axis() {
            "rate" => "requests a second",
            _ => "threads",
        };
        let disk = cell.disk.as_ref();
        let disk = disk.map_or(String::new(), |disk| format!(", {}", disk.name));
        format!("{}, {} {unit}{disk}", cell.kind, cell.load)
    }

    fn manifest(&self, now: SystemTime) -> Manifest {
        let experiment = self.experiment;
        let cores = Cores {
            server: vec![self.core],
            generator: self.others.clone(),
        };
        let factor = |name: &str, column: &str, unit: &str| Factor {
            name: name.into(),
            column: column.into(),
            unit: unit.into(),
            unknown: Unknown::new(),
        };
        let axis = match experiment.axis() {
            "rate" => factor("rate", "rate", "requests/s"),
            axis => factor(axis, "threads", "threads"),
        };
        let disk = (!experiment.disk.is_empty()).then(|| factor("disk", "disk", ""));
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let expect = experiment.expect.iter().map(|expect| Expectation {
            text: expect.text.clone(),
            ratio: expect.ratio.0.text.clone(),
            unknown: Unknown::new(),
        });
        let config = &self.arguments.config;
        Manifest {
            schema: SCHEMA.into(),
            name: experiment.name.clone(),
            question: experiment.question.clone(),
            reasoning: experiment.reasoning.clone(),
            expect: expect.collect(),
            slo: Vec::new(),
            experiment: self.text.clone(),
            experiment_path: config.display().to_string(),
            experiment_hash: String::new(),
            configs: BTreeMap::new(),
            factors: [Some(factor("model", "model", "")), Some(axis), disk]
                .into_iter()
                .flatten()
                .collect(),
            cells: self.cells.len(),
            repeats: self.repeats as usize,
            seed: SEED,
            duration_s: self.duration.as_secs_f64(),
            warm_up_s: 0.0,
            started: results::rfc3339_utc(now),
            started_unix_s: since.unwrap_or_default().as_secs_f64(),
            command: std::env::args().collect(),
            revision: machine::revision(config),
            versions: BTreeMap::new(),
            machine: machine::machine(&cores, &Support::find(), Path::new(".")),
            hosts: Vec::new(),
            notices: vec![
                "what is passed from one thread to another, or read by one, counts as a request"
                    .into(),
            ],
            unknown: Unknown::new(),
        }
    }

    /// One trial, in a process of its own.
    fn trial(&self, number: usize, repeat: usize, order: usize) -> Trial {
        let cell = &self.cells[number];
        let (started, since) = (SystemTime::now(), Instant::now());
        let tried = self.try_cell(cell);
        let outcome = tried.as_ref().ok();
        let failure = tried.as_ref().err().map(|reason| Failure {
            step: "making threads".into(),
            reason: reason.clone(),
            unknown: Unknown::new(),
        });
        let started_unix_s = started.duration_since(SystemTime::UNIX_EPOCH);
        Trial {
            schema: SCHEMA.into(),
            id: format!("c{number:03}-r{repeat}"),
            cell: number,
            factors: self.experiment.factors(cell),
            repeat,
            block: repeat,
            order,
            verdict: match failure {
                None => Validity::Valid,
                Some(_) => Validity::Failed,
            },
            reasons: failure
                .iter()
                .map(|failure| failure.reason.clone())
                .collect(),
            failure,
            started_unix_s: started_unix_s.unwrap_or_default().as_secs_f64(),
            elapsed_s: since.elapsed().as_secs_f64(),
            server_command: self.command(cell, None),
            generator_command: Vec::new(),
            memory_limit: None,
            cache: match &cell.disk {
                Some(disk) if disk.options.is_some() => "cold".into(),
                _ => "as-is".into(),
            },
            load: outcome.map(load),
            server: outcome.map(|outcome| server(outcome, cell)),
            samples: Vec::new(),
            hlog: None,
            network: None,
            wire: Vec::new(),
            unknown: Unknown::new(),
        }
    }

    fn command(&self, cell: &Cell, file: Option<&Path>) -> Vec<String> {
        let own = std::env::current_exe().unwrap_or_else(|_| "threads".into());
        let workload = self.experiment.workload.to_string();
        let mut command = vec![own.display().to_string(), "trial".into()];
        let options = [
            ("--kind", cell.kind.to_string()),
            ("--workload", workload),
            ("--threads", cell.load.to_string()),
            ("--duration", format!("{}ms", self.duration.as_millis())),
        ];
        let file = file.map(|file| ("--file", file.display().to_string()));
        for (name, value) in options.into_iter().chain(file) {
            command.extend([name.to_owned(), value]);
        }
        command
    }

    /// What came of it, or the first line of why nothing did.
    fn try_cell(&self, cell: &Cell) -> Result<Outcome, String> {
        let placed = cell.disk.as_ref();
        let placed = placed
            .map(|disk| Placed::new(disk, &self.others))
            .transpose()?;
        let command = self.command(cell, placed.as_ref().map(|placed| placed.path.as_path()));
        let mut process = Process::start(&command, Placement::on(&[self.core]))
            .map_err(|error| format!("cannot start a trial: {error}"))?;
        let line = process.line(self.duration + PATIENCE, &Interrupt::default());
        // The disk first: whoever waits for it would not end before it answers.
        drop(placed);
        let said = process.kill();
        let outcome = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        outcome.ok_or_else(|| said.lines().next().unwrap_or("it ended").into())
    }
}

/// What is said of a trial while others are to come.
fn said(trial: &Trial) -> String {
    match (&trial.load, &trial.failure) {
        (Some(load), _) => {
            let rate = load.throughput.requests_per_s.unwrap_or(0.0);
            format!("{rate:.0} a second")
        }
        (None, Some(failure)) => failure.reason.clone(),
        (None, None) => String::new(),
    }
}

fn load(outcome: &Outcome) -> Report {
    let mut report = Report {
        schema: Report::SCHEMA.into(),
        verdict: Some(Validity::Valid),
        ..Report::default()
    };
    let failed = outcome.refused + outcome.lost;
    report.requests.completed = Some(outcome.taken);
    report.requests.errors_total = Some(failed);
    report.requests.errors = [("refused", outcome.refused), ("lost", outcome.lost)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    report.throughput.requests_per_s = Some(outcome.taken as f64 / outcome.window_s);
    report.throughput.window_s = Some(outcome.window_s);
    report.run.model.name = Some(Loop::Closed);
    report
}

fn server(outcome: &Outcome, cell: &Cell) -> serve::Summary {
    serve::Summary {
        event: serve::Summary::EVENT.into(),
        model: Some(cell.kind.to_string()),
        elapsed_s: Some(outcome.window_s),
        requests: Some(outcome.taken),
        cpu: Some(serve::Cpu {
            user_s: Some(outcome.cpu_s),
            per_request_us: Some(outcome.cpu_s * 1e6 / outcome.taken.max(1) as f64),
            ..serve::Cpu::default()
        }),
        peak_resident_bytes_of_largest_process: Some(outcome.resident_bytes),
        ..serve::Summary::default()
    }
}
