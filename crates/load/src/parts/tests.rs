//! Parts of a run, on virtual time and a simulated server: what all have written is what one process would have.

mod hostile;
mod simulated;
mod verdicts;

use super::find::Reader;
use super::fold::Fold;
use super::second;
use crate::cli::tests::parse;
use crate::clock::seconds;
use crate::prepare::prepare;
use crate::record::Record;
use crate::report::histograms::Log;
use crate::run::Run;
use contracts::part::{PartAsked, PartLine};
use simulated::{Server, serve};

/// The run that is typed, or a part of it.
fn typed(line: &str) -> Run {
    prepare(&parse(line).expect(line)).expect(line).run
}

/// The parts of a run that is typed.
fn parts(line: &str, of: u32) -> Vec<Run> {
    let part = |number| typed(&format!("{line} --share {number}/{of}"));
    (1..=of).map(part).collect()
}

/// What each part of the run that is asked for in whole would write, line by line.
fn lines(asked: &PartAsked, (part, parts): (u32, u32), seconds: &[Record]) -> Vec<PartLine> {
    let line = |line| PartLine {
        schema: PartLine::SCHEMA.to_owned(),
        run_id: "a".to_owned(),
        part,
        parts,
        line,
        ..PartLine::default()
    };
    let first = PartLine {
        asked: Some(Box::new(asked.clone())),
        ..line(0)
    };
    let written = (1_u64..).zip(seconds).map(|(number, record)| PartLine {
        second: Some(Box::new(second::written(
            &crate::collect::CollectedSecond {
                at_s: number as f64,
                ..Default::default()
            },
            record,
        ))),
        ..line(number)
    });
    std::iter::once(first).chain(written).collect()
}

/// As they go through a pipe.
fn piped(line: &PartLine) -> PartLine {
    let text = format!(
        "[1,0]<stdout>:{}\n",
        serde_json::to_string(line).expect("JSON")
    );
    Reader::default().read(text.as_bytes()).expect("a line")
}

fn sum(seconds: &[Record]) -> Record {
    let mut sum = Record::default();
    seconds.iter().for_each(|second| sum.merge(second));
    sum
}

/// Bin by bin, and count by count.
fn assert_same(one: &Record, other: &Record, what: &str) {
    for (number, (one, other)) in one.times().into_iter().zip(other.times()).enumerate() {
        assert!(one == other, "{what}: times {number}");
    }
    let counts = |record: &Record| format!("{:?}", record.counts);
    assert_eq!(counts(one), counts(other), "{what}");
    assert_eq!(one.batches.filled(), other.batches.filled(), "{what}");
}

#[test]
fn what_parts_wrote_is_what_one_process_would_have() {
    for (line, server) in [
        ("-R 2000 --poisson -d 5s", Server::Queue { mean_us: 350.0 }),
        ("-R 2000 -d 5s -n 9000", Server::Queue { mean_us: 350.0 }),
        (
            "-R 900 -d 5s",
            Server::Stalls {
                every_ms: 1000,
                for_ms: 300,
            },
        ),
        (
            "-R 300 --poisson -d 5s --session-requests 4 --think exp:5ms",
            Server::Queue { mean_us: 350.0 },
        ),
        (
            "-c 12 -d 5s --think exp:4ms",
            Server::Delay { mean_us: 900.0 },
        ),
    ] {
        let whole = serve(&[typed(line)], server, 5);
        let expected = sum(&whole[0]);
        assert!(expected.counts.completed > 3_000, "{line}");
        let asked = asked(line);
        for of in [1, 2, 4, 7] {
            let served = serve(&parts(line, of), server, 5);
            let mut fold = Fold::new(asked.clone(), of, false);
            let mut all: Vec<_> = (1..)
                .zip(&served)
                .flat_map(|(part, seconds)| lines(&asked, (part, of), seconds))
                .collect();
            // As a launcher gathers them: by time, and within a second the last part first.
            all.sort_by_key(|line| (line.line, std::cmp::Reverse(line.part)));
            for line in &all {
                fold.add(piped(line)).expect("a line of this run");
            }
            let put_together = fold.finish(None).expect("a run").outcome;
            assert_same(
                &put_together.record,
                &expected,
                &format!("{line}, {of} parts"),
            );
            // The series too is that of one process.
            let of_one = whole[0].iter().map(|second| second.counts.completed);
            let series = put_together.seconds.iter().map(|second| second.completed);
            assert!(series.eq(of_one), "{line}, {of} parts");
        }
    }
}

