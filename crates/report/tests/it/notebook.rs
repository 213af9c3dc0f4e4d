//! The notebook: its code is the same for every folder, and what it finds is what the report shows.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use crate::support::{catalogue, made, small};
use report::figure::{Content, Figure, Look, Series};
use report::notebook;
use report::plot::{self, FigureKind, Request};
use results::{Level, Run};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Has a Python with the packages of scripts/notebook-requirements.txt; CI sets it.
const PYTHON: &str = "NOTEBOOK_PYTHON";

fn sources(notebook: &Value, kind: &str) -> Vec<String> {
    let cells = notebook["cells"].as_array().unwrap().iter();
    let cells = cells.filter(|cell| cell["cell_type"] == kind);
    let text = |cell: &Value| {
        let lines = cell["source"].as_array().unwrap().iter();
        lines.map(|line| line.as_str().unwrap()).collect::<String>()
    };
    cells.map(text).collect()
}

#[test]
fn nothing_of_a_folder_becomes_code() {
    let mut made = made(&small());
    let usual = notebook::notebook(&made.run);
    assert!(sources(&usual, "code").len() >= 4);
    let hostile = "# %%\nimport os\n<script>alert(1)</script>\n\n![x](http://example.org/x.png)";
    let manifest = &mut made.run.manifest;
    for field in [&mut manifest.question, &mut manifest.name] {
        *field = hostile.into();
    }
    manifest.factors[0].column = hostile.into();
    let other = notebook::notebook(&made.run);
    assert_eq!(sources(&usual, "code"), sources(&other, "code"));
    // In its text it is shown as it is.
    let introduction = &sources(&other, "markdown")[0];
    let mut shown = introduction
        .lines()
        .filter(|line| hostile.contains(line.trim()) && !line.is_empty());
    assert!(shown.all(|line| line.starts_with("    ")), "{introduction}");
    let ids = usual["cells"].as_array().unwrap().iter();
    let ids: std::collections::BTreeSet<_> = ids.map(|cell| cell["id"].as_str()).collect();
    assert_eq!(ids.len(), usual["cells"].as_array().unwrap().len());
}

/// What its code finds; None where there is no Python that has what it needs.
fn executed(path: &Path) -> Option<Value> {
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".into());
    let able = Command::new(&python)
        .args(["-c", "import pandas, matplotlib, hdrh"])
        .stderr(Stdio::null())
        .status();
    if !able.is_ok_and(|status| status.success()) {
        eprintln!(
            "SKIPPED: {python} lacks what notebooks need: pip install -r scripts/notebook-requirements.txt, and {PYTHON} says which python has it"
        );
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/notebook/execute.py");
    let output = Command::new(python)
        .arg(script)
        .arg(path)
        .current_dir(path.parent().unwrap())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The figure as the report has it, of what was measured.
fn series(kind: FigureKind, folder: &Path, at: &str) -> Vec<Series> {
    let request = Request {
        kind,
        sources: vec![folder.to_owned()],
        labels: Vec::new(),
        at: Some(at.into()),
        title: None,
        x_log: None,
        y_log: None,
    };
    let Figure { content, .. } = plot::figure(&request, &catalogue()).unwrap();
    let Content::Chart(chart) = content else {
        panic!("{kind} is a chart");
    };
    let series = chart.series.into_iter();
    series
        .filter(|series| !matches!(series.look, Look::Theory(_)))
        .collect()
}

/// The number of a cell, as the notebook has it.
fn cell(run: &Run, model: &str, factor: &str, level: f64) -> String {
    let cells = run.cells();
    let found = cells.iter().find(|cell| {
        let number = cell.factors.get(factor).and_then(Level::number);
        cell.factors["model"].to_string() == model && number == Some(level)
    });
    found.unwrap().number.to_string()
}

fn assert_near(found: &Value, expected: f64, what: &str) {
    let found = found.as_f64().unwrap_or(f64::NAN);
    assert!(
        (found / expected - 1.0).abs() < 1e-6,
        "{what}: {found}, not {expected}"
    );
}

#[test]
fn what_its_code_finds_is_what_the_report_shows() {
    let made = made(&small());
    let path = notebook::write(&made.run, None).unwrap();
    assert_eq!(path.file_name().unwrap(), "explore.ipynb");
    let Some(found) = executed(&path) else {
        return;
    };
    let mut compared = 0;
    for (load, factor, words) in [
        ("poisson", "rate", " requests/s"),
        ("closed", "connections", " clients"),
    ] {
        for (kind, column, scale) in [
            (FigureKind::Throughput, "throughput_requests_per_s", 1.0),
            (FigureKind::LatencyMean, "latency_mean_us", 1e6),
            (FigureKind::Latency, "latency_p99_us", 1e6),
            (FigureKind::Cpu, "server_cpu_per_request_us", 1e6),
        ] {
            for series in series(kind, &made.path, load) {
                for point in series.points.iter().filter(|point| !point.invalid) {
                    let cell = cell(&made.run, &series.label, factor, point.x);
                    let what = format!("{kind} of {} at {load} {}", series.label, point.x);
                    assert_near(&found["medians"][&cell][column], point.y * scale, &what);
                    compared += 1;
                }
            }
        }
        let levels = made.run.trials.iter();
        let levels = levels.filter_map(|trial| trial.factors.get(factor)?.number());
        let levels: std::collections::BTreeSet<u64> = levels.map(|level| level as u64).collect();
        for level in levels {
            let at = format!("{load}, {level}{words}");
            for series in series(FigureKind::Cdf, &made.path, &at) {
                let marked = series.points.iter().filter(|point| {
                    let label = point.label.as_deref().unwrap_or_default();
                    label.contains(" within ") && !point.invalid
                });
                for point in marked {
                    let cell = cell(&made.run, &series.label, factor, level as f64);
                    let what = format!("{} of {} at {at}", point.y, series.label);
                    let share = point.y.to_string();
                    assert_near(&found["quantiles"][&cell][&share], point.x, &what);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 60, "{compared}");
    // A row of two for each of four circumstances, and one of throughput; a line for each of three models in each, and the repeats.
    assert_eq!(found["axes"], serde_json::json!([8, 1]));
    let lines: u64 = found["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lines| lines.as_u64().unwrap())
        .sum();
    assert!(lines >= 20, "{lines}");
}
