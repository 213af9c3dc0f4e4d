//! Writes what one part of a run measures, as it goes.

use super::{pieces, second};
use crate::Failure;
use crate::collect::CollectedSecond;
use crate::host;
use crate::measure::Outcome;
use crate::record::Record;
use crate::report::{Report, json};
use crate::run::Run;
use crate::start::Began;
use command::output::cannot_write;
use contracts::part::{PartAsked, PartEnded, PartLine};
use contracts::{Unknown, load};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the file of a part is called that has come to its end …
pub(super) const ENDED: &str = "part";
/// … and of one that has not, or never will.
pub(super) const RUNNING: &str = "running";
/// Choices of what is asked for that are looked at to tell one order from another.
const CHOICES: u64 = 1000;

/// The lines of one part of a run, which go to a file or to standard output.
pub(crate) struct PartLog {
    /// What every line says.
    line: PartLine,
    /// The file, and what it is called in the end; none: standard output.
    file: Option<(File, PathBuf)>,
    /// What first went wrong in writing.
    failed: Option<io::Error>,
}

/// What of a part is known before it begins.
pub(crate) struct Known<'a> {
    pub(crate) run: &'a Run,
    /// What is asked of all parts together.
    pub(crate) whole: load::Run,
    pub(crate) run_id: String,
    pub(crate) slos: Vec<String>,
}

impl PartLog {
    /// A log in a directory, which is made if need be, or on standard output.
    ///
    /// # Errors
    /// When nothing can be written there, or this part of this run was begun before.
    pub(crate) fn begin(known: Known<'_>, directory: Option<&Path>) -> Result<Self, Failure> {
        let (part, parts) = known
            .run
            .part
            .map_or((1, 1), |part| (part.share.number + 1, part.share.of));
        let file = directory
            .map(|directory| create(directory, &known.run_id, (part, parts)))
            .transpose()?;
        let mut log = Self {
            line: PartLine {
                schema: PartLine::SCHEMA.to_owned(),
                run_id: known.run_id,
                part,
                parts,
                ..PartLine::default()
            },
            file,
            failed: None,
        };
        let asked = PartAsked {
            run: known.whole,
            targets_digest: digest_of_targets(known.run),
            build: digest_of_program().unwrap_or_default(),
            slo: known.slos,
            host: host::here(),
            written_unix_s: unix(SystemTime::now()).as_secs_f64(),
            unknown: Unknown::new(),
        };
        log.put(|line| line.asked = Some(Box::new(asked)));
        Ok(log)
    }

    /// What the run is called, and how many parts it has.
    pub(crate) fn name(&self) -> (String, u32) {
        (self.line.run_id.clone(), self.line.parts)
    }

    /// It has begun.
    pub(crate) fn began(&mut self, began: &Began) {
        self.put(|line| line.began = Some(Box::new(began.document())));
    }

    /// A second is over.
    pub(crate) fn second(&mut self, row: &CollectedSecond, record: &Record) {
        self.put(|line| line.second = Some(Box::new(second::written(row, record))));
    }

    /// The run is over.
    ///
    /// # Errors
    /// When not everything could be written.
    pub(crate) fn end(mut self, report: &Report<'_>) -> Result<(), Failure> {
        let ended = ended(report);
        self.put(|line| line.ended = Some(Box::new(ended)));
        let renamed = match (self.failed, &self.file) {
            (Some(error), _) => Err(error),
            (None, Some((_, path))) => fs::rename(running(path), path),
            (None, None) => Ok(()),
        };
        let whereto = self.file.map_or("standard output".to_owned(), |(_, path)| {
            path.display().to_string()
        });
        renamed.map_err(|error| {
            format!("cannot write what this part measured to {whereto}: {error}").into()
        })
    }

    fn put(&mut self, set: impl FnOnce(&mut PartLine)) {
        let mut line = self.line.clone();
        set(&mut line);
        self.line.line += 1;
        if self.failed.is_none() {
            self.failed = self.write(&line).err();
        }
    }

    fn write(&mut self, line: &PartLine) -> io::Result<()> {
        let mut json = serde_json::to_string(line)?;
        match &mut self.file {
            Some((file, _)) => {
                json.push('\n');
                file.write_all(json.as_bytes())
            }
            None => pieces::write(line, &json, &mut io::stdout().lock()),
        }
    }
}

/// The file of a part while it runs, and what it will be called.
fn create(
    directory: &Path,
    run_id: &str,
    (part, parts): (u32, u32),
) -> Result<(File, PathBuf), Failure> {
    let path = path(directory, run_id, part, parts);
    let cannot = |error: &io::Error| cannot_write(&path, error);
    fs::create_dir_all(directory).map_err(|error| cannot(&error))?;
    if path.exists() || running(&path).exists() {
        return Err(format!(
            "part {part} of {parts} of run {run_id} was begun before: there is {}. Say another --run-id",
            path.display()
        )
        .into());
    }
    let file = File::create_new(running(&path)).map_err(|error| cannot(&error))?;
    Ok((file, path))
}

/// Where a part lies that has come to its end.
pub(super) fn path(directory: &Path, run_id: &str, part: u32, parts: u32) -> PathBuf {
    let width = parts.to_string().len();
    directory.join(format!("{run_id}.{part:0width$}-of-{parts}.{ENDED}"))
}

fn running(path: &Path) -> PathBuf {
    path.with_extension(RUNNING)
}

fn ended(report: &Report<'_>) -> PartEnded {
    let outcome: &Outcome = report.outcome;
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let fidelity = outcome.fidelity.as_ref();
    let bins = fidelity.map(|fidelity| {
        let bins = fidelity.fit.bins();
        bins.map(|(bin, count)| (bin as u32, count)).collect()
    });
    let gaps = fidelity.map_or((0, 0), |fidelity| fidelity.spacing.counts());
    PartEnded {
        report: load::Report {
            series: Vec::new(),
            ..json::document(report)
        },
        window_ns: outcome.window,
        elapsed_ns: outcome.elapsed,
        last_answer_ns: outcome.last_answer,
        cpu_ns: [outcome.cpu.user, outcome.cpu.system, outcome.cpu.spun].map(nanos),
        answered_of: outcome.answered_of.clone(),
        gave_up: outcome.gave_up,
        gaps_by_bin: bins.unwrap_or_default(),
        gaps: [gaps.0, gaps.1],
        unknown: Unknown::new(),
    }
}

fn unix(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A digest of what is asked for, in order. The hash is the standard library's, which is the same in all processes of one build; those
/// of other builds are told apart before anybody compares it.
fn digest_of_targets(run: &Run) -> String {
    let mut hasher = DefaultHasher::new();
    for target in &run.targets.targets {
        hasher.write(&target.request);
    }
    for number in 0..CHOICES {
        hasher.write_usize(run.targets.order.at(number));
    }
    format!("{:016x}", hasher.finish())
}

/// A digest of the program that runs.
fn digest_of_program() -> io::Result<String> {
    let mut program = File::open("/proc/self/exe")?;
    let mut hasher = DefaultHasher::new();
    let mut bytes = vec![0; 1 << 20];
    loop {
        match program.read(&mut bytes)? {
            0 => return Ok(format!("{:016x}", hasher.finish())),
            read => hasher.write(&bytes[..read]),
        }
    }
}
