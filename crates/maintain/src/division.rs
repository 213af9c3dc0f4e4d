//! `compare-parts`: whether a run that several processes make together comes to what one process comes to.
//!
//! In each round the same load, from the same seed, is put on the same server three times, in a shuffled order: by one process, by one
//! process again, and by several parts that are merged. What two equal runs differ in is what a difference is held against.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use contracts::load::Report;
use contracts::{Distribution, Validity};
use lab::Failure;
use lab::table::Table;
use stats::Interval;
use stats::compare;
use stats::sample::median;

use crate::client;
use crate::programs;
use crate::rounds::turns;
use crate::server::Server;
use crate::testbed::{Cores, Testbed};

/// How sure the intervals are.
const LEVEL: f64 = 0.95;
/// The exit status where a run is INVALID, as it is that of `archbench load`.
const INVALID: u8 = 4;
/// When a run begins.
const START_AT: &str = "--start-at=next:1s";

/// Compare a run of one process with one that several parts make, beside what two equal runs differ in
///
/// Exit status: 0 they agree in every figure, 3 not in one of them, 4 a run was INVALID and so no figure may be believed, 1 something failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many parts
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..=64))]
    parts: u32,
    /// In how many rounds
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(3..=1000))]
    rounds: u64,
    /// How long each run is
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many requests are due in a second
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    /// The model that serves, with its options behind it if need be
    #[arg(long, value_name = "MODEL", default_value = "sped")]
    model: String,
    #[command(flatten)]
    cores: Cores,
}

/// What of response times is compared: its name, and where it stands.
type Figure = (&'static str, fn(&Distribution) -> Option<f64>);

/// The figures that are compared, in microseconds.
const FIGURES: [Figure; 4] = [
    ("mean", |times| times.mean),
    ("p50", |times| times.p50),
    ("p90", |times| times.p90),
    ("p99", |times| times.p99),
];

/// Who makes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    One,
    OneAgain,
    Parts,
}

const ALL: [By; 3] = [By::One, By::OneAgain, By::Parts];

/// What came of one run.
struct Outcome {
    figures: [f64; FIGURES.len()],
    scheduled: u64,
    verdict: Validity,
}

impl Outcome {
    fn of(report: &Report) -> Result<Self, String> {
        let times = report.response_time_us.as_ref();
        let times = times.ok_or("a run has no response times")?;
        let mut figures = [0.0; FIGURES.len()];
        for (figure, (name, of)) in figures.iter_mut().zip(FIGURES) {
            *figure = of(times).ok_or_else(|| format!("a run has no {name}"))?;
        }
        Ok(Self {
            figures,
            scheduled: report.requests.scheduled.unwrap_or(0),
            verdict: report.verdict.unwrap_or(Validity::Invalid),
        })
    }
}

/// Compares, and prints the table.
///
/// # Errors
/// When the server or a generator fails, or the parts are not the whole of what one process asks for.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let archbench = programs::archbench()?;
    let path = testbed.file(&"1k".parse()?)?;
    let server = Server::ours(&testbed, &archbench, &arguments.model, &testbed.root())?;
    let url = format!("{}{path}", server.url);
    let mut outcomes: [Vec<Outcome>; ALL.len()] = Default::default();
    for (round, order) in (1..).zip(turns(ALL.len(), arguments.rounds as usize, 1)) {
        for turn in order {
            testbed.go_on()?;
            let load = load(arguments, round, &url);
            let report = match ALL[turn] {
                By::One | By::OneAgain => by_one(&testbed, &archbench, &load)?,
                By::Parts => by_parts(&testbed, &archbench, &load, arguments.parts)?,
            };
            outcomes[turn].push(Outcome::of(&report)?);
        }
        let scheduled: Vec<u64> = outcomes
            .iter()
            .filter_map(|runs| Some(runs.last()?.scheduled))
            .collect();
        if scheduled.iter().any(|other| *other != scheduled[0]) {
            return Err(format!("of one seed {scheduled:?} requests were due").into());
        }
    }
    server.stop()?;
    println!(
        "{}, {} requests/s (Poisson), {} rounds of {} s: response times by one process, by one again, and by {} parts",
        arguments.model, arguments.rate, arguments.rounds, arguments.seconds, arguments.parts
    );
    let (table, agrees) = table(&outcomes)?;
    print!("{table}");
    let refused = |runs: &Vec<Outcome>| {
        let refused = runs.iter().filter(|run| run.verdict == Validity::Invalid);
        refused.count()
    };
    let [one, again, parts] = outcomes.each_ref().map(refused);
    if one + again + parts > 0 {
        println!(
            "INVALID runs: {one} by one process, {again} by one again, {parts} by parts; their figures say nothing. Try a lower --rate, or a \
             machine that does nothing else"
        );
        return Ok(INVALID);
    }
    Ok(if agrees { 0 } else { lab::SLO_MISSED })
}

/// What every run of a round is asked for. None spins, since parts that share a core would spin against each other.
fn load(arguments: &Arguments, round: u64, url: &str) -> Vec<String> {
    vec![
        "--quiet".into(),
        "--max-spin=0".into(),
        "--connections=32".into(),
        "--poisson".into(),
        format!("--seed={round}"),
        format!("--rate={}", arguments.rate),
        format!("--duration={}s", arguments.seconds),
        format!("--pin={}", arguments.cores.client),
        START_AT.into(),
        url.into(),
    ]
}

