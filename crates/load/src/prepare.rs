//! From what was typed to a run: every default, every file, every contradiction.

use crate::cli::{Arguments, Method};
use crate::clock::nanos;
use crate::run::{Arrivals, Fault, Model, Run};
use crate::schedule::Think;
use crate::slo::{self, Slo};
use crate::target::{Order, Target, Targets, Url};
use crate::verify::Expected;
use std::fs::File;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use workload::trace::{self, AccessLog};
use workload::{Arrival, FileSet, Sampler, Schedule, Stages};

/// Where a bare `archbench serve` listens.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
const DEFAULT_DURATION: Duration = Duration::from_secs(10);
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
}

/// Puts a run together. An error is for the person who typed.
pub fn prepare(arguments: &Arguments) -> Result<Prepared, String> {
    let mut remarks = Vec::new();
    let log = read_log(arguments)?;
    let (base, targets, what) = targets(arguments, log.as_ref(), &mut remarks)?;
    let duration = duration(arguments);
    let (model, when) = model(arguments, log.as_ref(), duration)?;
    let clients = usize::try_from(arguments.connections).map_err(|_| "too many connections")?;
    let closed_loop = matches!(model, Model::Closed);
    let max_connections = max_connections(arguments, clients, closed_loop)?;
    let threads = usize::from(arguments.threads).min(clients);
    if threads < usize::from(arguments.threads) {
        remarks.push(format!(
            "{threads} threads are used: there is nothing to do for more than there are connections"
        ));
    }
    let cores = arguments
        .pin
        .as_ref()
        .map_or(Vec::new(), |cores| cores.0.clone());
    check_cores(&cores)?;
    remarks.extend(raise_descriptor_limit(max_connections as u64));
    if arguments.latency_correction {
        remarks.push("--latency-correction: always on; nothing has to be corrected where time counts from when a request was due".to_owned());
    }
    let run = Run {
        model,
        address: base,
        targets,
        clients,
        max_connections,
        threads,
        cores,
        depth: usize::from(arguments.pipeline),
        requests_per_connection: match arguments.no_keepalive {
            true => 1,
            false => arguments.requests_per_connection.unwrap_or(u64::MAX),
        },
        duration,
        requests: arguments.requests,
        warmup: nanos(arguments.warmup),
        timeout: nanos(arguments.timeout),
        think: arguments.think,
        seed: arguments.seed,
        verify: arguments.verify,
        most_spin: nanos(arguments.max_spin),
        fault: Fault::None,
    };
    if duration.is_some_and(|duration| arguments.warmup >= duration) {
        return Err("--warmup leaves nothing of the run to be measured".to_owned());
    }
    let title = format!(
        "{what}\n{when}{}, {} {}, seed {}",
        until(&run),
        run.clients,
        if closed_loop {
            "clients"
        } else {
            "connections"
        },
        run.seed
    );
    Ok(Prepared {
        run,
        slos: slos(arguments)?,
        title,
        remarks,
    })
}

fn until(run: &Run) -> String {
    let time = run.duration.map(|time| format!("{time:?}"));
    let number = run.requests.map(|number| format!("{number} requests"));
    match (time, number) {
        (Some(time), Some(number)) => format!(", {time} or {number}"),
        (Some(one), None) | (None, Some(one)) => format!(", {one}"),
        (None, None) => ", to the end of the recording".to_owned(),
    }
}

fn duration(arguments: &Arguments) -> Option<Duration> {
    let planned = arguments.stages.as_ref().and_then(Stages::duration);
    let recorded = arguments.replay_timing || matches!(arguments.arrival, Some(Arrival::Trace(_)));
    match (arguments.duration, planned) {
        (Some(asked), Some(planned)) => Some(asked.min(planned)),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) if arguments.requests.is_some() || recorded => None,
        (None, None) => Some(DEFAULT_DURATION),
    }
}

fn max_connections(
    arguments: &Arguments,
    clients: usize,
    closed_loop: bool,
) -> Result<usize, String> {
    match arguments.max_connections {
        None => Ok(clients),
        Some(_) if closed_loop => Err(
            "--max-connections is for open loops: in a closed loop each of the -c clients has one connection"
                .to_owned(),
        ),
        Some(most) if most < clients as u64 => Err(format!(
            "--max-connections {most} is less than the {clients} connections opened at the start (-c)"
        )),
        Some(most) => usize::try_from(most).map_err(|_| "too many connections".to_owned()),
    }
}

fn open<T, E: std::fmt::Display>(
    path: &Path,
    read: impl FnOnce(BufReader<File>) -> Result<T, E>,
) -> Result<T, String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    read(BufReader::new(file)).map_err(|error| format!("{}: {error}", path.display()))
}

fn read_log(arguments: &Arguments) -> Result<Option<AccessLog>, String> {
    let log = arguments.replay.as_deref();
    log.map(|path| open(path, trace::access_log)).transpose()
}

