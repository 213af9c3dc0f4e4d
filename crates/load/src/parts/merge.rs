//! `archbench merge`: one run out of what its parts have written.

use super::find::{self, Found, Reader, cannot_read};
use super::fold::{Fold, NotAdded};
use super::judge;
use crate::output::{Format, Outputs, render};
use crate::report::Report;
use crate::report::histograms::Log;
use crate::slo::Slo;
use crate::{Failure, tell_verdict};
use command::output::{cannot_write, complain};
use command::quantity::counted;
use contracts::load::{Finding, PartStart};
use contracts::part::PartLine;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Make one run out of what its processes have written, each a part of it (archbench load --share).
///
/// Nothing is lost: times are added up one by one, never percentiles, and the report is that of one process that had sent all
/// requests. Parts that are missing, cut short, late, or were asked for something else are named, and the verdict says so.
#[derive(clap::Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Files of parts, or directories with some (--out-dir); - is standard input, with lines of all parts as a launcher gathers them
    /// (--output-format lines), and whatever it puts before each
    #[arg(value_name = "PART", required = true)]
    pub parts: Vec<PathBuf>,

    /// Which run, if parts of several are there; the one that was begun last if nothing is said
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,

    /// What must be met, beside what the parts were told, else the exit status is 3; repeatable
    #[arg(long, value_name = "SLO")]
    pub slo: Vec<Slo>,

    /// The format of the report; json if nothing is said and it goes to a file called .json, else text
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub output_format: Option<Format>,

    /// Write the report to a file, in one piece, rather than to standard output, which is also -
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Write the histogram log to a file too
    #[arg(long, value_name = "FILE")]
    pub hlog: Option<PathBuf>,

    /// Show no remarks: nothing but the report and, where that does not say so itself, what is wrong with it
    #[arg(long)]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Verdict and exit status are those of archbench load. Beside what speaks against any run, it is
  INVALID           a part is missing, was killed or ended early, or differs from the first in seed, build, target or load; it began later or
                    earlier than was agreed by more than a hundredth of the run; it was itself INVALID for what the generator did
  SUSPECT           a part began more than 50 ms off the agreed time, or is there twice; nobody keeps the clocks right of several hosts

Examples:
  archbench merge out/                                     the run in that directory that was begun last
  archbench merge out/ -o run.json --hlog run.hlog
  srun -n 4 archbench load --share auto --output-format lines … | archbench merge -";

/// The whole of the command. Gives the exit status, as `archbench load` does.
///
/// # Errors
/// When there are no figures: nothing of a run was found, a file cannot be read or written.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let output = arguments.output.as_deref();
    let is_json = output.is_some_and(|path| path.extension().is_some_and(|name| name == "json"));
    let format = match arguments.output_format {
        Some(format) => format,
        None if is_json => Format::Json,
        None => Format::Text,
    };
    let inputs = arguments.parts.iter();
    let inputs = inputs.map(|path| ("PART", path.as_path()));
    let outputs = Outputs::new(output, arguments.hlog.as_deref(), inputs)?;
    let has_log = format == Format::Hlog || arguments.hlog.is_some();
    let merged = merge(&arguments.parts, arguments.run_id.as_deref(), has_log)?;
    for remark in merged.remarks.iter().filter(|_| !arguments.quiet) {
        complain(format_args!("note: {remark}"));
    }
    merged.tell(&arguments.slo, format, &outputs, arguments.quiet)
}

