//! From what was typed to a run: every default, every file, every contradiction.

mod file;
mod model;
mod part;
mod targets;

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
    let piped = arguments
        .inputs()
        .filter(|(_, path)| command::is_standard(path));
    if let [(one, _), (other, _), ..] = piped.collect::<Vec<_>>()[..] {
        return Err(usage(format!(
            "{one} and {other} cannot both read standard input"
        )));
    }
    let log = read_log(arguments)?;
    let (addresses, targets, security, what) =
        targets::targets(arguments, log.as_ref(), &mut remarks)?;
    let duration = duration(arguments);
    let (model, when) = model::model(arguments, log.as_ref(), duration)?;
    let slos = slos(arguments, &model)?;
    let closed_loop = matches!(model, Model::Closed);
    let clients = match arguments.requests {
        Some(requests) if closed_loop && requests < arguments.connections => {
            remarks.push(format!(
                "{} used: there is nothing to do for more than there are requests",
                counted(requests, "client")
            ));
            requests
        }
        _ => arguments.connections,
    };
    let clients = usize::try_from(clients).map_err(|_| usage("too many connections"))?;
    let max_connections = max_connections(arguments, clients, closed_loop)?;
    let told = part::told(arguments, &mut remarks)?;
    let of_part = |all| part::own(told.share, all).0;
    let threads = usize::from(arguments.threads).min(of_part(clients).max(1));
    if threads < usize::from(arguments.threads) {
        remarks.push(format!(
            "{} used: there is nothing to do for more than there are connections",
            counted(threads as u64, "thread")
        ));
    }
    let cores = arguments
        .pin
        .as_ref()
        .map_or(Vec::new(), |cores| cores.0.clone());
    check_cores(&cores)?;
    let idle = usize::try_from(arguments.idle).map_err(|_| usage("too many connections"))?;
    let storm = usize::try_from(arguments.storm).map_err(|_| usage("too many connections"))?;
    let besides = (of_part(idle) as u64).saturating_add(of_part(storm) as u64);
    raise_descriptor_limit((of_part(max_connections) as u64).saturating_add(besides))?;
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
    let title = title(&run, &what, &when);
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

/// A run in words: what is asked for, when, and by how many.
fn title(run: &Run, what: &str, when: &str) -> String {
    format!(
        "{what}\n{when}{}, {}{}{}, seed {}",
        until(run),
        counted(
            run.clients as u64,
            if run.is_closed_loop() {
                "client"
            } else {
                "connection"
            }
        ),
        beside(run),
        match run.http2 {
            true => format!(
                ", HTTP/2 with {} at a time",
                counted(run.depth as u64, "stream")
            ),
            false => String::new(),
        },
        run.seed
    )
}