fn model(
    arguments: &Arguments,
    log: Option<&AccessLog>,
    duration: Option<Duration>,
) -> Result<(Model, String), String> {
    let process = match (&arguments.arrival, arguments.poisson) {
        (Some(process), _) => Some(process.clone()),
        (None, true) => Some(Arrival::Poisson),
        (None, false) => None,
    };
    let rates = match (arguments.rate, &arguments.stages) {
        (Some(rate), _) => Some((
            Stages::steady(rate, duration).map_err(|error| error.to_string())?,
            format!("{rate}/s"),
        )),
        (None, Some(stages)) => Some((stages.clone(), "rate by stages".to_owned())),
        (None, None) => None,
    };
    let own_time = log.filter(|_| arguments.replay_timing);
    let (arrivals, how) = match (own_time, process, rates) {
        (Some(log), ..) => {
            let times = log.times().ok_or("the log has no times")?;
            (
                recorded(Schedule::trace(times)),
                "the log's own timing".to_owned(),
            )
        }
        (None, Some(Arrival::Trace(_)), Some(_)) => {
            return Err("a trace has its own rate: leave out --rate and --stages".to_owned());
        }
        (None, Some(Arrival::Trace(path)), None) => {
            let times = open(&path, trace::Times::read)?;
            (
                recorded(Schedule::trace(times)),
                format!("arrivals of {}", path.display()),
            )
        }
        (None, Some(_), None) => {
            return Err("--poisson and --arrival need a rate: add --rate or --stages".to_owned());
        }
        (None, process, Some((stages, rate))) => {
            let poisson = process == Some(Arrival::Poisson);
            let times = if poisson {
                Schedule::poisson(stages.clone(), arguments.seed)
            } else {
                Schedule::constant(stages.clone())
            };
            let name = if poisson { "Poisson" } else { "constant" };
            let asked = Some((stages, poisson));
            (Arrivals { times, asked }, format!("{name}, {rate}"))
        }
        (None, None, None) => return closed_loop(arguments),
    };
    match arguments.session_requests {
        Some(requests) => Ok((
            Model::PartlyOpen(arrivals, requests),
            format!("partly open: sessions of {requests} requests, {how}"),
        )),
        None if arguments.think != Think::Constant(Duration::ZERO) => Err(
            "in an open loop nobody thinks: add --session-requests, or leave out --think or the rate".to_owned(),
        ),
        None => Ok((Model::Open(arrivals), format!("open loop, {how}"))),
    }
}

fn closed_loop(arguments: &Arguments) -> Result<(Model, String), String> {
    if arguments.session_requests.is_some() {
        return Err(
            "--session-requests needs a rate of sessions: add --rate or --stages".to_owned(),
        );
    }
    Ok((Model::Closed, "closed loop".to_owned()))
}

fn recorded(times: Schedule) -> Arrivals {
    Arrivals { times, asked: None }
}

fn targets(
    arguments: &Arguments,
    log: Option<&AccessLog>,
    remarks: &mut Vec<String>,
) -> Result<(SocketAddr, Targets, String), String> {
    let head_only = arguments.method == Method::Head;
    let parse = |text: &str| Url::parse(text).map_err(|error| error.to_string());
    let base = || match arguments.urls.as_slice() {
        [] => parse(DEFAULT_URL),
        [one] => parse(one),
        _ => Err("one URL says where the files are; more than one cannot".to_owned()),
    };
    let under = |base: &Url, path: &str| {
        let mut url = base.clone();
        url.target = format!("{}/{path}", base.target.trim_end_matches('/'));
        url
    };
    let first_answer = || match arguments.verify {
        true => Expected::FirstAnswer(OnceLock::new()),
        false => Expected::Anything,
    };
    let (all, order, what) = if let Some(log) = log {
        let base = base()?;
        let (all, order) = from_log(arguments, log, &base, first_answer, under);
        remarks.extend(log_remarks(log));
        (
            all,
            order,
            format!("{base}, {} requests of a log", log.requests.len()),
        )
    } else if arguments.files.is_some()
        || arguments.urls.is_empty() && arguments.urls_file.is_none()
    {
        let base = base()?;
        let set = match arguments.files {
            Some(preset) => FileSet::new(preset, arguments.files_seed),
            None => workload::default_file_set(),
        };
        let all = set
            .files()
            .iter()
            .map(|file| {
                let url = under(&base, &file.path);
                let expected = match arguments.verify {
                    true if head_only => Expected::Anything,
                    true => Expected::File {
                        key: file.key,
                        length: file.length,
                    },
                    false => Expected::Anything,
                };
                let target = Target::new(&url, head_only, &arguments.headers, expected);
                (url, target)
            })
            .collect();
        let sampler = set.sampler().map_err(|error| error.to_string())?;
        let what = format!("{base}, files {}", set.preset());
        (all, Order::Drawn(sampler.choices(arguments.seed)), what)
    } else {
        let weighted = match &arguments.urls_file {
            Some(path) => open(path, trace::urls)?
                .into_iter()
                .map(|url| (url.url, url.weight))
                .collect(),
            None => arguments
                .urls
                .iter()
                .map(|url| (url.clone(), 1.0))
                .collect::<Vec<_>>(),
        };
        let urls: Vec<Url> = weighted
            .iter()
            .map(|(url, _)| parse(url))
            .collect::<Result<_, _>>()?;
        let order = if urls.len() == 1 {
            Order::One
        } else {
            let sampler = Sampler::new(weighted.iter().map(|(_, weight)| *weight));
            Order::Drawn(
                sampler
                    .map_err(|error| error.to_string())?
                    .choices(arguments.seed),
            )
        };
        let what = match urls.as_slice() {
            [one] => one.to_string(),
            more => format!("{} and {} more", more[0], more.len() - 1),
        };
        let all = urls
            .into_iter()
            .map(|url| {
                let target = Target::new(&url, head_only, &arguments.headers, first_answer());
                (url, target)
            })
            .collect();
        (all, order, what)
    };
    let address = address(&all)?;
    let targets = all.into_iter().map(|(_, target)| target).collect();
    Ok((address, Targets { targets, order }, what))
}

