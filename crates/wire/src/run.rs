//! The command: a capture from its begin to its summary.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use command::interrupt::Interrupt;
use command::output::{Format, complain, print, print_json};
use contracts::Line;
use sys::usage::{Who, usage};

use crate::capture::{Capture, Request};
use crate::cli::Arguments;
use crate::summary::{Circumstances, summary};
use crate::trace::Trace;
use crate::{Error, output};

/// How long packets are waited for before it is looked whether a signal has come.
const GLANCE: Duration = Duration::from_millis(50);

/// Captures until it is told to end, and says what it saw: `archbench wire`.
///
/// Call it while this process has but one thread, since signals are to be taken by waiting for them.
pub fn run(arguments: &Arguments) -> ExitCode {
    match capture(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn capture(arguments: &Arguments) -> Result<(), Error> {
    let interrupt = Interrupt::watch().map_err(Error::own("watch for Ctrl-C"))?;
    let mut capture = Capture::begin(&Request {
        interface: arguments.interface.clone(),
        port: arguments.port,
        view: arguments.view.of_ring(),
        kept_bytes: arguments.snap,
        ring_bytes: arguments.ring,
        warm_up: arguments.warmup,
    })?;
    if let Some(path) = &arguments.output {
        let (interface, link) = (&arguments.interface, capture.link());
        let trace = Trace::create(path, interface, link, arguments.snap, arguments.most);
        capture.keep(trace.map_err(|error| lost(arguments, error))?);
    }
    match arguments.output_format {
        Format::Text => print(output::ready_text(arguments)),
        Format::Json => print_json(output::ready(arguments).line().map_err(no_json)?),
    }
    let began = Instant::now();
    while arguments
        .duration
        .is_none_or(|duration| began.elapsed() < duration)
    {
        let left = arguments
            .duration
            .map(|duration| duration.saturating_sub(began.elapsed()));
        let wait = left.map_or(GLANCE, |left| left.min(GLANCE));
        capture.turn(wait).map_err(|error| lost(arguments, error))?;
        if interrupt.came() {
            break;
        }
    }
    let end = capture.end().map_err(|error| lost(arguments, error))?;
    let used = usage(Who::Process).map_err(Error::own("tell the processor time"))?;
    let around = Circumstances {
        interface: &arguments.interface,
        view: arguments.view.name(),
        port: arguments.port,
        statistics: end.statistics,
        left_out_of_file: end.left_out_of_file,
        cpu: used.user + used.system,
    };
    let summary = summary(&end.tally, &end.counts, &around);
    match arguments.output_format {
        Format::Text => print(output::summary_text(&summary)),
        Format::Json => print_json(summary.line().map_err(no_json)?),
    }
    Ok(())
}

/// Of the two that can fail while packets come, the file is the likely one.
fn lost(arguments: &Arguments, source: std::io::Error) -> Error {
    match &arguments.output {
        Some(path) => Error::Trace {
            path: path.clone(),
            source,
        },
        None => Error::own("read packets")(source),
    }
}

/// What a line that cannot be JSON stands for.
fn no_json(error: serde_json::Error) -> Error {
    Error::own("print JSON")(error.into())
}