/// What the last part to end does for a run whose parts are all in `directory`: one of them, and none before all have ended. Gives the exit
/// status, or nothing where somebody else is to do it.
///
/// # Errors
/// As [`run`].
pub(crate) fn if_all_ended(
    directory: &Path,
    (run_id, parts): (&str, u32),
    format: Format,
    outputs: &Outputs<'_>,
    quiet: bool,
) -> Result<Option<u8>, Failure> {
    let paths: Vec<_> = (1..=parts)
        .map(|part| super::log::path(directory, run_id, part, parts))
        .collect();
    if !paths.iter().all(|path| path.exists()) {
        return Ok(None);
    }
    // Two that end at once may both see all: who makes this file makes the report.
    let whole = directory.join(format!("{run_id}.json"));
    match File::create_new(&whole) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(cannot_write(&whole, &error).into()),
        Ok(_) => {}
    }
    let kept = merge(&paths, Some(run_id), true).and_then(|merged| {
        let kept = Outputs::new(Some(&whole), None, std::iter::empty())?;
        merged.tell(&[], Format::Json, &kept, true)?;
        Ok(merged)
    });
    if kept.is_err() {
        // An empty file would be taken for a report.
        let _ = fs::remove_file(&whole);
    }
    kept?.tell(&[], format, outputs, quiet).map(Some)
}

/// A run that was put together.
struct Merged {
    whole: super::fold::Whole,
    findings: Vec<Finding>,
    /// What parts said against themselves.
    own_findings: Vec<Finding>,
    slos: Vec<Slo>,
    title: String,
    host: contracts::load::Host,
    log: Option<Log>,
    remarks: Vec<String>,
}

impl Merged {
    /// What is to be said of it.
    fn report(&self, slos: &[Slo]) -> Report<'_> {
        let whole = &self.whole;
        let slos: Vec<_> = self.slos.iter().chain(slos).cloned().collect();
        let mut report = Report::of(whole.asked.clone(), &whole.outcome, &slos);
        report.title.clone_from(&self.title);
        report.arguments.clone_from(&whole.arguments);
        report.host.clone_from(&self.host);
        report.parts.clone_from(&whole.parts);
        report.started = started(whole.parts.iter().filter_map(|part| part.start.as_ref()));
        report.findings.extend(self.findings.iter().cloned());
        // What is true of the whole is not said again of each part.
        let is_new = |own: &&Finding| {
            let same = |found: &Finding| found.rule == own.rule && found.level >= own.level;
            !report.findings.iter().any(same)
        };
        let own: Vec<_> = self.own_findings.iter().filter(is_new).cloned().collect();
        report.findings.extend(own);
        report
            .findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.level));
        report
    }

    /// Says it.
    fn tell(
        &self,
        slos: &[Slo],
        format: Format,
        outputs: &Outputs<'_>,
        quiet: bool,
    ) -> Result<u8, Failure> {
        let report = self.report(slos);
        let log = self.log.as_ref().map(Log::text);
        outputs.write(&render(&report, format, log)?, log)?;
        let shown = format == Format::Text && outputs.report_is_shown();
        if !(shown || quiet && report.exit_status() == 0) {
            tell_verdict(&report);
        }
        Ok(report.exit_status())
    }
}

/// When the first part began.
fn started<'a>(starts: impl Iterator<Item = &'a PartStart>) -> SystemTime {
    let first = starts
        .map(|start| start.began_unix_s)
        .min_by(f64::total_cmp);
    let since = first.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    SystemTime::UNIX_EPOCH + since.unwrap_or_default()
}

/// Puts together what parts have written.
fn merge(inputs: &[PathBuf], run_id: Option<&str>, has_log: bool) -> Result<Merged, Failure> {
    let (piped, named): (Vec<_>, Vec<_>) = inputs
        .iter()
        .cloned()
        .partition(|path| command::is_standard(path));
    let Found {
        files,
        run_id: found,
        others,
    } = find::find(&named, run_id)?;
    let mut merging = Merging {
        run_id: found,
        has_log,
        ..Merging::default()
    };
    for path in &files {
        let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
        merging.read(file, path)?;
    }
    if !piped.is_empty() {
        merging.read(std::io::stdin().lock(), Path::new("standard input"))?;
    }
    let others = others
        .into_iter()
        .map(|(name, count)| format!("{} of {name} left out", counted(count as u64, "file")));
    merging.finish(others.collect(), inputs)
}

