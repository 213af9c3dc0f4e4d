//! What this version does not know is kept wherever it stands, and what it knows may be missing.

use contracts::compare::ComparedRuns;
use contracts::doctor::Diagnoses;
use contracts::load::{Report, Rule};
use contracts::models::Models;
use contracts::plan::PlannedRun;
use contracts::results::{Manifest, Trial, Verdicts};
use contracts::search::HighestRates;
use contracts::slo::JudgedObjectives;
use contracts::{Document, Line, disk, link, serve, wire};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A field that no version has.
const NEW: &str = "of_a_later_version";

/// Objects whose names are data, so that every field of them is known.
const MAPS: [&str; 10] = [
    "status",
    "errors",
    "connects_failed",
    "connections_made_to",
    "statuses",
    "factors",
    "configs",
    "versions",
    "mitigations",
    "remarks",
];

/// Adds an unknown field to every object.
fn add(name: &str, value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| add(name, value)),
        Value::Object(fields) if !MAPS.contains(&name) && name != "limits" => {
            for (name, value) in fields.iter_mut() {
                add(name, value);
            }
            fields.insert(NEW.into(), json!({"kept": [1, null, {"as": "it came"}]}));
        }
        _ => {}
    }
}

/// Writes, adds, reads and writes again: nothing may differ.
fn keeps_all<T: Serialize + DeserializeOwned>(document: &T) {
    let mut extended = serde_json::to_value(document).expect("JSON");
    add("", &mut extended);
    let read: T = serde_json::from_value(extended.clone()).expect("it is read");
    assert_eq!(serde_json::to_value(&read).expect("JSON"), extended);
    assert!(extended.to_string().matches(NEW).count() > 1, "{extended}");
}

/// Every optional object and list of a document is there once, so that each type is tried.
fn full() -> (Report, serve::Ready, serve::Summary) {
    let times = json!({"mean": 1.5, "min": 1.0, "max": 2.0, "p50": 1.5, "count": 2, "censored": 0, "at_least": ["max"]});
    let report = json!({
        "schema": Report::SCHEMA, "verdict": "VALID",
        "findings": [{"level": "SUSPECT", "rule": "drift", "text": "it drifts"}, {"level": "SUSPECT", "rule": "new", "text": "?"}],
        "requests": {"completed": 2, "errors": {"timeout": 1}}, "throughput": {"requests_per_s": 2.0},
        "response_time_us": times, "service_time_us": times, "connection_wait_us": times, "generator_lag_us": times,
        "first_byte_us": times, "connect_time_us": times, "session_time_us": times,
        "fairness": {"jain": 1.0, "answers": [1.0, 1.0]}, "stationarity": {"steady": true},
        "slo": [{"slo": "p(99)<1ms", "met": true, "limit": 1000.0, "unit": "us"}], "series": [{"at_s": 1.0, "completed": 2}],
        "generator": {"threads": 1},
        "run": {"model": {"name": "open", "stages": [{"from_per_s": 1.0, "to_per_s": 1.0}], "think": {"constant_s": 0.0}}},
        "host": {"name": "here"},
        "parts": [{"share": "1/2", "state": "cut_short", "start": {"began_unix_s": 1.0, "clock": {"ahead_s": 0.5}}, "response_time_us": times}],
    });
    let ready =
        json!({"event": "ready", "address": "127.0.0.1:1", "descriptors": {"soft_limit": 1024}});
    let summary = json!({
        "event": "summary", "requests": 2, "status": {"2xx": 2}, "errors": {"broken": 0}, "server_time_us": times,
        "cpu": {"user_s": 0.5}, "context_switches": {"voluntary": 3}, "faults": {"minor": 4}, "remarks": {"deepest stack": "12 KiB"},
        "stages": [{"name": "parse", "over_time": {"at_s": [0.1], "queue": [1.0]}}],
        "blocking_graph": [{"from": "receive", "to": "end", "count": 3, "mean_us": 1.5, "memory_bytes": -1024.0, "descriptors": -1.0}],
    });
    (
        Report::parse(&report.to_string()).expect("a report"),
        serve::Ready::parse(&ready.to_string()).expect("a line"),
        serve::Summary::parse(&summary.to_string()).expect("a line"),
    )
}

