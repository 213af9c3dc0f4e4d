//! From what was typed to a run: every default, every file, every contradiction.

mod file;
mod model;
mod part;
mod targets;
mod title;

use crate::asked::Asked;
use crate::cli::Arguments;
use crate::clock::nanos;
use crate::precision::Wanted;
use crate::run::{Fault, Model, Run};
use crate::slo::Slo;
use crate::{Failure, usage};
use command::descriptors::Descriptors;
use command::quantity::counted;
use file::open;
use std::time::Duration;
use workload::trace::{self, AccessLog};
use workload::{Arrival, RateStages};

const DEFAULT_DURATION: Duration = Duration::from_secs(10);
/// The same of one that ends when it knows enough.
const LONGEST_DEFAULT: Duration = Duration::from_secs(120);
/// Descriptors for what is no connection.
const OTHER_DESCRIPTORS: u64 = 64;

/// A run that can be begun.
#[derive(Debug)]
pub struct Prepared {
    /// The run.
    pub run: Run,
    /// What it must meet.
    pub slos: Vec<Slo>,
    /// The run in words.
    pub title: String,
    /// What was changed in silence would be, if it were not said here.
    pub remarks: Vec<String>,
    /// What was asked for of all parts together.
    pub whole: contracts::load::Run,
    /// What the run is called by all its parts, if that is known.
    pub run_id: Option<String>,
}

/// Puts a run together.
///
/// # Errors
/// For the person who typed: what was typed makes no sense (a [`clap::Error`]), or a file or an address that it names cannot be had.
pub fn prepare(arguments: &Arguments) -> Result<Prepared, Failure> {
    let mut remarks = Vec::new();
    check_standard_input(arguments)?;
    let log = read_log(arguments)?;
    let (addresses, targets, security, what) =
        targets::targets(arguments, log.as_ref(), &mut remarks)?;
    let duration = duration(arguments);
    let (model, when) = model::model(arguments, log.as_ref(), duration)?;
    let slos = slos(arguments, &model)?;
    let closed_loop = matches!(model, Model::Closed);
    let clients = clients(arguments, closed_loop, &mut remarks)?;
    let max_connections = max_connections(arguments, clients, closed_loop)?;
    let told = part::told(arguments, &mut remarks)?;
    let of_part = |all| part::own(told.share, all).0;
    let threads = threads(arguments, of_part(clients), &mut remarks);
    let cores = cores(arguments)?;
    let idle = count(arguments.idle)?;
    let storm = count(arguments.storm)?;
    let connections = [max_connections, idle, storm].map(|all| of_part(all) as u64);
    raise_descriptor_limit(connections.into_iter().fold(0, u64::saturating_add))?;
    let mut run = Run {
        model,
        part: None,
        start_at: told.start_at,
        addresses,
        targets,
        clients,
        max_connections,
        idle,
        storm,
        threads,
        cores,
        http2: arguments.http2,
        depth: usize::from(match arguments.http2 {
            true => arguments.streams,
            false => arguments.pipeline,
        }),
        requests_per_connection: match arguments.no_keepalive {
            true => 1,
            false => arguments.requests_per_connection.unwrap_or(u64::MAX),
        },
        duration,
        requests: arguments.requests,
        precision: arguments
            .precision
            .map(|relative| Wanted::of(relative, &slos)),
        warmup: nanos(arguments.warmup),
        timeout: nanos(arguments.timeout),
        think: arguments.think,
        session_at_once: arguments.session_at_once,
        seed: arguments.seed,
        expect: arguments.expect.clone(),
        verify: arguments.verify,
        retry: !arguments.no_retry,
        most_spin: nanos(arguments.max_spin),
        security,
        fault: match arguments.several.inject_clock_ahead {
            Some(by) => Fault::ClockAhead { by },
            None => Fault::None,
        },
    };
    check_warmup(&run)?;
    if run.precision.is_some() && !Asked::of(&run).has_one_rate() {
        return Err(usage(
            "--precision is for one rate all the time: leave it out, or give a --rate in place of recorded times",
        ));
    }
    let title = title::title(&run, &what, &when);
    let whole = contracts::load::Run {
        title: Some(title.clone()),
        ..Asked::of(&run).document
    };
    let title = match told.share {
        Some(share) => {
            part::take(&mut run, share)?;
            format!("{title}, share {share}")
        }
        None => title,
    };
    Ok(Prepared {
        run,
        slos,
        title,
        remarks,
        whole,
        run_id: told.run_id,
    })
}

/// One file alone can be standard input.
fn check_standard_input(arguments: &Arguments) -> Result<(), Failure> {
    let piped = arguments
        .inputs()
        .filter(|(_, path)| command::is_standard(path));
    match piped.collect::<Vec<_>>()[..] {
        [(one, _), (other, _), ..] => Err(usage(format!(
            "{one} and {other} cannot both read standard input"
        ))),
        _ => Ok(()),
    }
}

