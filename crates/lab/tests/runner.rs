//! Plans are measured, gone on with and judged, by a runner that makes its trials up: no process is started.

use std::cell::RefCell;
use std::path::Path;

use contracts::load::{LoadModel, Loop, Report, Requests, Throughput};
use contracts::{Distribution, Unknown};
use lab::commands::run::measure::{conclude, measure_all};
use lab::plan::Plan;
use lab::spec::{Experiment, Models};
use lab::trial::{Job, Measured, Runner};
use results::{Folder, Machine, Manifest, Outcome, Run, Validity};

/// What a trial comes to: its validity, requests per second, and 99th percentile in microseconds.
type Made = (Validity, f64, f64);

/// Makes trials up: `of` is told the model, the seed, and how many trials were asked for before.
struct MadeUp<F> {
    of: F,
    /// The model and the seed of each job.
    jobs: RefCell<Vec<(String, u64)>>,
}

impl<F: Fn(&str, u64, usize) -> Option<Made>> MadeUp<F> {
    fn new(of: F) -> Self {
        let jobs = RefCell::default();
        Self { of, jobs }
    }

    fn models(&self) -> Vec<String> {
        let jobs = self.jobs.borrow();
        jobs.iter().map(|(model, _)| model.clone()).collect()
    }
}

impl<F: Fn(&str, u64, usize) -> Option<Made>> Runner for MadeUp<F> {
    fn run(&self, job: &Job<'_>) -> Option<Measured> {
        let model = job.cell.factors["model"].to_string();
        let mut jobs = self.jobs.borrow_mut();
        let (verdict, per_s, p99_us) = (self.of)(&model, job.seed, jobs.len())?;
        jobs.push((model, job.seed));
        Some(Measured {
            verdict,
            load: Some(report(per_s, p99_us)),
            ..Measured::nothing()
        })
    }
}

/// The report of a closed loop.
fn report(per_s: f64, p99_us: f64) -> Report {
    let mut report = Report {
        requests: Requests {
            completed: Some(1000),
            censored: Some(0),
            ..Default::default()
        },
        throughput: Throughput {
            requests_per_s: Some(per_s),
            ..Default::default()
        },
        service_time_us: Some(Distribution::of(1000, 0, |_| (p99_us, false))),
        ..Default::default()
    };
    report.run.model = LoadModel {
        name: Some(Loop::Closed),
        ..Default::default()
    };
    report
}

/// An experiment over some models, its plan, and a folder for it.
struct Sandbox {
    experiment: Experiment,
    plan: Plan,
    home: tempfile::TempDir,
}

impl Sandbox {
    fn new(models: &str, more: &str) -> Self {
        let text = format!(
            "name = 'x'\nquestion = '?'\nfiles = 'single:1k'\nmodels = {models}\nrepeats = 2\nduration = '1s'\n{more}\n\
             [[load]]\nname = 'closed'\nconnections = 2\n"
        );
        let experiment = Experiment::parse(&text, Path::new("x.toml")).expect("sound");
        let Models::Some(models) = &experiment.models else {
            panic!("a list of models");
        };
        let plan = Plan::of(&experiment, models, Vec::new(), &[0, 1]).expect("a plan");
        let home = tempfile::tempdir().expect("a directory");
        Self {
            experiment,
            plan,
            home,
        }
    }

    fn folder(&self) -> Folder {
        let path = self.home.path().join("run");
        if path.exists() {
            return Folder::resume(&path).expect("gone on with");
        }
        Folder::create(&path, manifest(&self.plan)).expect("a folder")
    }

    /// The finished run; if it was stopped, how many trials are done.
    fn measure(&self, runner: &dyn Runner) -> Result<Run, usize> {
        let mut folder = self.folder();
        let stopped = measure_all(&self.experiment, &self.plan, runner, &mut folder);
        if let Some(done) = stopped.expect("measured") {
            return Err(done);
        }
        let run = conclude(&self.experiment, folder).expect("judged");
        let read = results::read(&run.path).expect("readable");
        // What is handed on is what is on the disk.
        assert_eq!((&run.trials, &run.verdicts), (&read.trials, &read.verdicts));
        Ok(run)
    }
}

fn manifest(plan: &Plan) -> Manifest {
    Manifest {
        schema: results::SCHEMA.into(),
        name: "x".into(),
        question: "?".into(),
        reasoning: String::new(),
        expect: Vec::new(),
        slo: Vec::new(),
        experiment: String::new(),
        experiment_path: "x.toml".into(),
        experiment_hash: "0".into(),
        configs: Default::default(),
        factors: lab::plan::cells::factors(&plan.cells),
        cells: plan.cells.len(),
        repeats: 2,
        seed: 1,
        duration_s: 1.0,
        warm_up_s: 0.5,
        started: "2026-01-01T00:00:00Z".into(),
        started_unix_s: 0.0,
        command: Vec::new(),
        revision: None,
        versions: Default::default(),
        machine: Machine::default(),
        hosts: Vec::new(),
        notices: Vec::new(),
        unknown: Unknown::new(),
    }
}