/// What is known while parts are read.
#[derive(Default)]
struct Merging {
    run_id: Option<String>,
    has_log: bool,
    reader: Reader,
    fold: Option<Fold>,
    repeated: BTreeSet<u32>,
    /// Lines that are of other runs.
    of_others: u64,
}

impl Merging {
    /// Reads all lines, of which some may be somebody else's, or broken; those that are missing are missed by their numbers.
    fn read(&mut self, from: impl Read, path: &Path) -> Result<(), Failure> {
        let mut from = BufReader::with_capacity(1 << 16, from);
        let mut line = Vec::new();
        let mut number = 0_u64;
        loop {
            line.clear();
            number += 1;
            match from.read_until(b'\n', &mut line) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(cannot_read(path, &error)),
            }
            if let Some(line) = self.reader.read(&line) {
                self.add(line).map_err(|()| {
                    format!(
                        "line {number} of {} says what is not known here: it is of another version of archbench",
                        path.display()
                    )
                })?;
            }
        }
    }

    fn add(&mut self, line: PartLine) -> Result<(), ()> {
        let run_id = self.run_id.get_or_insert_with(|| line.run_id.clone());
        if *run_id != line.run_id {
            self.of_others += 1;
            return Ok(());
        }
        let fold = match (&mut self.fold, &line.asked) {
            (Some(fold), _) => fold,
            (none, Some(asked)) => {
                none.insert(Fold::new((**asked).clone(), line.parts, self.has_log))
            }
            // What this is of is not known; it will be missed by its number.
            (None, None) => return Ok(()),
        };
        let part = line.part;
        match fold.add(line) {
            Ok(()) => Ok(()),
            Err(NotAdded::Repeated) => {
                self.repeated.insert(part);
                Ok(())
            }
            Err(NotAdded::Unknown) => Err(()),
        }
    }

    fn finish(self, mut remarks: Vec<String>, inputs: &[PathBuf]) -> Result<Merged, Failure> {
        let Some(fold) = self.fold else {
            let places: Vec<_> = inputs
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            let run = self
                .run_id
                .map_or(String::new(), |id| format!(" of run {id}"));
            let said = remarks.iter().map(|remark| format!("; {remark}"));
            return Err(format!(
                "nothing{run} was found in {}: name the files that archbench load --out-dir wrote, or their directory{}",
                places.join(", "),
                said.collect::<String>()
            )
            .into());
        };
        if self.of_others > 0 {
            let lines = counted(self.of_others, "line");
            remarks.push(format!("{lines} of other runs left out"));
        }
        if self.reader.spoilt() > 0 {
            let pieces = counted(self.reader.spoilt(), "piece");
            remarks.push(format!(
                "{pieces} of lines left out that a launcher had cut or mixed; the verdict names the parts that lost lines by that"
            ));
        }
        let asked = fold.asked.clone();
        let slos = asked.slo.iter().map(|text| text.parse::<Slo>());
        let slos = slos.collect::<Result<Vec<_>, _>>()?;
        let closed_loop = asked.run.model.name == Some(contracts::load::Loop::Closed);
        let warmup = Duration::try_from_secs_f64(asked.run.warmup_s.unwrap_or(0.0));
        let mut log = self
            .has_log
            .then(|| Log::new(closed_loop, crate::clock::nanos(warmup.unwrap_or_default())));
        let window = fold.window();
        let findings = judge::findings(&fold, window, &self.repeated);
        let own_findings = judge::own(&fold);
        let of = fold.of;
        let mut merged = Merged {
            whole: fold.finish(log.as_mut())?,
            findings,
            own_findings,
            slos,
            title: format!(
                "{}, in {}",
                asked.run.title.unwrap_or_default(),
                counted(of.into(), "part")
            ),
            host: asked.host,
            log: None,
            remarks,
        };
        if let Some(log) = &mut log {
            let report = merged.report(&[]);
            log.judge(report.level(), &report.findings);
        }
        merged.log = log;
        Ok(merged)
    }
}
