//! What the commands that plan, judge and examine print for programs.

use std::process::{Command, Output};

use contracts::Document;
use contracts::compare::{Change, ComparedRuns};
use contracts::doctor::Diagnoses;
use contracts::plan::PlannedRun;
use contracts::search::HighestRates;
use contracts::slo::JudgedObjectives;

use crate::{ARCHBENCH, Sandbox};

/// The document that a command printed; it had to end with this status.
fn document<D: Document>(output: &Output, status: i32) -> D {
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{text}\n{complaint}");
    D::parse(&text).unwrap_or_else(|problem| panic!("{problem}: {text}"))
}

fn archbench(typed: &[&str]) -> Output {
    Command::new(ARCHBENCH)
        .args(typed)
        .output()
        .expect("it runs")
}

#[test]
fn a_plan() {
    let sandbox = Sandbox::new();
    let plan: PlannedRun = document(&sandbox.run(&["--dry-run", "--output-format", "json"]), 0);
    assert_eq!((plan.cells.len(), plan.trials.len()), (3, 6));
    let first: Vec<_> = plan.trials[..3].iter().map(|id| &id[4..]).collect();
    assert_eq!(first, ["-r1", "-r1", "-r1"]);
    assert!(plan.unknown.is_empty() && sandbox.lines("servers").is_empty());
    let refused = sandbox.run(&["--output-format", "json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--dry-run"));
}

#[test]
fn what_a_run_was_held_against() {
    let sandbox = Sandbox::new();
    assert!(sandbox.run(&[]).status.success());
    let folder = sandbox.folders().remove(0);
    let folder = folder.to_str().expect("a name");
    for format in [&["--output-format", "json"][..], &["--json"]] {
        let slo = ["slo", folder, "--slo", "service:p(99)<1us"];
        let judged: JudgedObjectives = document(&archbench(&[&slo, format].concat()), 3);
        assert_eq!((judged.results.as_str(), judged.complete), (folder, true));
        assert_eq!(judged.objectives.len(), 3);
        let figure = ["compare", folder, folder, "--figure", "service:p(99)"];
        let compared: ComparedRuns = document(&archbench(&[&figure, format].concat()), 0);
        assert_eq!(compared.figures.len(), 3);
        let first = &compared.figures[0];
        assert_eq!(
            (first.verdict, first.medians),
            (Change::None, [Some(9.0); 2])
        );
        assert_eq!(first.factors["model"], "one".into());
    }
}

#[test]
fn what_was_searched_for() {
    let sandbox = Sandbox::new();
    let stand_in = sandbox.at("archbench");
    let typed = "search --model one --slo p(99)<1s --files single:1k -d 10ms --warm-up 0s --repeats 1 --resolution 50 -c 1";
    let output = Command::new(ARCHBENCH)
        .args(typed.split(' '))
        .args(["--output-format", "json", "--archbench"])
        .arg(stand_in)
        .env("XDG_CACHE_HOME", sandbox.at("cache"))
        .output()
        .expect("it runs");
    let found: HighestRates = document(&output, 0);
    assert_eq!(found.slo, ["p(99)<1s"]);
    assert_eq!(found.models[0].model, "one");
    assert!(found.models[0].closed_loop_per_s.is_some());
}

#[test]
fn what_a_machine_suffers_from() {
    let output = archbench(&["doctor", "--output-format", "json"]);
    let status = output.status.code().expect("it ended");
    let found: Diagnoses = document(&output, status);
    assert!(found.diagnoses.iter().any(|one| one.subject == "cores"));
}
