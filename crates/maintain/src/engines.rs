//! `engines`: the least closed loop over epoll and over `io_uring`, and the load generator's beside them, by one thread and by two.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use lab::Failure;
use lab::table::Table;
use stats::compare;
use stats::sample::median;

use crate::client;
use crate::peers::minimal;
use crate::programs;
use crate::rounds::turns;
use crate::testbed::{Cores, Testbed};

const ENGINES: [Engine; 4] = [
    Engine::Least("epoll"),
    Engine::Least("ring"),
    Engine::Load { threads: 1 },
    Engine::Load { threads: 2 },
];
/// How sure the interval is.
const LEVEL: f64 = 0.95;

/// Compare the least closed loop over epoll with the same over io_uring and with `archbench load`, against a server that parses nothing
///
/// What is between the first two is the most that a second engine would give the load generator; what is between the first and the load
/// generator is what measuring costs. Two threads of it share the client's core: what they take more for a request than one is what they have
/// in common, and changing over. The ratio is of processor time for each request, over pairs of one round.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// In how many rounds both take turns
    #[arg(value_name = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// How long each asks
    #[arg(value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Over how many connections
    #[arg(value_name = "CONNECTIONS", default_values_t = [64, 1000], value_parser = clap::value_parser!(u64).range(1..=100_000))]
    connections: Vec<u64>,
    #[command(flatten)]
    cores: Cores,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Engine {
    /// The least closed loop, over this.
    Least(&'static str),
    /// `archbench load`.
    Load { threads: u32 },
}

impl Engine {
    fn name(self) -> String {
        match self {
            Self::Least(over) => over.to_owned(),
            Self::Load { threads } => format!("load -t {threads}"),
        }
    }

    /// Has it ask over so many connections.
    fn ask(self, connections: u64, seconds: u64, place: &Place<'_>) -> Result<Reading, Failure> {
        let url = place.url;
        let (program, words) = match self {
            Self::Least(over) => {
                let port = url.rsplit(':').next().unwrap_or_default();
                (
                    &place.engines,
                    format!("{over} {port} {connections} {seconds}"),
                )
            }
            Self::Load { threads } => (
                &place.archbench,
                format!(
                    "load --quiet --output-format json -t {threads} -c {connections} -d {seconds}s {url}"
                ),
            ),
        };
        let mut command = vec![program.display().to_string()];
        command.extend(words.split(' ').map(str::to_owned));
        let ended = client::run(place.testbed, &command)?;
        let reading = match self {
            Self::Least(_) => Reading::parse(&ended.text),
            Self::Load { .. } => Reading::of_report(&ended.text, ended.processor_time),
        };
        reading.map_err(|what| format!("{} {what}: {}", self.name(), ended.how).into())
    }
}

/// What all of them need.
struct Place<'a> {
    testbed: &'a Testbed,
    engines: PathBuf,
    archbench: PathBuf,
    url: &'a str,
}

/// What an engine says of one run: requests per second, and processor time for each in µs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reading {
    requests_per_s: f64,
    us: f64,
}

impl Reading {
    fn parse(text: &str) -> Result<Self, String> {
        let mut numbers = text.split_whitespace().map(str::parse::<f64>);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(requests_per_s)), Some(Ok(us)), None) => Ok(Self { requests_per_s, us }),
            _ => Err(format!(
                "should say two numbers, and said '{}'",
                text.trim()
            )),
        }
    }

    /// Of the load generator, which took so much processor time in all.
    fn of_report(text: &str, took: Duration) -> Result<Self, String> {
        let report = client::report(text)?;
        match (report.requests.completed, report.throughput.requests_per_s) {
            (Some(completed @ 1..), Some(requests_per_s)) => Ok(Self {
                requests_per_s,
                us: took.as_secs_f64() * 1e6 / completed as f64,
            }),
            _ => Err("had no request answered".to_owned()),
        }
    }
}

/// Compares, and prints the table.
///
/// # Errors
/// When the server or an engine fails.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let server = minimal(&testbed, 1024)?;
    let place = Place {
        testbed: &testbed,
        engines: programs::example("sys", "engines")?,
        archbench: programs::archbench()?,
        url: &server.url,
    };
    let mut readings: BTreeMap<(u64, usize), Vec<Reading>> = BTreeMap::new();
    for order in turns(
        arguments.connections.len() * ENGINES.len(),
        arguments.rounds as usize,
        1,
    ) {
        for turn in order {
            let (connections, who) = (
                arguments.connections[turn / ENGINES.len()],
                turn % ENGINES.len(),
            );
            let reading = ENGINES[who].ask(connections, arguments.seconds, &place)?;
            readings
                .entry((connections, who))
                .or_default()
                .push(reading);
        }
    }
    print!("{}", table(&readings)?);
    Ok(0)
}

fn table(readings: &BTreeMap<(u64, usize), Vec<Reading>>) -> Result<Table, Failure> {
    let heads = [
        "connections",
        "engine",
        "requests/s",
        "cpu µs/request",
        "ratio to epoll",
        "95 % interval",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    for ((connections, who), these) in readings {
        let us = |readings: &[Reading]| -> Vec<f64> {
            readings.iter().map(|reading| reading.us).collect()
        };
        let epoll = us(&readings[&(*connections, 0)]);
        let own = us(these);
        let mut rates: Vec<f64> = these.iter().map(|reading| reading.requests_per_s).collect();
        let mut ratios: Vec<f64> = own
            .iter()
            .zip(&epoll)
            .map(|(own, epoll)| own / epoll)
            .collect();
        let interval = match compare::paired(&epoll, &own, LEVEL) {
            Ok(found) => format!("{:.2}–{:.2}", found.ratio.low, found.ratio.high),
            Err(_) => "–".to_owned(),
        };
        table.row(vec![
            connections.to_string(),
            ENGINES[*who].name(),
            format!("{:.0}", median(&mut rates)),
            format!("{:.2}", median(&mut own.clone())),
            format!("{:.2}", median(&mut ratios)),
            interval,
        ]);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_says_is_read() {
        let reading = Reading::parse("142422 6.890\n").unwrap();
        assert_eq!((reading.requests_per_s, reading.us), (142_422.0, 6.89));
        for wrong in ["", "7", "1 2 3", "many 3"] {
            assert!(Reading::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_ratio_is_of_one_round() {
        let of = |us: [f64; 2]| {
            us.map(|us| Reading {
                requests_per_s: 1000.0,
                us,
            })
            .to_vec()
        };
        let readings = BTreeMap::from([((64, 0), of([6.0, 8.0])), ((64, 1), of([5.4, 8.8]))]);
        let text = table(&readings).unwrap().to_string();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1][..5], ["64", "epoll", "1000", "7.00", "1.00"]);
        assert_eq!(rows[2][..5], ["64", "ring", "1000", "7.10", "1.00"]);
    }
}