fn from_log(
    arguments: &Arguments,
    log: &AccessLog,
    base: &Url,
    first_answer: impl Fn() -> Expected,
    under: impl Fn(&Url, &str) -> Url,
) -> (Vec<(Url, Target)>, Order) {
    let mut numbers = std::collections::HashMap::new();
    let mut all = Vec::new();
    let order = log
        .requests
        .iter()
        .map(|request| {
            let head_only = request.method == trace::Method::Head;
            *numbers
                .entry((request.target, head_only))
                .or_insert_with(|| {
                    let path = &log.targets[request.target as usize];
                    let url = under(base, path.trim_start_matches('/'));
                    let target = Target::new(&url, head_only, &arguments.headers, first_answer());
                    all.push((url, target));
                    (all.len() - 1) as u32
                })
        })
        .collect::<Vec<u32>>();
    (all, Order::Recorded(order.into()))
}

fn log_remarks(log: &AccessLog) -> Vec<String> {
    let mut remarks = Vec::new();
    if log.malformed > 0 {
        let first = log.examples.first();
        let example = first.map_or(String::new(), |bad| {
            format!(", the first in line {}: {}", bad.line, bad.why)
        });
        remarks.push(format!(
            "{} malformed lines of the log are left out{example}",
            log.malformed
        ));
    }
    if log.other_methods > 0 {
        remarks.push(format!(
            "{} requests of the log are neither GET nor HEAD and left out",
            log.other_methods
        ));
    }
    remarks
}

/// The one address that all URLs have, the first that can be connected to if there are several.
fn address(all: &[(Url, Target)]) -> Result<SocketAddr, String> {
    let (first, _) = all.first().ok_or("there is nothing to ask for")?;
    if let Some((other, _)) = all.iter().find(|(url, _)| url.authority != first.authority) {
        return Err(format!(
            "{} and {} are two servers; a run measures one",
            first.authority, other.authority
        ));
    }
    let addresses = first.resolve().map_err(|error| {
        format!(
            "the address of {} cannot be found: {error}",
            first.authority
        )
    })?;
    let answers =
        |address: &&SocketAddr| TcpStream::connect_timeout(address, Duration::from_secs(1)).is_ok();
    let chosen = match addresses.as_slice() {
        [] | [_] => addresses.first(),
        several => several.iter().find(answers).or(several.first()),
    };
    chosen
        .copied()
        .ok_or_else(|| format!("{} has no address", first.authority))
}

fn slos(arguments: &Arguments) -> Result<Vec<Slo>, String> {
    let mut slos = arguments.slo.clone();
    if let Some(path) = &arguments.slo_file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        slos.extend(
            slo::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?,
        );
    }
    Ok(slos)
}

fn check_cores(cores: &[usize]) -> Result<(), String> {
    let allowed = rustix::thread::sched_getaffinity(None).map_err(|error| error.to_string())?;
    match cores.iter().find(|core| !allowed.is_set(**core)) {
        Some(core) => Err(format!("--pin: this process may not run on core {core}")),
        None => Ok(()),
    }
}

/// Takes as many descriptors as are needed and allowed. Says so if they will not do.
fn raise_descriptor_limit(connections: u64) -> Option<String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let need = connections.saturating_add(OTHER_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= need) {
        return None;
    }
    let current = limit.maximum.map_or(need, |maximum| maximum.min(need));
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(current),
            maximum: limit.maximum,
        },
    );
    (raised.is_err() || current < need).then(|| {
        format!("only {current} descriptors may be open, and {connections} connections are asked for (ulimit -Hn)")
    })
}