#[test]
fn unknown_fields_survive_at_every_depth() {
    let (report, ready, summary) = full();
    assert_eq!(report.findings[1].rule, Rule::Other("new".into()));
    keeps_all(&report);
    keeps_all(&ready);
    keeps_all(&summary);
    let operations = json!({"count": 1, "bytes": 5});
    let gone = json!({"event": "summary", "reads": operations, "metadata": {}, "lateness_us": {"mean": 1.0}});
    keeps_all(&disk::Summary::parse(&gone.to_string()).expect("a line"));
    let option = json!({"name": "helpers", "value": "N", "default": "4", "help": "how many"});
    let models = json!({"schema": Models::SCHEMA, "version": "1.0.0",
        "models": [{"name": "amped", "summary": "helps", "behaviours": [{"options": ""}], "options": [option]}]});
    keeps_all(&Models::parse(&models.to_string()).expect("models"));
    let joined = json!({"event": "ready", "rtt_ms": 80.0, "server": {"address": "198.18.0.1"}, "client": {}});
    keeps_all(&link::Ready::parse(&joined.to_string()).expect("a line"));
    let ended = json!({"event": "summary", "carried": carried()});
    keeps_all(&link::Summary::parse(&ended.to_string()).expect("a line"));
    keeps_all(&wire::Summary::parse(&captured().to_string()).expect("a line"));
    let factors = json!({"model": "amped", "rate": 100.0});
    let trial = json!({
        "schema": "archbench.results/1", "id": "c000-r1", "cell": 0, "factors": factors, "repeat": 1, "block": 1, "order": 1,
        "verdict": "FAILED", "failure": {"step": "serving", "reason": "it fell silent"}, "started_unix_s": 0.5, "elapsed_s": 1.5,
        "load": report, "server": summary, "samples": [sample()],
        "network": {"description": "a link", "way": "user-space", "carried": carried()},
        "wire": [{"at": "server", "summary": captured(), "trace": "c000-r1-server.pcapng"}],
    });
    keeps_all(&serde_json::from_value::<Trial>(trial).expect("a trial"));
    let judged =
        json!({"text": "so", "ratio": "a > 1", "outcome": "met", "estimate": 2.5, "level": 0.95});
    let slo = json!({"cell": 0, "factors": factors, "slo": "p(99)<1ms", "outcome": "missed", "limit": 1.5, "unit": "us"});
    let verdicts = json!({"schema": "archbench.results/1", "expectations": [judged], "slo": [slo]});
    keeps_all(&serde_json::from_value::<Verdicts>(verdicts).expect("verdicts"));
    keeps_all(&serde_json::from_value::<Manifest>(manifest()).expect("a manifest"));
}

/// What the commands print that judge, as short as it may be.
fn judged() -> [Value; 5] {
    let factors = json!({"model": "amped", "rate": 100.0});
    let slo = json!({"cell": 0, "factors": factors, "slo": "p(99)<1ms", "outcome": "met", "limit": 1.5, "unit": "us"});
    let figure = json!({"cell": "amped", "factors": factors, "figure": "p99", "unit": "us", "medians": [1.5, null],
        "at_least": [false, false], "verdict": "too few repeats"});
    let cell = json!({"cell": 0, "factors": factors});
    [
        json!({"schema": "archbench.slo/1", "results": "here", "complete": true, "objectives": [slo]}),
        json!({"schema": "archbench.compare/1", "a": "x", "b": "y", "margin": 0.5, "level": 0.5, "figures": [figure]}),
        json!({"schema": "archbench.search/1", "slo": ["p(99)<1ms"], "level": 0.5, "models": [{"model": "amped"}]}),
        json!({"schema": "archbench.doctor/1", "diagnoses": [{"subject": "cores", "level": "ok", "found": "2"}]}),
        json!({"schema": "archbench.plan/1", "name": "x", "question": "?", "factors": [], "cells": [cell], "trials": ["c000-r1"],
            "repeats": 1, "seed": 1, "warm_up_s": 0.5, "duration_s": 1.5, "estimated_s": 2.5, "server_cores": [0],
            "generator_cores": [1], "expect": [{"text": "so", "ratio": "a > 1"}]}),
    ]
}

