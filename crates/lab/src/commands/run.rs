//! `archbench run`: an experiment, from its file to its verdicts.

mod resume;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use contracts::Unknown;
use results::{Folder, Manifest, SCHEMA, Trial, Validity, Verdicts};
use sha2::{Digest, Sha256};
use workload::FileSet;

use crate::analysis::judge;
use crate::analysis::summary::summary;
use crate::commands::progress::Progress;
use crate::commands::slo;
use crate::interrupt::Interrupt;
use crate::plan::{self, Plan, minutes};
use crate::plan::{cells, models};
use crate::spec::Experiment;
use crate::spec::external::{self, External};
use crate::table::{label, show};
use crate::trial::machine;
use crate::trial::memory::Support;
use crate::trial::{Job, Patience, ProcessRunner, hosts, trace_name};
use crate::{Failure, INTERRUPTED, Status, files};

/// Run an experiment and judge it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Every trial starts its server afresh, pinned to cores of its own, and puts a load on it from others. Trials come in blocks that
hold every cell once, shuffled by the seed. A trial whose generator was disturbed is made again, and both are kept. A trial is on
the disk when it has ended; a run that was stopped goes on where it was when it is started again.

Examples:
  archbench run bench-configs/quick.toml
  archbench run --dry-run bench-configs/flash-clients.toml
  archbench run bench-configs/quick.toml --resume results/quick-20250321-140506

Exit status: 0 done, whatever came out; 1 failed, or each of its trials did; 2 wrong usage; 130 stopped by Ctrl-C.")]
pub struct Args {
    /// The experiment; bench-configs/ has some
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Print what would be done, and how long it would take
    #[arg(long)]
    pub dry_run: bool,
    /// Where results go: a folder for each run
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Go on with the run in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "fresh")]
    pub resume: Option<PathBuf>,
    /// Begin a new run even if the last one of this experiment is unfinished
    #[arg(long)]
    pub fresh: bool,
    /// The archbench that serves and loads; this one if not given
    #[arg(long, value_name = "FILE", hide = true)]
    pub archbench: Option<PathBuf>,
}

/// Runs it. `report` is called with the finished folder and gives the page it has made of it, if it makes one.
///
/// # Errors
/// When the experiment cannot be read or done at all. A trial that fails is a result, not an error.
pub fn run(
    args: Args,
    report: impl FnOnce(&Path) -> Result<Option<PathBuf>, Failure>,
) -> Result<Status, Failure> {
    let (experiment, text) = Experiment::read(&args.config)?;
    let archbench = executable(args.archbench.as_deref())?;
    let plan = Plan::new(&experiment, &args.config, &archbench)?;
    if args.dry_run {
        crate::print(plan.describe(&experiment));
        return Ok(0);
    }
    let told = hosts::prepare(&plan.cells, experiment.wire, &archbench)?;
    // Before Ctrl-C is watched for: it may end this at once, and what is made by then is not made again.
    let sets = make_files(&plan)?;
    // Before any thread starts, so that all have the signals blocked.
    let interrupt = Interrupt::watch();
    let memory = Support::find();
    let mut manifest = manifest(&args, &experiment, text, &plan, &memory, &archbench, &sets);
    manifest.notices.extend(told);
    let mut folder = match resume::find(&args, &manifest, &plan)? {
        Some(folder) => folder,
        None => {
            let started = results::compact_utc(SystemTime::now());
            let path = unused(&args.results.join(format!("{}-{started}", experiment.name)));
            Folder::create(&path, manifest)?
        }
    };
    // Not in the folder: a generator that cannot write there would fail its trial for it.
    let scratch = tempfile::tempdir()
        .map_err(|error| format!("cannot make a directory for histogram logs: {error}"))?;
    let runner = ProcessRunner {
        archbench,
        cores: plan.cores.clone(),
        memory,
        scratch: Some(scratch.path().to_owned()),
        patience: Patience::default(),
        interrupt,
    };
    if let Some(done) = measure_all(&experiment, &plan, &runner, &mut folder)? {
        let (all, place) = (plan.trials.len(), folder.path().display());
        let but = if args.fresh { " without --fresh" } else { "" };
        crate::print(format_args!(
            "stopped after {done} of {all} trials, which are in {place}\nthe same command{but} goes on from there"
        ));
        return Ok(INTERRUPTED);
    }
    let path = folder.path().to_owned();
    conclude(&experiment, &folder)?;
    drop(folder);
    let failed = tell(&path)?;
    if let Some(page) = report(&path)? {
        crate::print(format_args!("report   {}", page.display()));
    }
    Ok(u8::from(failed))
}

/// The command line that serves and loads.
pub(crate) fn executable(given: Option<&Path>) -> Result<PathBuf, Failure> {
    given.map_or_else(
        || {
            std::env::current_exe()
                .map_err(|error| format!("cannot find this program: {error}").into())
        },
        |given| Ok(given.to_owned()),
    )
}

