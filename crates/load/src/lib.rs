//! The load generator: right first, and fast too.
//!
//! Four time stamps decide everything: when a request was *intended*, when a connection was free for it, when it was written, when its
//! last byte came. They are taken as the crate's modules meet them, from the top:
//!
//! | module | what it answers |
//! | --- | --- |
//! | [`cli`], [`prepare`](mod@prepare) | what was typed, and the run it means |
//! | [`run`](mod@run) | a run as values |
//! | [`measure`](mod@measure) | threads begin together, and their records are put together |
//! | [`share`], [`start`] | which part of a run of several processes this is, and when all begin |
//! | [`schedule`] | who is due, and when: pure, on any clock |
//! | `engine`, `timer` | the loop of a thread: sends what is due, reads what comes |
//! | `idle` | connections that never ask |
//! | [`address`], [`url`], [`target`], [`mix`], [`statuses`], [`verify`] | what is asked for, in which ways, and whether it was what came |
//! | [`record`], [`metric`], [`batches`], [`failure`] | what is kept of requests: histograms, means of stretches, counts |
//! | [`collect`] | the series by the second |
//! | [`fidelity`], [`verdict`] | whether the run may be believed |
//! | [`mod@precision`] | how well its figures are known, and whether that is enough |
//! | [`slo`] | whether what was to be met was met |
//! | [`asked`], [`report`], [`output`] | how it is told, and where to |
//! | `parts`, [`merge`](mod@merge) | what each of several processes writes, and one run out of it |
//! | `progress`, `tui` | what is to be seen meanwhile |
//! | [`clock`], `cpu`, [`host`] | time, processor time, and the machine |

pub mod address;
pub mod asked;
pub mod batches;
pub mod cli;
pub mod clock;
pub mod collect;
mod cpu;
mod engine;
pub mod failure;
pub mod fidelity;
pub mod host;
mod idle;
pub mod measure;
pub mod metric;
pub mod mix;
pub mod output;
mod parts;
pub mod precision;
pub mod prepare;
mod progress;
pub mod record;
pub mod report;
pub mod run;
pub mod schedule;
pub mod security;
pub mod share;
pub mod slo;
pub mod start;
pub mod statuses;
pub mod target;
mod timer;
mod tui;
pub mod url;
pub mod verdict;
pub mod verify;

pub use cli::Arguments;

use command::output::complain;
use command::{interrupt, secret};
use measure::measure;
use output::{Format, Outputs, render};
use parts::log::{Known, PartLog};
pub use parts::merge;
use prepare::{Prepared, prepare};
use progress::{View, Watch};
use report::Report;
use report::histograms::Log;
use run::Control;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::SystemTime;

/// Something failed; the text says what, on what, and what to do.
pub type Failure = Box<dyn std::error::Error>;

pub(crate) use command::usage;

/// The whole of `archbench load`, `typed` being what the arguments were read from. Gives the exit status: 0 fine, 3 an objective missed,
/// 4 INVALID. INVALID outranks a missed objective: what is not to be believed was not missed either.
///
/// # Errors
/// When there are no figures: what was typed makes no sense (a [`clap::Error`]), a file cannot be read or written, no connection can be made.
pub fn run(arguments: &Arguments, typed: &[OsString]) -> Result<u8, Failure> {
    let Prepared {
        run,
        slos,
        title,
        remarks,
        whole,
        run_id,
    } = prepare(arguments)?;
    let outputs = Outputs::of(arguments)?;
    for remark in remarks.iter().filter(|_| !arguments.quiet) {
        complain(format_args!("note: {remark}"));
    }
    let format = arguments.output_format;
    let part = match run_id {
        Some(run_id) if arguments.several.out_dir.is_some() || format == Format::Lines => {
            let known = Known {
                run: &run,
                whole,
                run_id,
                slos: slos.iter().map(ToString::to_string).collect(),
            };
            Some(PartLog::begin(known, arguments.several.out_dir.as_deref())?)
        }
        _ => None,
    };
    let (run, control) = (Arc::new(run), Arc::new(Control::default()));
    let is_over = Arc::new(AtomicBool::new(false));
    watch_for_interrupts(control.clone(), is_over.clone())?;
    let started = SystemTime::now();
    let mut watch = Watch {
        view: View::new(arguments.quiet, arguments.no_tui, &run, &title, &control),
        log: (format == Format::Hlog || arguments.hlog.is_some())
            .then(|| Log::new(run.is_closed_loop(), run.warmup)),
        part,
        must_hold: if arguments.slo_abort {
            slos.clone()
        } else {
            Vec::new()
        },
        run: &run,
        control: &control,
        precision: precision::Watch::of(&run),
        ended: None,
        done: 0,
    };
    let outcome = measure(run.clone(), &control, &mut watch);
    let (mut log, part, ended) = (watch.log.take(), watch.part.take(), watch.ended.take());
    // Gives the terminal back before anything is written to it.
    drop(watch);
    is_over.store(true, Relaxed);
    let outcome = outcome?;
    let kept = typed.iter().map(|typed| kept(typed)).collect();
    let mut report = Report::new(&run, &outcome, &slos, kept, title, started);
    report.notes.extend(ended);
    if let Some(log) = &mut log {
        log.judge(report.level(), &report.findings);
    }
    let log = log.as_ref().map(Log::text);
    if let Some(part) = part {
        outputs.write_log(log)?;
        return end_part(part, &report, arguments, &outputs);
    }
    outputs.write(&render(&report, format, log)?, log)?;
    let shown = format == Format::Text && outputs.report_is_shown();
    if !(shown || arguments.quiet && report.exit_status() == 0) {
        tell_verdict(&report);
    }
    Ok(report.exit_status())
}

/// Ends one part of a run; the last one reports the whole. What is thought of a run is thought of all its parts together, so that the
/// others end well whatever their own figures are: there are launchers that end all processes when one of them fails.
fn end_part(
    part: PartLog,
    report: &Report<'_>,
    arguments: &Arguments,
    outputs: &Outputs<'_>,
) -> Result<u8, Failure> {
    let (name, of) = part.name();
    part.end(report)?;
    let Some(directory) = &arguments.several.out_dir else {
        return Ok(0);
    };
    let format = arguments.output_format;
    let whole = (name.as_str(), of);
    let status = merge::if_all_ended(directory, whole, format, outputs, arguments.quiet)?;
    Ok(status.unwrap_or(0))
}

/// Has Ctrl-C and SIGTERM end the run early, and once it is over the process: the report may take a moment.
fn watch_for_interrupts(control: Arc<Control>, is_over: Arc<AtomicBool>) -> Result<(), Failure> {
    let comes = move || match is_over.load(Relaxed) {
        false => control.stop(),
        true => interrupt::end_at_once(),
    };
    interrupt::each(comes).map_err(|error| format!("cannot watch for Ctrl-C: {error}").into())
}

/// What was typed, as it may be kept with the figures.
fn kept(typed: &OsStr) -> String {
    secret::masked(&typed.to_string_lossy()).into_owned()
}

/// Where the report says nothing of it, or nobody reads it now, the verdict goes to standard error.
pub(crate) fn tell_verdict(report: &Report<'_>) {
    complain(report.level());
    for finding in &report.findings {
        complain(format_args!("  {}: {}", finding.level, finding.text));
    }
    for slo in report.slos.iter().filter(|slo| !slo.met) {
        complain(format_args!("  missed: {}", slo.slo));
    }
}