fn asked(line: &str) -> PartAsked {
    PartAsked {
        run: prepare(&parse(line).expect(line)).expect(line).whole,
        build: "b".to_owned(),
        ..PartAsked::default()
    }
}

/// The closed form that one process is held against too: M/M/1, whose response time is exponential with rate μ − λ.
#[test]
fn parts_of_a_poisson_stream_meet_in_one_queue() {
    let (lambda, mean_us) = (500.0, 1_000.0);
    for of in [1, 2, 4] {
        let runs = parts(&format!("-R {lambda} --poisson -d 300s"), of);
        let served = serve(&runs, Server::Queue { mean_us }, 1);
        let all = sum(&served.concat());
        let expected_s = 1.0 / (1e6 / mean_us - lambda);
        let mean_s = all.response.mean() / 1e9;
        assert!(
            (mean_s / expected_s - 1.0).abs() < 0.05,
            "{of} parts: {mean_s} {expected_s}"
        );
        for p in [0.5_f64, 0.9, 0.99] {
            let expected_s = -(1.0 - p).ln() * expected_s;
            let found_s = seconds(all.response.value_at_quantile(p));
            assert!(
                (found_s / expected_s - 1.0).abs() < 0.1,
                "{of} parts, {p}: {found_s} {expected_s}"
            );
        }
    }
}

/// T(p) = d − (1 − p)·P for a server that is stopped for d in every P.
#[test]
fn parts_see_a_stall_as_long_as_one_process_does() {
    let (every_ms, for_ms) = (1000, 200);
    for of in [1, 2, 4] {
        let runs = parts("-R 1000 -d 60s", of);
        let served = serve(&runs, Server::Stalls { every_ms, for_ms }, 1);
        let all = sum(&served.concat());
        for p in [0.85_f64, 0.9, 0.99] {
            let expected_s = (for_ms as f64 - (1.0 - p) * every_ms as f64) / 1e3;
            let found_s = seconds(all.response.value_at_quantile(p));
            assert!(
                (found_s - expected_s).abs() < 0.003,
                "{of} parts, {p}: {found_s} {expected_s}"
            );
        }
    }
}

#[test]
fn the_histogram_log_of_a_run_has_the_times_of_all_parts() {
    let line = "-R 2000 --poisson -d 3s";
    let served = serve(&parts(line, 3), Server::Queue { mean_us: 300.0 }, 3);
    let asked = asked(line);
    let mut fold = Fold::new(asked.clone(), 3, true);
    let written = (1..).zip(&served);
    for line in written.flat_map(|(part, seconds)| lines(&asked, (part, 3), seconds)) {
        fold.add(line).expect("a line");
    }
    let mut log = Log::new(false, 0);
    let whole = fold.finish(Some(&mut log)).expect("a run");
    let read = results::Hlog::parse(log.text()).expect("a log");
    let response = &whole.outcome.record.response;
    let logged = read.merged(None).expect("response times");
    assert_eq!(
        (logged.len(), logged.max()),
        (response.len(), response.max())
    );
    assert_eq!(
        read.intervals.first().map(|first| first.length.as_secs()),
        Some(1)
    );
    let service = read.merged(Some("service")).expect("service times");
    assert_eq!(service.len(), whole.outcome.record.service.len());
}