fn ids(run: &Run) -> Vec<&str> {
    run.trials.iter().map(|trial| trial.id.as_str()).collect()
}

const VALID: Made = (Validity::Valid, 1000.0, 500.0);

#[test]
fn trials_are_made_in_the_order_of_the_plan_and_every_cell_of_a_block_is_asked_the_same() {
    let sandbox = Sandbox::new("['a', 'b', 'c']", "seed = 7");
    let runner = MadeUp::new(|_, _, _| Some(VALID));
    let run = sandbox.measure(&runner).expect("done");
    let planned: Vec<_> = sandbox.plan.trials.iter().map(|trial| trial.id()).collect();
    assert_eq!(ids(&run), planned);
    let seeds: Vec<_> = runner.jobs.borrow().iter().map(|(_, seed)| *seed).collect();
    assert_eq!(seeds, [8, 8, 8, 9, 9, 9]);
}

#[test]
fn a_run_that_was_stopped_goes_on_where_it_was() {
    let sandbox = Sandbox::new("['a', 'b', 'c']", "");
    let stopped = MadeUp::new(|_, _, before| (before < 4).then_some(VALID));
    assert_eq!(sandbox.measure(&stopped).err(), Some(4));
    let others = MadeUp::new(|_, _, _| Some((Validity::Valid, 2000.0, 500.0)));
    let run = sandbox.measure(&others).expect("done");
    let models = [stopped.models(), others.models()].concat();
    let planned = sandbox.plan.trials.iter().map(|trial| trial.cell);
    let planned: Vec<_> = planned
        .map(|cell| sandbox.plan.cells[cell].factors["model"].to_string())
        .collect();
    assert_eq!((models, others.models().len()), (planned, 2));
    assert!(run.is_complete());
}

#[test]
fn a_trial_whose_generator_was_disturbed_is_made_again_and_one_that_failed_is_not() {
    let invalid = (Validity::Invalid, 900.0, 500.0);
    let failed = (Validity::Failed, 0.0, 0.0);
    // Disturbed once, always, and a server that fails.
    for (attempts, of, expected) in [
        (
            2,
            vec![invalid, VALID, VALID],
            vec!["c000-r1", "c000-r1-a2", "c000-r2"],
        ),
        (
            3,
            vec![invalid; 6],
            vec![
                "c000-r1",
                "c000-r1-a2",
                "c000-r1-a3",
                "c000-r2",
                "c000-r2-a2",
                "c000-r2-a3",
            ],
        ),
        (1, vec![invalid; 2], vec!["c000-r1", "c000-r2"]),
        (3, vec![failed; 2], vec!["c000-r1", "c000-r2"]),
    ] {
        let sandbox = Sandbox::new("['a']", &format!("attempts = {attempts}"));
        let runner = MadeUp::new(|_, _, before| of.get(before).copied());
        let run = sandbox.measure(&runner).expect("no more was asked for");
        assert_eq!(ids(&run), expected);
        assert!(run.is_complete());
    }
}

#[test]
fn one_that_was_stopped_between_two_attempts_goes_on_with_the_next() {
    let invalid = (Validity::Invalid, 900.0, 500.0);
    let sandbox = Sandbox::new("['a']", "attempts = 3");
    let stopped = MadeUp::new(|_, _, before| (before < 1).then_some(invalid));
    assert_eq!(sandbox.measure(&stopped).err(), Some(0));
    let run = sandbox
        .measure(&MadeUp::new(|_, _, _| Some(VALID)))
        .expect("done");
    assert_eq!(ids(&run), ["c000-r1", "c000-r1-a2", "c000-r2"]);
}

#[test]
fn expectations_and_objectives_are_judged_by_what_counts() {
    let expect = "expect = [{ text = 'slow is slow', ratio = 'slow / fast <= 0.6' }, { text = 'no', ratio = 'slow / fast > 1' }]\n\
        slo = ['p(99)<1ms']";
    let sandbox = Sandbox::new("['fast', 'slow']", expect);
    let runner = MadeUp::new(|model, seed, _| {
        Some(match model {
            "fast" => (Validity::Valid, 1000.0 + seed as f64, 500.0),
            _ => (Validity::Suspect, 500.0 - seed as f64, 2000.0),
        })
    });
    let run = sandbox.measure(&runner).expect("done");
    let verdicts = run.verdicts.as_ref().expect("judged");
    let expectations = verdicts.expectations.iter().map(|judged| judged.outcome);
    assert_eq!(
        expectations.collect::<Vec<_>>(),
        [Outcome::Met, Outcome::Missed]
    );
    for slo in &verdicts.slo {
        let expected = match slo.factors["model"].to_string().as_str() {
            "fast" => Outcome::Met,
            _ => Outcome::Missed,
        };
        assert_eq!(slo.outcome, expected, "{slo:?}");
    }
    assert_eq!(verdicts.slo.len(), 2);
}
