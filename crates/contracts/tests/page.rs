//! The examples of the page are what the types read.

use contracts::compare::{Change, ComparedRuns};
use contracts::load::{Loop, Report};
use contracts::part::PartLine;
use contracts::{Document, Line, Validity, serve};

const PAGE: &str = include_str!("../CONTRACTS.md");

/// The blocks of JSON, in their order.
fn examples() -> Vec<&'static str> {
    let blocks = PAGE.split("```json\n").skip(1);
    blocks
        .filter_map(|block| Some(block.split_once("```")?.0))
        .collect()
}

#[test]
fn they_are_read_and_nothing_of_them_is_unknown() {
    let [ready, summary, report, part, compared] = examples()[..] else {
        panic!("two lines, a report, a line of a part and a comparison");
    };
    let part: PartLine = serde_json::from_str(part).expect("a line of a part");
    assert_eq!(part.schema, PartLine::SCHEMA);
    assert!(
        part.second
            .is_some_and(|second| second.times.contains_key("response"))
    );
    let ready = serve::Ready::parse(ready).expect("a readiness line");
    assert_eq!(ready.address, "127.0.0.1:8080");
    let summary = serve::Summary::parse(summary).expect("a summary line");
    let report = Report::parse(report).expect("a report");
    assert_eq!(report.verdict, Some(Validity::Valid));
    assert_eq!(report.run.model.name, Some(Loop::Open));
    let mut compared = ComparedRuns::parse(compared).expect("two runs");
    let figure = compared.figures.remove(0);
    assert_eq!(figure.verdict, Change::Faster);
    let unknown = [
        compared.unknown,
        figure.unknown,
        ready.unknown,
        summary.unknown,
        report.unknown,
        report.requests.unknown,
        report.run.unknown,
    ];
    assert!(
        unknown.iter().all(|fields| fields.is_empty()),
        "{unknown:?}"
    );
    let times = report.response_time_us.expect("times");
    assert!(times.unknown.is_empty() && times.p99_9 == Some(2100.0));
}

#[test]
fn every_schema_is_in_the_page() {
    for schema in [
        serve::SCHEMA,
        serve::SEEN_SCHEMA,
        Report::SCHEMA,
        PartLine::SCHEMA,
        contracts::models::Models::SCHEMA,
        contracts::disk::SCHEMA,
        contracts::link::SCHEMA,
        contracts::wire::SCHEMA,
        contracts::results::SCHEMA,
        contracts::plan::PlannedRun::SCHEMA,
        contracts::slo::JudgedObjectives::SCHEMA,
        contracts::compare::ComparedRuns::SCHEMA,
        contracts::search::HighestRates::SCHEMA,
        contracts::doctor::Diagnoses::SCHEMA,
    ] {
        assert!(PAGE.contains(schema), "{schema}");
    }
}
