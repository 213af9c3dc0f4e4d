//! What is written of a run in which one request in ten was never answered: every format tells the same distribution, says which of its values
//! are lower bounds, and whether it is to be believed.

use crate::ok;
use crate::support::script::{Act, server};
use crate::support::{self, Done, go, open_loop, run};
use load::collect::{CollectedSecond, Observer};
use load::measure::measure;
use load::record::Record;
use load::report::histograms::{self, Log};
use load::report::{json, text};
use load::run::Run;
use load::target::{Order, Target, Targets};
use load::url::Url;
use load::verify::Expected;
use results::Hlog;
use std::sync::Arc;
use std::time::Duration;
use workload::Sampler;

/// A distribution as a format has it.
#[derive(Debug, PartialEq)]
struct Told {
    /// All requests, and those that were given up.
    counts: (u64, u64),
    /// Whether the 75th percentile and the 99th are at least the time-out.
    timed_out: [bool; 2],
    /// Whether they are lower bounds.
    at_least: [bool; 2],
    has_verdict: bool,
}

const REQUESTS: u64 = 200;
const TIMEOUT_MS: u64 = 300;
const MS: f64 = TIMEOUT_MS as f64;

/// The histogram log of a run under way.
struct Logger(Log);

impl Observer for Logger {
    fn second(&mut self, row: &CollectedSecond, second: &Record, _: &Record) {
        self.0.add(second, (row.at_s * 1e9) as u64);
    }
}

/// A run in every format.
struct Written {
    text: String,
    json: String,
    csv: String,
    hgrm: String,
    hlog: String,
}

/// The run, with one request in ten that is never answered.
fn with_losses(mut run: Run) -> Run {
    let address = run.addresses[0].clone();
    let target = |path: &str| {
        let url = Url::parse(&format!("http://{address}{path}")).expect("a URL");
        Target::new(&url, false, &[], Expected::Anything)
    };
    let weights = Sampler::new([9.0, 1.0]).expect("weights");
    run.targets = Targets {
        targets: vec![target("/"), target("/never")],
        order: Order::Drawn(weights.choices(1)),
    };
    (run.clients, run.max_connections) = (20, 20);
    run.requests = Some(REQUESTS);
    run.timeout = TIMEOUT_MS * support::MS;
    run
}

fn written(run: Run) -> Written {
    let run = Arc::new(with_losses(run));
    let mut logger = Logger(Log::new(run.is_closed_loop(), run.warmup));
    let outcome = measure(run.clone(), &Arc::default(), &mut logger).expect("a run");
    let done = Done { run, outcome };
    let report = done.report();
    logger.0.judge(report.level(), &report.findings);
    let utf8 = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Written {
        text: text::render(&report),
        json: utf8(json::render(&report)),
        csv: utf8(histograms::csv(&report).expect("made")),
        hgrm: utf8(histograms::hgrm(&report).expect("made")),
        hlog: utf8(logger.0.text().to_vec()),
    }
}

fn closed() -> Run {
    run(
        server(Act::Only(ok("x"), Vec::new())),
        Duration::from_secs(60),
    )
}

fn open() -> Run {
    let address = server(Act::Only(ok("x"), Vec::new()));
    open_loop(address, Duration::from_secs(60), 400.0, false, 20)
}

fn of_json(text: &str, closed: bool) -> Told {
    let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let times = &json[if closed {
        "service_time_us"
    } else {
        "response_time_us"
    }];
    let names = ["p75", "p99"];
    let bounds = times["at_least"].as_array().expect("bounds");
    let count = |name: &str| times[name].as_u64().expect(name);
    Told {
        counts: (count("count"), count("censored")),
        timed_out: names.map(|name| times[name].as_f64().is_some_and(|us| us >= MS * 1e3)),
        at_least: names.map(|name| bounds.iter().any(|bound| bound == name)),
        has_verdict: json["verdict"].is_string(),
    }
}

fn of_csv(text: &str, told: &Told) -> Told {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let place = |name: &str| {
        columns
            .iter()
            .position(|column| *column == name)
            .expect(name)
    };
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let first: Vec<_> = rows
        .iter()
        .filter(|row| row[place("metric")] == "response")
        .collect();
    let number = |row: &[&str], name: &str| row[place(name)].parse::<f64>().expect(name);
    let at = |percent: f64| {
        let row = first
            .iter()
            .find(|row| number(row, "percentile") >= percent)
            .expect("a row");
        (
            number(row, "value_us") >= MS * 1e3,
            row[place("at_least")] == "true",
        )
    };
    let count = number(first.last().expect("rows"), "count") as u64;
    Told {
        // How many of those at or beyond the first lower bound were given up is not in its columns.
        counts: (count, told.counts.1),
        timed_out: [at(75.0).0, at(99.0).0],
        at_least: [at(75.0).1, at(99.0).1],
        has_verdict: rows.iter().all(|row| !row[place("verdict")].is_empty()),
    }
}

