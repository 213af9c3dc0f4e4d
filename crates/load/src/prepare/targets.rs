//! What is asked for, and where.

use super::file::open;
use crate::address::Address;
use crate::cli::{Arguments, Method};
use crate::security::Security;
use crate::target::{Order, Target, Targets};
use crate::url::Url;
use crate::verify::Expected;
use crate::{Failure, usage};
use command::input;
use command::quantity::counted;
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;
use workload::trace::{self, AccessLog, WeightedUrl};
use workload::{FileSet, Sampler};

/// Where a bare `archbench serve` listens.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// A Unix socket has no host; this is what the Host field has for it.
const DEFAULT_URL_BEHIND_A_SOCKET: &str = "http://localhost";

/// What is asked for, each with its URL, and in which order.
type Asked = (Vec<(Url, Target)>, Order);

/// The server's addresses, what it is asked for, how that is secured, and it in words.
pub(super) fn targets(
    arguments: &Arguments,
    log: Option<&AccessLog>,
    remarks: &mut Vec<String>,
) -> Result<(Vec<Address>, Targets, Option<Security>, String), Failure> {
    let head_only = arguments.method == Method::Head;
    let parse = |text: &str| Url::parse(text).map_err(|error| error.to_string());
    let base = || match arguments.urls.as_slice() {
        [] if arguments.unix.is_some() => Ok(parse(DEFAULT_URL_BEHIND_A_SOCKET)?),
        [] => Ok(parse(DEFAULT_URL)?),
        [one] => parse(one).map_err(usage),
        _ => Err(usage(
            "one URL says where the files are; more than one cannot",
        )),
    };
    let under = |base: &Url, path: &str| {
        let mut url = base.clone();
        url.target = format!("{}/{path}", base.target.trim_end_matches('/'));
        url
    };
    // Answers to HEAD have no body.
    let first_answer = |head_only: bool| match arguments.verify && !head_only {
        true => Expected::FirstAnswer(OnceLock::new()),
        false => Expected::Anything,
    };
    if arguments.verify && head_only {
        remarks.push("--verify: answers to HEAD have no body to be compared".to_owned());
    }
    let ((all, order), what) = if let Some(log) = log {
        let base = base()?;
        let asked = from_log(arguments, log, &base, first_answer, under);
        remarks.extend(log_remarks(log));
        let requests = counted(log.requests.len() as u64, "request");
        (asked, format!("{base}, {requests} of a log"))
    } else if arguments.files.is_some()
        || arguments.urls.is_empty() && arguments.urls_file.is_none()
    {
        let base = base()?;
        let preset = arguments
            .files
            .unwrap_or_else(|| workload::default_file_set().preset());
        let set = FileSet::new(preset, arguments.files_seed);
        let asked = from_set(arguments, &set, &base, under)?;
        let mix = arguments.mix.as_ref();
        let mix = mix.map_or(String::new(), |mix| format!(", {mix}"));
        (asked, format!("{base}, files {}{mix}", set.preset()))
    } else if arguments.mix.is_some() {
        return Err(usage(
            "--mix has to know the files: say which set it is with --files",
        ));
    } else {
        from_urls(arguments, first_answer)?
    };
    let addresses = addresses(arguments, &all)?;
    let security = match all.first() {
        Some((url, _)) => Security::of(arguments, url)?,
        None => None,
    };
    let targets = all.into_iter().map(|(_, target)| target).collect();
    Ok((addresses, Targets { targets, order }, security, what))
}

/// Every file of a set, in every way of the mix.
fn from_set(
    arguments: &Arguments,
    set: &FileSet,
    base: &Url,
    under: impl Fn(&Url, &str) -> Url,
) -> Result<Asked, String> {
    let mix = arguments.mix.clone().unwrap_or_default();
    let head_only = arguments.method == Method::Head;
    let mut all = Vec::new();
    let mut weights = Vec::new();
    for file in set.files() {
        let url = under(base, &file.path);
        for ask in mix.asks(file.length, set.modified()) {
            let expected = match arguments.verify && !head_only {
                true => Expected::File {
                    key: file.key,
                    from: ask.from,
                    length: ask.length,
                },
                false => Expected::Anything,
            };
            let fields = arguments.headers.iter().chain(&ask.field);
            let fields: Vec<_> = fields.cloned().collect();
            let mut target = Target::new(&url, head_only, &fields, expected);
            target.status = arguments.verify.then_some(ask.status);
            all.push((url.clone(), target));
            weights.push(file.weight * ask.share);
        }
    }
    let sampler = Sampler::new(weights).map_err(|error| error.to_string())?;
    Ok((all, Order::Drawn(sampler.choices(arguments.seed))))
}