#[test]
fn what_judging_commands_print_is_read_and_kept() {
    let [slo, compare, search, doctor, plan] = judged().map(|document| document.to_string());
    keeps_all(&JudgedObjectives::parse(&slo).expect("objectives"));
    keeps_all(&ComparedRuns::parse(&compare).expect("two runs"));
    keeps_all(&HighestRates::parse(&search).expect("rates"));
    keeps_all(&Diagnoses::parse(&doctor).expect("diagnoses"));
    keeps_all(&PlannedRun::parse(&plan).expect("a plan"));
    let error = PlannedRun::parse(&slo).expect_err("another document");
    assert!(
        error.to_string().contains("archbench.plan/1 is read here"),
        "{error}"
    );
}

fn carried() -> Value {
    json!({"to_server": {"packets": 3, "bytes": 200, "lost": 1}, "to_client": {"mean_wait_us": 0.5}})
}

fn captured() -> Value {
    json!({"event": "summary", "verdict": "SUSPECT", "notes": ["dropped"], "port": 80, "requests": 2, "first_byte_us": {"p50": 1.5},
        "last_byte_us": {"p50": 2.5}, "request_us": {}, "handshake_us": {}, "to_server": {"packets": 3}, "to_client": {"giant": 1},
        "captured": {"packets": 9, "dropped": 1}})
}

fn sample() -> Value {
    json!({"at_s": 0.5, "cpu_user_s": 0.5, "cpu_system_s": 0.5, "resident_bytes": 1, "processes": 1, "threads": 1,
        "voluntary_switches": 1, "involuntary_switches": 1, "minor_faults": 1, "major_faults": 1})
}

fn manifest() -> Value {
    json!({
        "schema": "archbench.results/1", "name": "x", "question": "?", "expect": [{"text": "so", "ratio": "a > 1"}],
        "experiment": "", "experiment_path": "x.toml", "experiment_hash": "0", "cells": 1, "repeats": 1, "seed": 1,
        "factors": [{"name": "rate", "column": "rate_per_s", "unit": "requests/s"}], "duration_s": 1.5, "warm_up_s": 0.5,
        "started": "", "started_unix_s": 0.5, "command": [], "machine": {"kernel": "Linux"},
    })
}

#[test]
fn a_field_may_be_missing_or_null() {
    let small = r#"{"schema": "archbench.load/1", "verdict": "VALID", "requests": null, "findings": null, "run": {"model": null}}"#;
    let report = Report::parse(small).expect("a report");
    assert_eq!(report.requests.completed, None);
    assert!(!report.is_open_loop());
}

#[test]
fn what_is_wrong_is_told() {
    let report = |text: &str| Report::parse(text).expect_err("no report").to_string();
    for (text, part) in [
        ("nothing", "it is no JSON"),
        ("{}", "of schema none"),
        (
            r#"{"schema": "archbench.load/2"}"#,
            "of schema archbench.load/2, and archbench.load/1 is read here",
        ),
        (
            r#"{"schema": "archbench.load/1", "verdict": "GOOD"}"#,
            "unknown variant `GOOD`",
        ),
        (
            r#"{"schema": "archbench.load/1", "requests": {"sent": 1.5}}"#,
            "a whole number",
        ),
    ] {
        let problem = report(text);
        assert!(problem.contains(part), "{problem}");
    }
    let ready = |text: &str| serve::Ready::parse(text).expect_err("no line").to_string();
    for (text, part) in [
        (
            r#"{"event": "summary"}"#,
            "its event is 'summary', and 'ready' is due",
        ),
        (r#"{"event": "ready"}"#, "missing field `address`"),
        (
            r#"{"event": "ready", "schema": "archbench.serve/2", "address": ""}"#,
            "archbench.serve/1 is read here",
        ),
    ] {
        let problem = ready(text);
        assert!(problem.contains(part), "{problem}");
    }
}
