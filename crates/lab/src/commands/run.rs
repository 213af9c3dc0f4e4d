//! `archbench run`: an experiment, from its file to its verdicts.

pub mod measure;
mod resume;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use command::interrupt::{self, Interrupt};
use command::output::{self, Format};
use contracts::{Document, Unknown};
use results::{Folder, Manifest, Run, SCHEMA, Trial, Validity};
use sha2::{Digest, Sha256};
use sys::process::INTERRUPTED;
use workload::FileSet;

use crate::analysis::summary::summary;
use crate::commands::slo;
use crate::plan::{Plan, cells, models};
use crate::spec::external::{self, External};
use crate::spec::{Experiment, HostOptions};
use crate::trial::launched::Places;
use crate::trial::machine;
use crate::trial::memory::Support;
use crate::trial::{Patience, ProcessRunner, hosts};
use crate::{Failure, Status, files};

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
  archbench run bench-configs/quick.toml --server-launch 'ssh a' --server-address 10.0.0.5

Exit status: 0 done, whatever came out; 1 failed, or each of its trials did; 2 wrong usage; 130 stopped by Ctrl-C.")]
pub struct Args {
    /// The experiment; bench-configs/ has some
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Print what would be done, and how long it would take
    #[arg(long)]
    pub dry_run: bool,
    /// How that is printed
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        requires_if("json", "dry_run")
    )]
    pub output_format: Format,
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
    /// Where servers and generators run
    #[command(flatten)]
    pub hosts: HostOptions,
}

/// Runs it. `report` is called with the finished run and gives the last words on it, if there are any: the answer, and where the page is.
///
/// # Errors
/// When the experiment cannot be read or done at all. A trial that fails is a result, not an error.
pub fn run(
    args: Args,
    report: impl FnOnce(&Run) -> Result<Option<String>, Failure>,
) -> Result<Status, Failure> {
    let (experiment, text) = Experiment::read(&args.config)?;
    let experiment = experiment.on(&args.hosts, &args.config)?;
    let archbench = executable(args.archbench.as_deref())?;
    let plan = Plan::new(&experiment, &args.config, &archbench)?;
    if args.dry_run {
        match args.output_format {
            Format::Text => output::print(plan.describe(&experiment)),
            Format::Json => output::print_json(plan.document(&experiment).pretty()?),
        }
        return Ok(0);
    }
    let told = hosts::prepare(&plan.cells, experiment.wire, &archbench)?;
    // Ctrl-C may end this at once: what is made by then is not made again.
    interrupt::end_by_any()?;
    let sets = make_files(&plan)?;
    build(&plan)?;
    // Before any thread starts, so that all have the signals blocked.
    let interrupt = watch()?;
    let memory = Support::find();
    let mut manifest = manifest(&args, &experiment, text, &plan, &memory, &archbench, &sets);
    manifest.notices.extend(told);
    let places = Places::of(&experiment.hosts, &archbench);
    manifest.hosts = places.prepare(&sets, &interrupt)?;
    // As it is kept, for those that are kept to be held against it.
    let manifest = results::masked(manifest)?;
    let asked = resume::Asked {
        named: args.resume.as_deref(),
        fresh: args.fresh,
        results: &args.results,
    };
    let mut folder = match resume::find(&asked, &manifest, &plan)? {
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
        generator: plan.generator.clone(),
        cores: plan.cores.clone(),
        places,
        memory,
        scratch: Some(scratch.path().to_owned()),
        patience: Patience::default(),
        interrupt,
    };
    if let Some(done) = measure::measure_all(&experiment, &plan, &runner, &mut folder)? {
        let (all, place) = (plan.trials.len(), folder.run().path.display());
        let but = if args.fresh { " without --fresh" } else { "" };
        output::print(format_args!(
            "stopped after {done} of {all} trials, which are in {place}\nthe same command{but} goes on from there"
        ));
        return Ok(INTERRUPTED);
    }
    let run = measure::conclude(&experiment, folder)?;
    tell(&run);
    if let Some(last) = report(&run)? {
        output::print(last);
    }
    let failed = |trial: &Trial| trial.verdict == Validity::Failed;
    Ok(u8::from(run.trials.iter().all(failed)))
}

/// Makes the servers that are made from source.
fn build(plan: &Plan) -> Result<(), Failure> {
    for external in plan.externals.iter().filter(|one| one.is_built()) {
        output::complain(format_args!("building {}", external.label));
        external.build()?;
    }
    Ok(())
}

/// Watches for Ctrl-C.
pub(crate) fn watch() -> Result<Interrupt, Failure> {
    Interrupt::watch().map_err(|error| format!("cannot watch for Ctrl-C: {error}").into())
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
        expect: experiment.expectations(),
        slo: experiment.objectives(),
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
        .into_iter()
        .chain(args.hosts.words())
        .collect(),
        revision: machine::revision(&args.config),
        versions: versions(archbench, plan),
        machine: machine::machine(&plan.cores, memory, &home),
        hosts: Vec::new(),
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

/// Prints what came out.
pub fn tell(run: &Run) {
    let manifest = &run.manifest;
    output::print(format_args!("{}: {}\n", manifest.name, manifest.question));
    output::print(summary(run));
    output::print("");
    let Some(verdicts) = &run.verdicts else {
        return;
    };
    if !verdicts.slo.is_empty() {
        output::print(slo::text(run, &verdicts.slo, manifest.slo.len()));
        output::print("");
    }
    for judged in &verdicts.expectations {
        output::print(describe(judged));
    }
    let bad = run.trials.iter().filter(|trial| !trial.counts()).count();
    if bad > 0 {
        output::print(format_args!(
            "{bad} of {} trials do not count; trials.csv says why",
            run.trials.len()
        ));
    }
    for notice in &manifest.notices {
        output::print(format_args!("notice: {notice}"));
    }
    output::print(format_args!("results  {}", run.path.display()));
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