/// Those that were typed or are in a file, each as often as it weighs, and they in words.
fn from_urls(
    arguments: &Arguments,
    first_answer: impl Fn(bool) -> Expected,
) -> Result<(Asked, String), Failure> {
    let weighted = match &arguments.urls_file {
        Some(path) => open(path, trace::urls)?,
        None => arguments
            .urls
            .iter()
            .map(|url| WeightedUrl {
                method: None,
                url: url.clone(),
                weight: 1.0,
            })
            .collect(),
    };
    let parse = |entry: &WeightedUrl| Url::parse(&entry.url).map_err(|error| error.to_string());
    let urls: Result<Vec<Url>, String> = weighted.iter().map(parse).collect();
    let urls = urls.map_err(|why| match &arguments.urls_file {
        Some(path) => format!("{}: {why}", input::name(path)).into(),
        None => usage(why),
    })?;
    let order = if urls.len() == 1 {
        Order::One
    } else {
        let sampler = Sampler::new(weighted.iter().map(|entry| entry.weight));
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
        .zip(&weighted)
        .map(|(url, entry)| {
            let method = entry.method;
            let head_only = method.map_or(arguments.method == Method::Head, |method| {
                method == trace::Method::Head
            });
            let expected = first_answer(head_only);
            let target = Target::new(&url, head_only, &arguments.headers, expected);
            (url, target)
        })
        .collect();
    Ok(((all, order), what))
}

fn from_log(
    arguments: &Arguments,
    log: &AccessLog,
    base: &Url,
    first_answer: impl Fn(bool) -> Expected,
    under: impl Fn(&Url, &str) -> Url,
) -> Asked {
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
                    let expected = first_answer(head_only);
                    let target = Target::new(&url, head_only, &arguments.headers, expected);
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
            "left out of the log: {}{example}",
            counted(log.malformed, "malformed line")
        ));
    }
    if log.other_methods > 0 {
        remarks.push(format!(
            "left out of the log: {} with other methods than GET and HEAD",
            counted(log.other_methods, "request")
        ));
    }
    remarks
}

/// Where all URLs are: the Unix socket, all addresses of their host, or the first that can be connected to, as was asked for.
fn addresses(arguments: &Arguments, all: &[(Url, Target)]) -> Result<Vec<Address>, Failure> {
    let (first, _) = all.first().ok_or("there is nothing to ask for")?;
    if let Some((other, _)) = all.iter().find(|(url, _)| !url.is_same_server(first)) {
        return Err(usage(format!(
            "{} and {} are two servers; a run measures one",
            first.authority(),
            other.authority()
        )));
    }
    if let Some(path) = &arguments.unix {
        crate::address::unix(path).map_err(|error| {
            usage(format!(
                "--unix: {} names no socket: {error}",
                path.display()
            ))
        })?;
        return Ok(vec![Address::Unix(path.clone())]);
    }
    let host = first.authority();
    let addresses = first
        .resolve()
        .map_err(|error| format!("the address of {host} cannot be found: {error}"))?;
    let answers =
        |address: &&SocketAddr| TcpStream::connect_timeout(address, Duration::from_secs(1)).is_ok();
    let chosen = match addresses.as_slice() {
        [] => return Err(format!("{host} has no address").into()),
        several if arguments.all_addresses => several.to_vec(),
        [one] => vec![*one],
        several => vec![*several.iter().find(answers).unwrap_or(&several[0])],
    };
    Ok(chosen.into_iter().map(Address::Tcp).collect())
}
