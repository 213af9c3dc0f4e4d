//! A results folder that was written by an earlier archbench is read as it was.

use std::fs;
use std::path::{Path, PathBuf};

use results::{Figure, Run, Statistic, TimeFigure};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/reference")
}

fn run() -> Run {
    results::read(&folder()).unwrap_or_else(|error| panic!("{error}"))
}

/// Missing fields and `null` are the same, and so are 3 and 3.0.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.iter().map(normal).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), normal(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Every field of `written` that `read` does not have as it was.
fn lost(path: &str, written: &Value, read: &Value) -> Vec<String> {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => written
            .iter()
            .flat_map(|(name, value)| match read.get(name) {
                Some(read) => lost(&format!("{path}/{name}"), value, read),
                None => vec![format!("{path}/{name}")],
            })
            .collect(),
        (Value::Array(written), Value::Array(read)) if written.len() == read.len() => written
            .iter()
            .zip(read)
            .enumerate()
            .flat_map(|(index, (written, read))| lost(&format!("{path}/{index}"), written, read))
            .collect(),
        _ if written == read => Vec::new(),
        _ => vec![format!("{path}: {written} became {read}")],
    }
}

#[test]
fn it_is_complete_and_its_figures_are_what_they_were() {
    let run = run();
    assert!(run.is_complete());
    assert_eq!(run.cells().len(), run.manifest.cells);
    let verdicts = run.verdicts.as_ref().expect("it was concluded");
    assert_eq!(verdicts.expectations.len(), run.manifest.expect.len());
    // Of those that do not count, too.
    for trial in &run.trials {
        let path = folder().join("trials").join(format!("{}.json", trial.id));
        let text = fs::read_to_string(path).expect("it is there");
        let written: Value = serde_json::from_str(&text).expect("JSON");
        let at = |pointer: &str| written.pointer(pointer).and_then(Value::as_f64);
        let median = Figure::Time(TimeFigure::Service, Statistic::Percentile(50.0));
        for (figure, expected) in [
            (median, at("/load/service_time_us/p50")),
            (Figure::Completed, at("/load/requests/completed")),
            (Figure::MinorFaults, at("/server/faults/minor")),
            (Figure::Throughput, at("/load/throughput/requests_per_s")),
        ] {
            assert!(expected.is_some_and(|figure| figure > 0.0), "{figure}");
            assert_eq!(figure.of(trial), expected, "{} {figure}", trial.id);
        }
        let log = run.hlog(trial).expect("readable").expect("kept");
        assert!(log.merged(None).is_some_and(|times| !times.is_empty()));
    }
}

#[test]
fn nothing_of_it_is_lost_when_it_is_written_again() {
    let run = run();
    let written = |path: PathBuf| -> Value {
        let text = fs::read_to_string(path).expect("it is there");
        normal(&serde_json::from_str(&text).expect("JSON"))
    };
    let read = |value: &dyn Fn() -> serde_json::Result<Value>| normal(&value().expect("JSON"));
    let manifest = read(&|| serde_json::to_value(&run.manifest));
    let verdicts = read(&|| serde_json::to_value(&run.verdicts));
    let mut gone = lost(
        "manifest",
        &written(folder().join("manifest.json")),
        &manifest,
    );
    gone.extend(lost(
        "verdicts",
        &written(folder().join("verdicts.json")),
        &verdicts,
    ));
    for trial in &run.trials {
        let path = folder().join("trials").join(format!("{}.json", trial.id));
        let again = read(&|| serde_json::to_value(trial));
        gone.extend(lost(&trial.id, &written(path), &again));
    }
    assert!(gone.is_empty(), "{gone:#?}");
}