fn of_hgrm(text: &str) -> Told {
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(2);
    let rows: Vec<Vec<f64>> = rows
        .map(|row| {
            row.split_whitespace()
                .filter_map(|field| field.parse().ok())
                .collect()
        })
        .collect();
    let (given_up, from) = meter::formats::bounds_of(text).expect("a comment");
    let at = |share: f64| rows.iter().find(|row| row[1] >= share).expect("a row")[0];
    Told {
        counts: (rows.last().expect("rows")[2] as u64, given_up),
        timed_out: [at(0.75) >= MS, at(0.99) >= MS],
        at_least: [at(0.75) >= from, at(0.99) >= from],
        has_verdict: meter::formats::verdicts_of(text).count() == 1,
    }
}

fn of_hlog(text: &str) -> Told {
    let log = Hlog::parse(text.as_bytes()).expect("a log");
    let times = log.times(None).expect("times");
    let at = [0.75, 0.99].map(|quantile| times.quantile(quantile));
    Told {
        counts: (times.len(), times.given_up()),
        timed_out: at.map(|bound| bound.value as f64 >= MS * 1e6),
        at_least: at.map(|bound| bound.at_least),
        has_verdict: log.verdict.is_some(),
    }
}

#[test]
fn every_format_tells_the_same_distribution_and_marks_its_lower_bounds() {
    for (run, closed) in [(closed(), true), (open(), false)] {
        let written = written(run);
        let told = of_json(&written.json, closed);
        let (all, given_up) = told.counts;
        assert_eq!(all, REQUESTS);
        assert!(given_up >= REQUESTS / 20, "{given_up}");
        assert!(told.timed_out[1] && told.at_least[1] && told.has_verdict);
        assert_eq!(of_csv(&written.csv, &told), told);
        assert_eq!(of_hgrm(&written.hgrm), told);
        assert_eq!(of_hlog(&written.hlog), told);
        assert!(written.text.contains("≥ "), "{}", written.text);
        let throughput = written
            .text
            .lines()
            .find(|line| line.contains(" requests/s, "));
        let once = |line: &str| line.matches("/s").count() == 2;
        assert!(throughput.is_some_and(once), "{}", written.text);
    }
}

#[test]
fn a_lower_bound_has_no_margin_that_its_verdict_contradicts() {
    let slos = ["p(99)<1h", "p(99)<1ms", "p(50)<1h"].map(|slo| slo.parse().expect(slo));
    let done = go(with_losses(closed())).expect("a run");
    let report = done.report_on(&slos);
    let [beyond, over, exact] = &report.slos[..] else {
        panic!("three");
    };
    assert_eq!(
        (beyond.met, beyond.at_least, beyond.margin),
        (false, true, None)
    );
    assert!(
        !over.met && over.margin.is_some_and(|margin| margin < -100.0),
        "{over:?}"
    );
    assert!(
        exact.met && exact.margin.is_some_and(|margin| margin > 0.9),
        "{exact:?}"
    );
    let text = text::render(&report);
    let row = |slo: &str| {
        text.lines()
            .find(|line| line.contains(slo))
            .expect(slo)
            .to_owned()
    };
    assert!(
        row("p(99)<1h").contains('–') && row("p(99)<1ms").contains("≤ -"),
        "{text}"
    );
}

#[test]
fn a_log_says_in_which_unit_its_columns_are() {
    let text = written(closed()).hlog;
    let head = text.lines().next().expect("a head");
    let units = ["values in nanoseconds", "Interval_Max in milliseconds"];
    assert!(units.iter().all(|unit| head.contains(unit)), "{head}");
    let is_interval = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    let maxima = text
        .lines()
        .filter(is_interval)
        .filter_map(|line| line.split(',').nth(2)?.parse().ok());
    let max_ms = maxima.fold(0.0, f64::max);
    let log = Hlog::parse(text.as_bytes()).expect("a log");
    let max_ns = log.times(None).expect("times").max().value as f64;
    assert!(
        (max_ns / 1e6 / max_ms - 1.0).abs() < 1e-3,
        "{max_ns} ns, {max_ms} ms"
    );
}

#[test]
fn a_run_in_which_nothing_was_measured_says_so_in_csv() {
    let mut run = closed();
    // All of it is warm-up.
    run.warmup = 60 * load::clock::SECOND;
    let csv = written(run).csv;
    assert!(csv.contains("\nresponse,,,0,,,INVALID\n"), "{csv}");
}
