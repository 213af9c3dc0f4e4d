//! Lines as no generator writes them, though each is one: their numbers are added up as far as can be counted, or refused.

use super::asked;
use crate::output::Format;
use crate::parts::merge::{Arguments, run};
use contracts::Document;
use contracts::load::Report;
use contracts::part::{PartEnded, PartLine, PartSecond};
use hdrhistogram::Histogram;

const MOST: u64 = u64::MAX;

/// Two parts with these lines behind that of what was asked for are merged.
fn merged(behind: &[PartLine]) -> Result<Report, String> {
    let home = tempfile::tempdir().expect("a directory");
    for part in 1..=2 {
        let line = PartLine {
            schema: PartLine::SCHEMA.to_owned(),
            run_id: "a".to_owned(),
            part,
            parts: 2,
            ..PartLine::default()
        };
        let first = PartLine {
            asked: Some(Box::new(asked("-R 1000 --poisson -d 5s"))),
            ..line.clone()
        };
        let others = (1..).zip(behind).map(|(number, other)| PartLine {
            line: other.line.max(number),
            second: other.second.clone(),
            ended: other.ended.clone(),
            ..line.clone()
        });
        let lines = std::iter::once(first).chain(others);
        let text: Vec<_> = lines
            .map(|line| serde_json::to_string(&line).expect("JSON"))
            .collect();
        let path = home.path().join(format!("a.{part}-of-2.part"));
        std::fs::write(path, text.join("\n")).expect("written");
    }
    let output = home.path().join("run.json");
    let arguments = Arguments {
        parts: vec![home.path().to_owned()],
        run_id: None,
        slo: Vec::new(),
        output_format: Some(Format::Json),
        output: Some(output.clone()),
        hlog: Some(home.path().join("run.hlog")),
        quiet: true,
    };
    run(&arguments).map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(output).map_err(|error| error.to_string())?;
    Report::parse(&text).map_err(|error| error.to_string())
}

fn second(second: PartSecond) -> PartLine {
    PartLine {
        second: Some(Box::new(second)),
        ..PartLine::default()
    }
}

fn ended(ended: PartEnded) -> PartLine {
    PartLine {
        ended: Some(Box::new(ended)),
        ..PartLine::default()
    }
}

#[test]
fn more_than_can_be_counted_is_refused_with_its_line() {
    let count = |name: &str| [(name.to_owned(), MOST)].into();
    let last_of_all = PartLine {
        line: MOST,
        ..second(PartSecond::default())
    };
    let spoilt = [
        PartSecond {
            counts: count("retried"),
            ..PartSecond::default()
        },
        PartSecond {
            failures: count("timeout"),
            ..PartSecond::default()
        },
        PartSecond {
            statuses: [(200, MOST)].into(),
            ..PartSecond::default()
        },
    ];
    for spoilt in spoilt.map(second).into_iter().chain([last_of_all]) {
        let why = merged(&[spoilt]).expect_err("refused");
        assert!(why.contains("line 2 of "), "{why}");
        assert!(why.contains("another version"), "{why}");
    }
}

#[test]
fn numbers_that_no_run_has_are_added_up_as_far_as_can_be_counted() {
    let mut times = Histogram::<u64>::new(3).expect("a histogram");
    times.auto(true);
    times.saturating_record_n(7, MOST);
    let text = crate::parts::times::encode(&times);
    let far = PartSecond {
        end_ns: MOST,
        times: ["response", "lag", "given_up_response"]
            .map(|name| (name.to_owned(), text.clone()))
            .into(),
        batch_width: 63,
        batches: vec![(1, MOST, MOST)],
        in_flight: MOST,
        waiting: MOST,
        ..PartSecond::default()
    };
    let mut over = PartEnded {
        window_ns: MOST,
        elapsed_ns: MOST,
        last_answer_ns: MOST,
        cpu_ns: [MOST; 3],
        gaps_by_bin: vec![(u32::MAX, MOST), (0, MOST)],
        gaps: [MOST; 2],
        ..PartEnded::default()
    };
    let report = &mut over.report;
    for number in [
        &mut report.requests.scheduled,
        &mut report.requests.unfinished,
        &mut report.requests.never_sent,
        &mut report.generator.threads,
        &mut report.generator.connections,
        &mut report.generator.connections_without_answer,
    ] {
        *number = Some(MOST);
    }
    // All stretches that a run may have, each of them full.
    let full = PartSecond {
        batch_width: 20,
        batches: (0..256).map(|place| (place, MOST, MOST)).collect(),
        ..far.clone()
    };
    let seconds = [far, full.clone(), full].map(second);
    for lines in [
        seconds.to_vec(),
        seconds[1..].to_vec(),
        vec![ended(over.clone())],
        [seconds.as_slice(), &[ended(over)]].concat(),
    ] {
        let report = merged(&lines).expect("a report");
        assert_eq!(report.parts.len(), 2);
    }
}

#[test]
fn a_part_that_cannot_be_is_none() {
    let whole = asked("-c 1 -d 1s");
    for (part, parts) in [(0, 2), (3, 2), (1, u32::MAX)] {
        let line = PartLine {
            schema: PartLine::SCHEMA.to_owned(),
            run_id: "a".to_owned(),
            part,
            parts,
            asked: Some(Box::new(whole.clone())),
            ..PartLine::default()
        };
        let text = serde_json::to_vec(&line).expect("JSON");
        let read = crate::parts::find::Reader::default().read(&text);
        assert_eq!(read, None, "{part} of {parts}");
    }
}

#[test]
fn a_line_is_whole_whatever_its_spaces_and_whatever_stands_in_its_texts() {
    let mut asked = asked("-c 1 -d 1s");
    asked.run.title = Some("archbench.load-part/1 a 1 0 0 1 5 00000000 {".to_owned());
    let line = PartLine {
        schema: PartLine::SCHEMA.to_owned(),
        run_id: "a".to_owned(),
        part: 1,
        parts: 1,
        asked: Some(Box::new(asked)),
        ..PartLine::default()
    };
    let text = serde_json::to_string(&line).expect("JSON");
    let spaced = text.replacen("{\"schema\":", "{ \"schema\" : ", 1);
    assert_ne!(text, spaced);
    for text in [format!("{text}\r\n"), format!("[1,0]<stdout>: {spaced}")] {
        let read = crate::parts::find::Reader::default().read(text.as_bytes());
        assert_eq!(read.as_ref(), Some(&line), "{text}");
    }
}