/// Who is there and never asks.
fn beside(run: &Run) -> String {
    let idle = counted(run.idle as u64, "idle connection");
    let storm = format!("storms of {}", counted(run.storm as u64, "newcomer"));
    match (run.idle, run.storm) {
        (0, 0) => String::new(),
        (_, 0) => format!(" beside {idle}"),
        (0, _) => format!(" beside {storm}"),
        _ => format!(" beside {idle} and {storm}"),
    }
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

fn until(run: &Run) -> String {
    let time = run.duration.map(|time| format!("{time:?}"));
    let number = run.requests.map(|number| counted(number, "request"));
    match (time, number) {
        (Some(time), Some(number)) => format!(", {time} or {number}"),
        (Some(one), None) | (None, Some(one)) => format!(", {one}"),
        (None, None) => ", to the end of the recording".to_owned(),
    }
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
        Some(most) => usize::try_from(most).map_err(|_| usage("too many connections")),
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

fn check_cores(cores: &[usize]) -> Result<(), Failure> {
    let allowed = rustix::thread::sched_getaffinity(None)?;
    match cores.iter().find(|core| !allowed.is_set(**core)) {
        Some(core) => Err(usage(format!(
            "--pin: this process may not run on core {core}"
        ))),
        None => Ok(()),
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
mod tests {
    use super::*;
    use crate::cli::tests::parse;

    /// Nothing is tried, or taken from the memory, that cannot be had.
    #[test]
    fn more_connections_than_descriptors_are_refused_at_once() {
        for (line, connections) in [
            ("-c 100m", 100_000_000),
            ("-c 10m -R 10", 10_000_000),
            ("-R 10 --max-connections 4g", 4_000_000_000_u64),
        ] {
            let why = prepare(&parse(line).expect(line))
                .expect_err(line)
                .to_string();
            let words = [
                format!("{connections} connections"),
                "ulimit -Hn".to_owned(),
            ];
            assert!(
                words.iter().all(|words| why.contains(words)),
                "{line}: {why}"
            );
        }
    }

    #[test]
    fn a_warm_up_leaves_something_to_be_measured() {
        for (line, is_sound) in [
            ("-d 2s --warmup 1s", true),
            ("-d 1s --warmup 1s", false),
            ("-n 10 -R 10 --warmup 999ms", true),
            ("-n 10 -R 10 --warmup 1s", false),
            ("-n 10 --warmup 1s", true),
            ("-n 10 -R 10 --session-requests 5 --warmup 1s", true),
        ] {
            let prepared = prepare(&parse(line).expect(line));
            assert_eq!(prepared.is_ok(), is_sound, "{line}");
            if let Err(why) = prepared {
                let says_number = why.to_string().contains("10 requests (-n)");
                assert_eq!(says_number, line.contains("-n"), "{why}");
            }
        }
    }

    #[test]
    fn a_run_that_ends_when_it_knows_enough_has_a_longest_time_and_its_percentiles() {
        for (line, longest_s, percentiles) in [
            ("--precision 5%", Some(120), &[99.0][..]),
            ("--precision 5% -d 20s --slo p(50)<1s", Some(20), &[50.0]),
            ("--precision 5% -n 1k --slo errors<1%", None, &[99.0]),
            (
                "--precision 5% -R 10 --slo p99.9<1s --slo mean<1s --slo p90<1s --slo service:p(10)<1s",
                Some(120),
                &[99.9, 90.0],
            ),
        ] {
            let run = prepare(&parse(line).expect(line)).expect(line).run;
            assert_eq!(run.duration, longest_s.map(Duration::from_secs), "{line}");
            let wanted = run.precision.expect("asked for");
            assert_eq!(wanted.relative, 0.05);
            assert_eq!(wanted.percentiles, percentiles, "{line}");
        }
    }

    #[test]
    fn what_changes_by_plan_is_never_known_well_enough() {
        let home = tempfile::tempdir().expect("a directory");
        let times = home.path().join("times");
        std::fs::write(&times, "0.1\n0.2\n").expect("written");
        let line = format!("--precision 5% --arrival trace:{}", times.display());
        let why = prepare(&parse(&line).expect("typed")).expect_err("refused");
        assert!(why.to_string().contains("one rate"), "{why}");
    }

    #[test]
    fn an_objective_on_sessions_needs_sessions() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("slo");
        std::fs::write(&file, "p99<1s\nsession:mean<1s\n").expect("written");
        let typed = "--slo session:p99<1s";
        let read = &format!("--slo-file {}", file.display());
        for slo in [typed, read] {
            for (line, is_refused) in [
                ("", true),
                ("-R 5", true),
                ("-R 5 --session-requests 2", false),
            ] {
                let line = format!("{line} {slo}");
                let prepared = prepare(&parse(&line).expect(&line));
                let refused = prepared
                    .err()
                    .map(|why| (why.is::<clap::Error>(), why.to_string()));
                assert_eq!(refused.is_some(), is_refused, "{line}");
                assert!(
                    refused.is_none_or(|(usage, why)| usage && why.contains("sessions")),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn nobody_is_started_who_would_have_nothing_to_do() {
        for (line, clients, threads, remarks) in [
            ("-n 10 -t 2", 10, 2, 1),
            ("-n 1 -t 2", 1, 1, 2),
            ("-n 64", 64, 1, 0),
            // Whose connection a request will find free is not known beforehand.
            ("-n 10 -R 10", 64, 1, 0),
        ] {
            let prepared = prepare(&parse(line).expect(line)).expect(line);
            let run = &prepared.run;
            assert_eq!((run.clients, run.max_connections), (clients, clients));
            assert_eq!(run.threads, threads, "{line}");
            assert_eq!(prepared.remarks.len(), remarks, "{:?}", prepared.remarks);
        }
    }
}
