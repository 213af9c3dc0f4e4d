//! An experiment as a results folder, which `archbench report` and `archbench compare` read as any other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use contracts::load::{Loop, Report};
use contracts::results::Verdicts;
use contracts::results::{Expectation, Factor, Factors, Failure, Level, Manifest, SCHEMA, Trial};
use contracts::{Document, Line, Unknown, Validity, serve};
use lab::cores::{self, Cores};
use lab::spec::Expect;
use lab::trial::machine;
use lab::trial::memory::Support;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use results::Folder;

use crate::experiments::{EXPERIMENTS, Experiment, KINDS};
use crate::trial::{Outcome, Workload};

/// What orders the trials.
const SEED: u64 = 1;

/// Run an experiment and judge it
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which experiment
    #[arg(value_parser = EXPERIMENTS.map(|experiment| experiment.name))]
    experiment: String,
    /// Where results go: a folder for each run
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// How often each cell is measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// How long each is watched
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = workload::units::duration)]
    duration: Duration,
    /// Leave out those with more threads
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    at_most: usize,
}

/// A cell: a kind of thread, and how many of them.
#[derive(Debug, Clone, Copy)]
struct Cell {
    kind: &'static str,
    threads: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let named = |experiment: &&Experiment| experiment.name == arguments.experiment;
    let experiment = EXPERIMENTS.iter().find(named).ok_or("no such experiment")?;
    let cells: Vec<Cell> = KINDS
        .iter()
        .flat_map(|(_, kind)| {
            experiment
                .threads
                .iter()
                .map(move |&threads| (kind, threads))
        })
        .filter(|(_, threads)| *threads <= arguments.at_most)
        .map(|(kind, threads)| Cell { kind, threads })
        .collect();
    let now = SystemTime::now();
    let path = arguments
        .results
        .join(format!("{}-{}", experiment.name, results::compact_utc(now)));
    // The last core is the one that is disturbed least.
    let core = cores::available().last().copied().unwrap_or(0);
    let manifest = manifest(experiment, arguments, cells.len(), core, now);
    let mut folder = Folder::create(&path, manifest).map_err(|error| error.to_string())?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let mut order = 0;
    for repeat in 1..=arguments.repeats as usize {
        let mut turns: Vec<usize> = (0..cells.len()).collect();
        turns.shuffle(&mut random);
        for cell in turns {
            order += 1;
            let trial = trial(
                experiment,
                arguments,
                (cell, cells[cell]),
                repeat,
                order,
                core,
            )?;
            let said = match (&trial.load, &trial.failure) {
                (Some(load), _) => format!(
                    "{:.0} a second",
                    load.throughput.requests_per_s.unwrap_or(0.0)
                ),
                (None, Some(failure)) => failure.reason.clone(),
                (None, None) => String::new(),
            };
            println!(
                "{} {} threads: {said}",
                cells[cell].kind, cells[cell].threads
            );
            folder
                .append(trial, None)
                .map_err(|error| error.to_string())?;
        }
    }
    let expect = expectations(experiment, arguments.at_most)?;
    let verdicts = Verdicts {
        schema: SCHEMA.into(),
        expectations: lab::analysis::judge::expectations(folder.run(), &expect),
        slo: Vec::new(),
        unknown: Unknown::new(),
    };
    let run = folder
        .conclude(verdicts)
        .map_err(|error| error.to_string())?;
    print!("{}", lab::analysis::summary::summary(&run));
    println!("results  {}", path.display());
    Ok(())
}

/// Those whose cells were all tried.
fn expectations(experiment: &Experiment, at_most: usize) -> Result<Vec<Expect>, String> {
    let most = experiment.threads.last().copied().unwrap_or(0);
    let expect = experiment.expect.iter().filter(|_| most <= at_most);
    let expect = expect.map(|(text, ratio)| {
        serde_json::from_value(serde_json::json!({"text": text, "ratio": ratio}))
            .map_err(|error| error.to_string())
    });
    expect.collect()
}