fn by_one(testbed: &Testbed, archbench: &Path, load: &[String]) -> Result<Report, Failure> {
    let mut command = vec![archbench.display().to_string(), "load".into()];
    command.extend(["--output-format", "json"].map(str::to_owned));
    command.extend_from_slice(load);
    let ended = client::run(testbed, &command)?;
    client::report(&ended.text).map_err(|why| format!("{why}; {}", ended.how).into())
}

fn by_parts(
    testbed: &Testbed,
    archbench: &Path,
    load: &[String],
    parts: u32,
) -> Result<Report, Failure> {
    let home = tempfile::tempdir_in(testbed.work())
        .map_err(|error| format!("cannot make a directory for parts: {error}"))?;
    let start = |number: u32| {
        let mut command = Command::new(archbench);
        command
            .args(["load", "--run-id=compared"])
            .arg(format!("--share={number}/{parts}"))
            .arg(format!("--out-dir={}", home.path().display()))
            .args(load)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let started = command.spawn();
        started.map_err(|error| format!("cannot start part {number}: {error}"))
    };
    let started: Vec<_> = (1..=parts).map(start).collect();
    let ended = started
        .into_iter()
        .map(|part| Ok(part?.wait_with_output()?));
    for ended in ended.collect::<Vec<Result<Output, Failure>>>() {
        let ended = ended?;
        // What a part thinks of its own figures is in what is merged.
        if !ended.status.success() {
            let said = String::from_utf8_lossy(&ended.stderr);
            return Err(format!("a part failed ({}): {}", ended.status, said.trim()).into());
        }
    }
    let merge = ["merge", "--quiet", "--output-format", "json"].map(str::to_owned);
    let mut command = vec![archbench.display().to_string()];
    command.extend(merge);
    command.push(home.path().display().to_string());
    let ended = client::run(testbed, &command)?;
    client::report(&ended.text).map_err(|why| format!("{why}; {}", ended.how).into())
}

/// A row for each figure, and whether all of them agree: the interval of what parts differ in meets that of what equal runs differ in.
fn table(outcomes: &[Vec<Outcome>; ALL.len()]) -> Result<(Table, bool), Failure> {
    let heads = [
        "figure",
        "one µs",
        "again",
        "95 % interval",
        "parts",
        "95 % interval",
        "",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    let mut all_agree = true;
    for (place, (name, _)) in FIGURES.iter().enumerate() {
        let values = |by: By| -> Vec<f64> {
            let runs = &outcomes[by as usize];
            runs.iter().map(|run| run.figures[place]).collect()
        };
        let one = values(By::One);
        let against = |by| compare::paired(&one, &values(by), LEVEL).map(|found| found.ratio);
        let (again, parts) = (against(By::OneAgain)?, against(By::Parts)?);
        let agrees = parts.low <= again.high && again.low <= parts.high;
        all_agree &= agrees;
        table.row(vec![
            (*name).to_owned(),
            format!("{:.1}", median(&mut one.clone())),
            ratio(again.estimate),
            range(&again),
            ratio(parts.estimate),
            range(&parts),
            if agrees { "agree" } else { "DIFFER" }.to_owned(),
        ]);
    }
    Ok((table, all_agree))
}

fn range(interval: &Interval) -> String {
    format!("{}–{}", ratio(interval.low), ratio(interval.high))
}

/// A ratio with as many digits as are of use; what is beyond is said to be, as few rounds that differ much make it.
fn ratio(ratio: f64) -> String {
    const MOST: f64 = 100.0;
    match ratio <= MOST {
        true => format!("{ratio:.3}"),
        false => format!(">{MOST}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(parts: [f64; 5]) -> [Vec<Outcome>; 3] {
        let runs = |us: [f64; 5]| {
            let outcome = |us| Outcome {
                figures: [us; FIGURES.len()],
                scheduled: 1,
                verdict: Validity::Valid,
            };
            us.map(outcome).into()
        };
        [
            runs([100.0, 110.0, 90.0, 105.0, 95.0]),
            runs([103.0, 104.0, 93.0, 101.0, 99.0]),
            runs(parts),
        ]
    }

    #[test]
    fn parts_agree_that_differ_as_equal_runs_do() {
        let (table, agrees) = table(&outcomes([98.0, 112.0, 94.0, 103.0, 96.0])).unwrap();
        let text = table.to_string();
        assert!(agrees && text.matches("agree").count() == 4, "{text}");
    }

    #[test]
    fn an_interval_of_nearly_everything_stays_short() {
        let interval = Interval {
            low: 1e-9,
            estimate: 1.0,
            high: 2e17,
            level: LEVEL,
        };
        assert_eq!(range(&interval), "0.000–>100");
    }

    #[test]
    fn parts_that_are_slower_than_equal_runs_differ_do_not() {
        let (table, agrees) = table(&outcomes([150.0, 165.0, 134.0, 158.0, 142.0])).unwrap();
        let text = table.to_string();
        assert!(!agrees && text.matches("DIFFER").count() == 4, "{text}");
    }
}