/// Clients of the closed loop, or connections that are opened at the start.
fn clients(
    arguments: &Arguments,
    closed_loop: bool,
    remarks: &mut Vec<String>,
) -> Result<usize, Failure> {
    match arguments.requests {
        Some(requests) if closed_loop && requests < arguments.connections => {
            remarks.push(format!(
                "{} used: there is nothing to do for more than there are requests",
                counted(requests, "client")
            ));
            count(requests)
        }
        _ => count(arguments.connections),
    }
}

/// Threads of this process, of whose connections there are so many.
fn threads(arguments: &Arguments, clients: usize, remarks: &mut Vec<String>) -> usize {
    let asked = usize::from(arguments.threads);
    let threads = asked.min(clients.max(1));
    if threads < asked {
        remarks.push(format!(
            "{} used: there is nothing to do for more than there are connections",
            counted(threads as u64, "thread")
        ));
    }
    threads
}

fn count(connections: u64) -> Result<usize, Failure> {
    usize::try_from(connections).map_err(|_| usage("too many connections"))
}

/// Whether something is left to be measured, as far as that is known beforehand.
fn check_warmup(run: &Run) -> Result<(), Failure> {
    let offered_until = match run.model {
        Model::Open(_) if run.warmup > 0 => run.offered_until(),
        _ => None,
    };
    if run.warmup < offered_until.unwrap_or(run.window_end()) {
        return Ok(());
    }
    let used_up = run.requests.filter(|_| run.warmup < run.window_end());
    let why = used_up.map_or(String::new(), |requests| {
        format!(
            ": all of the {} (-n) would be due within it",
            counted(requests, "request")
        )
    });
    Err(usage(format!(
        "--warmup leaves nothing of the run to be measured{why}"
    )))
}

fn duration(arguments: &Arguments) -> Option<Duration> {
    let planned = arguments.stages.as_ref().and_then(RateStages::duration);
    let recorded = arguments.replay_timing || matches!(arguments.arrival, Some(Arrival::Trace(_)));
    match arguments.duration.or(planned) {
        Some(known) => Some(known),
        None if arguments.requests.is_some() || recorded => None,
        None if arguments.precision.is_some() => Some(LONGEST_DEFAULT),
        None => Some(DEFAULT_DURATION),
    }
}

fn max_connections(
    arguments: &Arguments,
    clients: usize,
    closed_loop: bool,
) -> Result<usize, Failure> {
    match arguments.max_connections {
        None => Ok(clients),
        Some(_) if closed_loop => Err(usage(
            "--max-connections is for open loops: in a closed loop each of the -c clients has one connection",
        )),
        Some(most) if most < clients as u64 => Err(usage(format!(
            "--max-connections {most} is less than the {clients} connections opened at the start (-c)"
        ))),
        Some(most) => count(most),
    }
}

fn read_log(arguments: &Arguments) -> Result<Option<AccessLog>, Failure> {
    let log = arguments.replay.as_deref();
    Ok(log.map(|path| open(path, trace::access_log)).transpose()?)
}

fn slos(arguments: &Arguments, model: &Model) -> Result<Vec<Slo>, Failure> {
    let mut slos = arguments.slo.clone();
    if let Some(path) = &arguments.slo_file {
        slos.extend(workload::objective::read_file::<Slo>(path)?);
    }
    let has_sessions = matches!(model, Model::PartlyOpen(..));
    if let Some(slo) = slos
        .iter()
        .find(|slo| slo.is_of_sessions() && !has_sessions)
    {
        return Err(usage(format!(
            "{slo} is about sessions, and there are none: add --session-requests, or leave it out"
        )));
    }
    Ok(slos)
}

/// The cores to run on, if that was said.
fn cores(arguments: &Arguments) -> Result<Vec<usize>, Failure> {
    let Some(cores) = &arguments.pin else {
        return Ok(Vec::new());
    };
    let allowed = rustix::thread::sched_getaffinity(None)?;
    match cores.0.iter().find(|core| !allowed.is_set(**core)) {
        Some(core) => Err(usage(format!(
            "--pin: this process may not run on core {core}"
        ))),
        None => Ok(cores.0.clone()),
    }
}

/// Takes as many descriptors as are needed. An error says that so many may not be open.
fn raise_descriptor_limit(connections: u64) -> Result<(), Failure> {
    let need = connections.saturating_add(OTHER_DESCRIPTORS);
    match Descriptors::raise().now {
        Some(most) if most < need => Err(format!(
            "{connections} connections need a descriptor each, and only {most} may be open: use fewer (-c, --max-connections, --idle, --storm), or raise the limit (ulimit -Hn)"
        )
        .into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