fn manifest(
    experiment: &Experiment,
    arguments: &Arguments,
    cells: usize,
    core: usize,
    now: SystemTime,
) -> Manifest {
    let cores = Cores {
        server: vec![core],
        generator: vec![core],
    };
    let here = Path::new(".");
    let factor = |name: &str, column: &str, unit: &str| Factor {
        name: name.into(),
        column: column.into(),
        unit: unit.into(),
        unknown: Unknown::new(),
    };
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let expect = experiment.expect.iter().map(|(text, ratio)| Expectation {
        text: (*text).into(),
        ratio: (*ratio).into(),
        unknown: Unknown::new(),
    });
    Manifest {
        schema: SCHEMA.into(),
        name: experiment.name.into(),
        question: experiment.question.into(),
        reasoning: experiment.reasoning.into(),
        expect: expect.collect(),
        slo: Vec::new(),
        experiment: String::new(),
        experiment_path: String::new(),
        experiment_hash: String::new(),
        configs: BTreeMap::new(),
        factors: vec![
            factor("model", "model", ""),
            factor("connections", "threads", "threads"),
        ],
        cells,
        repeats: arguments.repeats as usize,
        seed: SEED,
        duration_s: arguments.duration.as_secs_f64(),
        warm_up_s: 0.0,
        started: results::rfc3339_utc(now),
        started_unix_s: since.unwrap_or_default().as_secs_f64(),
        command: std::env::args().collect(),
        revision: machine::revision(here),
        versions: BTreeMap::new(),
        machine: machine::machine(&cores, &Support::find(), here),
        notices: vec!["what is passed from one thread to another counts as a request".into()],
        unknown: Unknown::new(),
    }
}

fn trial(
    experiment: &Experiment,
    arguments: &Arguments,
    (number, cell): (usize, Cell),
    repeat: usize,
    order: usize,
    core: usize,
) -> Result<Trial, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let workload = match experiment.workload {
        Workload::ProducerConsumer => "producer-consumer",
        Workload::Token => "token",
    };
    let duration = format!("{}ms", arguments.duration.as_millis());
    let threads = cell.threads.to_string();
    let command = [
        "trial",
        "--kind",
        cell.kind,
        "--workload",
        workload,
        "--threads",
        &threads,
        "--duration",
        &duration,
    ];
    let (started, since) = (SystemTime::now(), Instant::now());
    let output = cores::pinned(&[core], || Command::new(&own).args(command).output());
    let output = output.map_err(|error| error.to_string())?;
    let outcome: Option<Outcome> = serde_json::from_slice(&output.stdout).ok();
    let failure = outcome.is_none().then(|| Failure {
        step: "making threads".into(),
        reason: String::from_utf8_lossy(&output.stderr)
            .lines()
            .next()
            .unwrap_or("it ended")
            .into(),
        unknown: Unknown::new(),
    });
    let started_unix_s = started.duration_since(SystemTime::UNIX_EPOCH);
    Ok(Trial {
        schema: SCHEMA.into(),
        id: format!("c{number:03}-r{repeat}"),
        cell: number,
        factors: Factors::from([
            ("model".to_owned(), Level::from(cell.kind)),
            ("connections".to_owned(), Level::from(cell.threads as f64)),
        ]),
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
        server_command: command.map(str::to_owned).to_vec(),
        generator_command: Vec::new(),
        memory_limit: None,
        cache: "as-is".into(),
        load: outcome.as_ref().map(load),
        server: outcome.as_ref().map(|outcome| server(outcome, cell)),
        samples: Vec::new(),
        hlog: None,
        network: None,
        wire: Vec::new(),
        unknown: Unknown::new(),
    })
}

fn load(outcome: &Outcome) -> Report {
    let mut report = Report {
        schema: Report::SCHEMA.into(),
        verdict: Some(Validity::Valid),
        ..Report::default()
    };
    report.requests.completed = Some(outcome.taken);
    report.throughput.requests_per_s = Some(outcome.taken as f64 / outcome.window_s);
    report.throughput.window_s = Some(outcome.window_s);
    report.run.model.name = Some(Loop::Closed);
    report
}

fn server(outcome: &Outcome, cell: Cell) -> serve::Summary {
    serve::Summary {
        event: serve::Summary::EVENT.into(),
        model: Some(cell.kind.into()),
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
