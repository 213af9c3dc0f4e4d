//! Runs with a stand-in for archbench, a script that serves nothing and loads nothing: what is tested is the lab.

#[path = "../executable/mod.rs"]
mod executable;
#[path = "../experiment/mod.rs"]
mod experiment;
mod failures;
mod foreign;
mod sandbox;

use std::fs;
use std::time::{Duration, SystemTime};

use lab::commands::run::run;
use results::{Outcome, Validity};

use sandbox::Sandbox;

#[test]
fn an_experiment_is_run_and_judged() {
    let expect = "expect = [{ text = 'slow is slow', ratio = 'slow / good <= 0.6' }, { text = 'no', ratio = 'slow / good > 1' }]\n\
        slo = ['p(99)<1ms']\n";
    let run = Sandbox::new("'all'", expect).done();
    assert_eq!((run.trials.len(), run.manifest.cells), (4, 2));
    assert!(
        run.trials
            .iter()
            .all(|trial| trial.verdict == Validity::Valid)
    );
    let blocks: Vec<_> = run
        .trials
        .iter()
        .map(|trial| (trial.order, trial.block))
        .collect();
    assert_eq!(blocks, [(1, 1), (2, 1), (3, 2), (4, 2)]);
    let verdicts = run.verdicts.as_ref().expect("judged");
    let outcomes: Vec<_> = verdicts
        .expectations
        .iter()
        .map(|judged| judged.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Met, Outcome::Missed]);
    assert!(
        verdicts
            .slo
            .iter()
            .all(|slo| slo.outcome == Outcome::Missed)
    );
    let trial = &run.trials[0];
    assert!(!trial.samples.is_empty() && trial.server.is_some());
    let version = &run.manifest.versions["archbench"];
    assert!(version.starts_with("9.9.9 ("), "{version}");
    assert!(run.manifest.experiment.contains("Is it?"));
    let command = trial.generator_command.join(" ");
    assert!(
        command.contains("load http://127.0.0.1:1 --files single:1k"),
        "{command}"
    );
}

#[test]
fn a_run_that_was_stopped_goes_on_where_it_was() {
    let sandbox = Sandbox::new("['good', 'slow']", "");
    let run = sandbox.done();
    // As if it had been stopped after the first trial.
    fs::remove_file(run.path.join("verdicts.json")).expect("there");
    for trial in &run.trials[1..] {
        fs::remove_file(run.path.join("trials").join(format!("{}.json", trial.id))).expect("there");
    }
    let before = sandbox.loads();
    let again = sandbox.done();
    assert_eq!(
        (again.path, sandbox.loads() - before),
        (run.path.clone(), 3)
    );
    assert_eq!(again.trials[0], run.trials[0]);
    // Of another build, what is missing may not be measured.
    let trial = run.trials.last().expect("a trial");
    fs::remove_file(run.path.join("trials").join(format!("{}.json", trial.id))).expect("there");
    let mut args = sandbox.args();
    args.resume = Some(run.path.clone());
    let rebuilt = fs::File::options()
        .append(true)
        .open(args.archbench.as_ref().expect("given"));
    let later = SystemTime::now() + Duration::from_secs(60);
    rebuilt.expect("a file").set_modified(later).expect("set");
    let error = lab::commands::run::run(args, |_| Ok(None))
        .expect_err("another build")
        .to_string();
    assert!(error.contains("are others than they were"), "{error}");
    // A finished one is left alone, and so is that of another experiment.
    assert_ne!(sandbox.done().path, run.path);
    sandbox.config("['good', 'slow']", "seed = 7\n");
    sandbox.done();
    assert_eq!(sandbox.folders().len(), 3);
    let mut args = sandbox.args();
    args.resume = Some(run.path);
    let error = lab::commands::run::run(args, |_| Ok(None))
        .expect_err("another experiment")
        .to_string();
    assert!(error.contains("has been changed since"), "{error}");
}

#[test]
fn what_cannot_be_right_is_refused_before_the_first_trial() {
    for (models, more, expected) in [
        (
            "['good']",
            "options = '--bad 1'",
            "unexpected argument '--bad'",
        ),
        (
            "['good']",
            "model_options.godo = '--x'",
            "did you mean 'good'?",
        ),
        (
            "['good']",
            "expect = [{ text = 'a', ratio = 'slow < 1' }]",
            "there is no cell slow",
        ),
        (
            "['nobody']",
            "expect = [{ text = 'a', ratio = 'good < 1' }]",
            "model 'nobody': invalid value",
        ),
        ("['good']", "server_cores = [999]", "core 999"),
        ("['good']", "repeat = 1", "did you mean 'repeats'?"),
    ] {
        let sandbox = Sandbox::new(models, more);
        let error = run(sandbox.args(), |_| Ok(None))
            .expect_err(more)
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert!(sandbox.folders().is_empty());
    }
}

#[test]
fn a_dry_run_does_nothing() {
    let sandbox = Sandbox::new("'all'", "");
    let mut args = sandbox.args();
    args.dry_run = true;
    assert!(matches!(run(args, |_| Ok(None)), Ok(0)));
    assert_eq!((sandbox.folders().len(), sandbox.loads()), (0, 0));
}

#[test]
fn a_search_in_which_nothing_can_be_tried_has_failed() {
    for (models, expected) in [(&["good"][..], 0), (&["dies"], 1), (&["dies", "good"], 0)] {
        let sandbox = Sandbox::new("'all'", "");
        let status = lab::commands::search::run(lab::commands::search::Args {
            model: models.iter().map(|model| (*model).to_owned()).collect(),
            options: String::new(),
            slo: vec!["p(99)<1s".parse().expect("an objective")],
            slo_file: None,
            files: "single:1k".parse().expect("a preset"),
            connections: 1,
            duration: Duration::from_millis(10),
            precision: 0.1,
            warm_up: Duration::ZERO,
            repeats: 1,
            resolution: 50.0,
            seed: 1,
            shown: lab::commands::Shown::default(),
            archbench: sandbox.args().archbench,
        });
        assert_eq!(status.expect("tried"), expected, "{models:?}");
    }
}
