//! `idle`: what idle connections cost.
//!
//! Busy connections ask for 1 KB as fast as they can: alone, beside the idle ones, and alone again when those have gone. A round's ratio is
//! what a request cost beside them over the mean of what it cost before and after, so that a machine that drifts favours neither.

use std::time::Duration;

use lab::Failure;
use lab::table::Table;
use lab::trial::process::{Placement, Process};
use rustix::process::{Resource, getrlimit};
use stats::sample::{mean, median};

use crate::client;
use crate::programs;
use crate::rounds::turns;
use crate::server::Server;
use crate::testbed::{Cores, Testbed};

/// Descriptors that either end needs beside its idle connections.
const OTHER_DESCRIPTORS: u64 = 200;
/// How many idle ones come in a second, and how long they are given to come to rest.
const COMING_PER_S: u64 = 10_000;
const SETTLING: Duration = Duration::from_millis(1500);
/// Connections that are busy.
const BUSY: u64 = 64;

/// Measure what idle connections cost: memory of each, and whether they slow the busy ones down
///
/// The table has medians over the rounds, and of the ratio the lowest and highest too. The idle connections have each been used once, then
/// stay open. Needs a hard limit of that many descriptors (ulimit -Hn).
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many connections are idle
    #[arg(value_name = "IDLE", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    idle: u64,
    /// In how many rounds all models take turns
    #[arg(value_name = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// How long the busy ones ask, each of three times in a round
    #[arg(value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Models, with their options behind them if need be
    #[arg(value_name = "MODEL", default_values = ["sped", "amped"])]
    models: Vec<String>,
    #[command(flatten)]
    cores: Cores,
}

/// One round of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Round {
    /// Memory that each idle connection took.
    bytes_each: f64,
    /// Processor time for each request in µs, before the idle ones came, beside them, and when they had gone.
    before_us: f64,
    beside_us: f64,
    after_us: f64,
}

impl Round {
    fn ratio(&self) -> f64 {
        self.beside_us / mean(&[self.before_us, self.after_us])
    }
}

/// Measures, and prints the table.
///
/// # Errors
/// When there are not enough descriptors, or a server or the client fails.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let limit = getrlimit(Resource::Nofile).maximum;
    if limit.is_some_and(|limit| limit < arguments.idle + OTHER_DESCRIPTORS) {
        let limit = limit.unwrap_or(0);
        return Err(format!(
            "the hard limit on descriptors is {limit}: ask for fewer idle connections"
        )
        .into());
    }
    let path = testbed.file(&"1k".parse()?)?;
    let models = &arguments.models;
    let mut rounds = vec![Vec::new(); models.len()];
    for order in turns(models.len(), arguments.rounds as usize, 1) {
        for who in order {
            rounds[who].push(round(&testbed, arguments, &models[who], &path)?);
        }
    }
    let heads = [
        "model",
        "idle",
        "bytes each",
        "busy alone µs",
        "beside idle µs",
        "ratio (from–to)",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    for (model, rounds) in models.iter().zip(&rounds) {
        table.row(row(model, arguments.idle, rounds));
    }
    print!("{table}");
    Ok(0)
}

fn row(model: &str, idle: u64, rounds: &[Round]) -> Vec<String> {
    let middle = |of: fn(&Round) -> f64| median(&mut rounds.iter().map(of).collect::<Vec<_>>());
    let mut alone: Vec<f64> = rounds
        .iter()
        .flat_map(|round| [round.before_us, round.after_us])
        .collect();
    let ratios = || rounds.iter().map(Round::ratio);
    let (low, high) = (
        ratios().fold(f64::NAN, f64::min),
        ratios().fold(f64::NAN, f64::max),
    );
    vec![
        model.to_owned(),
        idle.to_string(),
        format!("{:.0}", middle(|round| round.bytes_each)),
        format!("{:.2}", median(&mut alone)),
        format!("{:.2}", middle(|round| round.beside_us)),
        format!("{:.2} ({low:.2}–{high:.2})", middle(Round::ratio)),
    ]
}

fn round(
    testbed: &Testbed,
    arguments: &Arguments,
    model: &str,
    path: &str,
) -> Result<Round, Failure> {
    let archbench = programs::archbench()?;
    let model = format!("{model} --idle-timeout 10m");
    let server = Server::ours(testbed, &archbench, &model, &testbed.root())?;
    let url = format!("{}{path}", server.url);
    let spoken = spoken(&model, &url);
    let busy = || -> Result<f64, Failure> {
        let before = server.account();
        let mut load = spoken.clone();
        load.extend([
            "-c".into(),
            BUSY.to_string(),
            "-d".into(),
            format!("{}s", arguments.seconds),
            url.clone(),
        ]);
        let answered = client::load(testbed, &archbench, &load)?;
        let used = server.account().since(before).processor_time;
        Ok(used.as_secs_f64() * 1e6 / answered.requests as f64)
    };
    let before_us = busy()?;
    let before = server.account();
    // Every connection is asked once; then one request in ten seconds keeps the client, and with it the connections, there.
    let idle = arguments.idle;
    let ramp_s = idle.div_ceil(COMING_PER_S);
    let stages = format!("{ramp_s}s@{},10m@0.1", idle.div_ceil(ramp_s));
    let program = archbench.display().to_string();
    let mut holder = [
        &program,
        "load",
        &url,
        "-c",
        &idle.to_string(),
        "--stages",
        &stages,
        "--no-tui",
        "--quiet",
    ]
    .map(str::to_owned)
    .to_vec();
    holder.extend(spoken.clone());
    let holder = Process::start(&holder, Placement::on(&[testbed.cores.client]))
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    testbed
        .interrupt
        .sleep(Duration::from_secs(ramp_s) + SETTLING);
    testbed.go_on()?;
    let bytes = server.account().since(before).resident_bytes;
    let beside_us = busy()?;
    drop(holder);
    testbed.interrupt.sleep(Duration::from_secs(1));
    let after_us = busy()?;
    server.stop()?;
    Ok(Round {
        bytes_each: bytes as f64 / idle as f64,
        before_us,
        beside_us,
        after_us,
    })
}

/// How a client speaks to a server with these options.
fn spoken(model: &str, url: &str) -> Vec<String> {
    let said = [
        ("--http2", model.contains("--http2 on")),
        // A certificate that the server made for itself.
        ("--insecure", url.starts_with("https:")),
    ];
    let said = said.into_iter().filter(|(_, is_said)| *is_said);
    said.map(|(flag, _)| flag.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_speak_as_the_server_does() {
        let none: [&str; 0] = [];
        assert_eq!(spoken("sped", "http://h/"), none);
        assert_eq!(spoken("sped --tls", "https://h/"), ["--insecure"]);
        assert_eq!(spoken("mt --http2 on", "http://h/"), ["--http2"]);
    }

    #[test]
    fn a_machine_that_drifts_favours_neither() {
        let rounds = [
            Round {
                bytes_each: 240.0,
                before_us: 6.0,
                beside_us: 7.0,
                after_us: 8.0,
            },
            Round {
                bytes_each: 242.4,
                before_us: 6.0,
                beside_us: 6.6,
                after_us: 6.0,
            },
            Round {
                bytes_each: 900.0,
                before_us: 6.0,
                beside_us: 5.4,
                after_us: 6.0,
            },
        ];
        let row = row("sped", 10_000, &rounds);
        assert_eq!(
            row,
            ["sped", "10000", "242", "6.00", "6.60", "1.00 (0.90–1.10)"]
        );
    }
}