fn hash(text: &str, configs: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new_with_prefix(text);
    for config in configs.values() {
        digest.update(config);
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A folder that is not there yet: two runs may begin in the same second.
fn unused(path: &Path) -> PathBuf {
    let numbered = |number: u32| match number {
        1 => path.to_owned(),
        _ => PathBuf::from(format!("{}-{number}", path.display())),
    };
    (1..)
        .map(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| path.to_owned())
}

fn make_files(plan: &Plan) -> Result<Vec<FileSet>, Failure> {
    let mut presets: Vec<_> = plan.cells.iter().map(|cell| cell.files).collect();
    presets.sort_by_key(ToString::to_string);
    presets.dedup();
    let mut sets = Vec::new();
    for preset in presets {
        let set = preset.file_set(1);
        files::make(&set, &set.cache_dir()?)?;
        sets.push(set);
    }
    Ok(sets)
}

fn manifest(
    args: &Args,
    experiment: &Experiment,
    text: String,
    plan: &Plan,
    memory: &Support,
    archbench: &Path,
    sets: &[FileSet],
) -> Manifest {
    let configs = external::texts(&plan.externals);
    let now = SystemTime::now();
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let home = sets
        .first()
        .and_then(|set| set.cache_dir().ok())
        .unwrap_or_default();
    let mut notices = plan.notices.clone();
    if let Support::None(why) = memory
        && plan.cells.iter().any(|cell| cell.memory_limit.is_some())
    {
        notices.push(format!("memory is not limited as asked: {why}"));
    }
    Manifest {
        schema: SCHEMA.into(),
        name: experiment.name.clone(),
        question: experiment.question.clone(),
        reasoning: experiment.reasoning.clone(),
        expect: experiment
            .expect
            .iter()
            .map(|expect| results::Expectation {
                text: expect.text.clone(),
                ratio: expect.ratio.0.text.clone(),
                unknown: Unknown::new(),
            })
            .collect(),
        slo: experiment.slo.iter().map(|slo| slo.0.to_string()).collect(),
        experiment_hash: hash(&text, &configs),
        experiment: text,
        experiment_path: args.config.display().to_string(),
        configs,
        factors: cells::factors(&plan.cells),
        cells: plan.cells.len(),
        repeats: experiment.repeats,
        seed: experiment.seed,
        duration_s: experiment.duration.0.as_secs_f64(),
        warm_up_s: experiment.warm_up.0.as_secs_f64(),
        started: results::rfc3339_utc(now),
        started_unix_s: since.as_secs_f64(),
        command: [
            "archbench".to_owned(),
            "run".to_owned(),
            args.config.display().to_string(),
        ]
        .into(),
        revision: machine::revision(&args.config),
        versions: versions(archbench, plan),
        machine: machine::machine(&plan.cores, memory, &home),
        notices,
        unknown: Unknown::new(),
    }
}

/// Of what serves and loads. Two builds of one version are told apart by the file.
fn versions(archbench: &Path, plan: &Plan) -> BTreeMap<String, String> {
    let ours = models::version(archbench).map(|version| {
        let build = archbench.metadata().ok().and_then(|file| {
            let built = results::rfc3339_utc(file.modified().ok()?);
            Some(format!(" ({} bytes of {built})", file.len()))
        });
        ("archbench".to_owned(), version + &build.unwrap_or_default())
    });
    let version = |external: &Arc<External>| Some((external.label.clone(), external.version()?));
    let theirs = plan.externals.iter().filter_map(version);
    ours.into_iter().chain(theirs).collect()
}

/// Does the trials that are still to be done; gives how many are done when it was stopped.
fn measure_all(
    experiment: &Experiment,
    plan: &Plan,
    runner: &ProcessRunner,
    folder: &mut Folder,
) -> Result<Option<usize>, Failure> {
    let mut progress = Progress::new(plan.trials.len(), plan.duration(experiment, 1));
    for notice in &folder.manifest().notices {
        progress.say(&format!("notice: {notice}"));
    }
    let factors = folder.manifest().factors.clone();
    let shown: Vec<_> = factors
        .iter()
        .filter(|factor| factor.name != "files")
        .collect();
    for trial in &plan.trials {
        for attempt in 1..=experiment.attempts {
            let trial = plan::PlannedTrial { attempt, ..*trial };
            let id = trial.id();
            if !folder.has(&id) {
                let Some((record, hlog)) =
                    measure(experiment, plan, runner, &trial, &shown, &mut progress)
                else {
                    progress.finish();
                    return Ok(Some(trial.order - 1));
                };
                keep_traces(&record, runner, folder)?;
                folder.append(record, hlog.as_deref())?;
            }
            // A server that fails is a finding; only what the generator spoiled is made again.
            let spoiled = |one: &Trial| one.id == id && one.verdict == Validity::Invalid;
            if !folder.trials().iter().any(spoiled) {
                break;
            }
        }
    }
    progress.finish();
    Ok(None)
}

/// Puts the packets that were captured beside the trial.
fn keep_traces(trial: &Trial, runner: &ProcessRunner, folder: &Folder) -> Result<(), Failure> {
    for wire in &trial.wire {
        let (Some(scratch), Some(name)) = (&runner.scratch, &wire.trace) else {
            continue;
        };
        let path = scratch.join(trace_name("trial", &wire.at));
        let bytes = std::fs::read(&path)
            .map_err(|error| format!("cannot read the packets in {}: {error}", path.display()))?;
        folder.attach(name, &bytes)?;
        // Nothing hangs on it once it has been kept.
        let _ = std::fs::remove_file(&path);
    }
    Ok(())
}

/// Does one trial; `None` when it was stopped.
fn measure(
    experiment: &Experiment,
    plan: &Plan,
    runner: &ProcessRunner,
    trial: &plan::PlannedTrial,
    shown: &[&results::Factor],
    progress: &mut Progress,
) -> Option<(Trial, Option<Vec<u8>>)> {
    let cell = &plan.cells[trial.cell];
    let again = match trial.attempt {
        1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    let what = format!(
        "{} repeat {}{again}",
        label(&cell.factors, shown),
        trial.repeat
    );
    progress.begins(trial.order, &what);
    let job = Job {
        cell,
        // The same for every cell of a block, so that they are asked the same.
        seed: experiment.seed.wrapping_add(trial.repeat as u64),
        warm_up: experiment.warm_up.0,
        duration: experiment.duration.0,
        timeout: experiment.timeout.0,
        cache: experiment.cache,
        wire: experiment.wire,
    };
    let measured = runner.measure(&job);
    if runner.interrupt.came() {
        return None;
    }
    let elapsed = Duration::from_secs_f64(measured.elapsed_s);
    let (record, hlog) = measured.into_trial(trial, cell, experiment.cache);
    let trouble = record.verdict >= Validity::Invalid;
    progress.ends(&what, &outcome(&record), trouble, elapsed);
    Some((record, hlog))
}

/// A trial in a line.
pub(crate) fn outcome(trial: &Trial) -> String {
    if let Some(failure) = &trial.failure {
        return format!("FAILED {}: {}", failure.step, failure.reason);
    }
    let figures = ["throughput", "p50", "p99"].iter().filter_map(|name| {
        let figure: results::Figure = name.parse().ok()?;
        Some(format!("{name} {}", show(figure, figure.of(trial)?)))
    });
    let mut words = vec![trial.verdict.to_string()];
    words.extend(figures);
    let line = words.join("  ");
    match (trial.verdict, trial.reasons.first()) {
        (Validity::Valid, _) | (_, None) => line,
        (_, Some(reason)) => format!("{line}  ({reason})"),
    }
}

fn conclude(experiment: &Experiment, folder: &Folder) -> Result<(), Failure> {
    let run = results::read(folder.path())?;
    let objectives: Vec<_> = experiment.slo.iter().map(|slo| slo.0.clone()).collect();
    Ok(folder.conclude(&Verdicts {
        schema: SCHEMA.into(),
        expectations: judge::expectations(&run, &experiment.expect),
        slo: slo::matrix(&run, &objectives),
        unknown: Unknown::new(),
    })?)
}

/// Prints what came out; whether no trial at all has figures.
fn tell(path: &Path) -> Result<bool, Failure> {
    let run = results::read(path)?;
    let manifest = &run.manifest;
    crate::print(format_args!("{}: {}\n", manifest.name, manifest.question));
    crate::print(summary(&run));
    crate::print("");
    let Some(verdicts) = &run.verdicts else {
        return Ok(false);
    };
    if !verdicts.slo.is_empty() {
        crate::print(slo::text(&run, &verdicts.slo, manifest.slo.len()));
        crate::print("");
    }
    for judged in &verdicts.expectations {
        crate::print(describe(judged));
    }
    let bad = run.trials.iter().filter(|trial| !trial.counts()).count();
    if bad > 0 {
        crate::print(format_args!(
            "{bad} of {} trials do not count; trials.csv says why",
            run.trials.len()
        ));
    }
    for notice in &manifest.notices {
        crate::print(format_args!("notice: {notice}"));
    }
    crate::print(format_args!("results  {}", path.display()));
    Ok(run
        .trials
        .iter()
        .all(|trial| trial.verdict == Validity::Failed))
}

fn describe(judged: &results::Judged) -> String {
    let figures = match (judged.estimate, judged.low, judged.high) {
        (Some(estimate), Some(low), Some(high)) => {
            format!(" is {estimate:.3} [{low:.3}, {high:.3}]")
        }
        (Some(estimate), ..) => format!(" is {estimate:.3}"),
        _ => String::new(),
    };
    let note = judged
        .note
        .as_ref()
        .map_or(String::new(), |note| format!("  ({note})"));
    format!(
        "{:<9} {}\n          {}{figures}{note}",
        judged.outcome, judged.text, judged.ratio
    )
}

/// How long a plan takes, for people.
pub fn estimate(plan: &Plan, experiment: &Experiment) -> String {
    minutes(plan.duration(experiment, plan.trials.len()))
}
