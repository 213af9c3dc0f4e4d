//! The trials of a plan, done by whoever does trials, and judged.

use std::time::Duration;

use contracts::Unknown;
use results::{Folder, Run, SCHEMA, Trial, Validity, Verdicts};

use crate::Failure;
use crate::analysis::{judge, objectives};
use crate::commands::progress::Progress;
use crate::plan::{Plan, PlannedTrial};
use crate::spec::Experiment;
use crate::table::{label, show};
use crate::trial::{FinishedTrial, Job, Runner};

/// Has the trials done that are still to be done; gives how many are done when it was stopped.
///
/// # Errors
/// When a trial cannot be written.
pub fn measure_all(
    experiment: &Experiment,
    plan: &Plan,
    runner: &dyn Runner,
    folder: &mut Folder,
) -> Result<Option<usize>, Failure> {
    let mut progress = Progress::new(plan.trials.len(), plan.duration(experiment, 1));
    for notice in &folder.run().manifest.notices {
        progress.say(&format!("notice: {notice}"));
    }
    let factors = folder.run().manifest.factors.clone();
    let shown: Vec<_> = factors
        .iter()
        .filter(|factor| factor.name != "files")
        .collect();
    for trial in &plan.trials {
        for attempt in 1..=experiment.attempts {
            let trial = PlannedTrial { attempt, ..*trial };
            let id = trial.id();
            if !folder.has(&id) {
                let Some(finished) =
                    measure(experiment, plan, runner, &trial, &shown, &mut progress)
                else {
                    progress.finish();
                    return Ok(Some(trial.order - 1));
                };
                for (name, packets) in &finished.traces {
                    folder.attach(name, packets)?;
                }
                folder.append(finished.trial, finished.hlog.as_deref())?;
            }
            // A server that fails is a finding; only what the generator spoiled is made again.
            let spoiled = |one: &Trial| one.id == id && one.verdict == Validity::Invalid;
            if !folder.run().trials.iter().any(spoiled) {
                break;
            }
        }
    }
    progress.finish();
    Ok(None)
}

/// Does one trial; `None` when it was stopped.
fn measure(
    experiment: &Experiment,
    plan: &Plan,
    runner: &dyn Runner,
    trial: &PlannedTrial,
    shown: &[&results::Factor],
    progress: &mut Progress,
) -> Option<FinishedTrial> {
    let cell = &plan.cells[trial.cell];
    let again = match trial.attempt {
        1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    let what = format!(
        "{} repeat {}{again}",
        label(&cell.factors, shown),
        trial.repeat
    );
    progress.begins(trial.order, &what);
    let job = Job {
        cell,
        // The same for every cell of a block, so that they are asked the same.
        seed: experiment.seed.wrapping_add(trial.repeat as u64),
        warm_up: experiment.warm_up.0,
        duration: experiment.duration.0,
        timeout: experiment.timeout.0,
        cache: experiment.cache,
        wire: experiment.wire,
        upstream: experiment.upstream.as_ref(),
    };
    let measured = runner.run(&job)?;
    let elapsed = Duration::from_secs_f64(measured.elapsed_s);
    let finished = measured.into_trial(trial, cell, experiment.cache);
    let trouble = finished.trial.verdict >= Validity::Invalid;
    progress.ends(&what, &outcome(&finished.trial), trouble, elapsed);
    Some(finished)
}

/// A trial in a line.
pub(crate) fn outcome(trial: &Trial) -> String {
    if let Some(failure) = &trial.failure {
        return format!("FAILED {}: {}", failure.step, failure.reason);
    }
    let figures = ["throughput", "p50", "p99"].iter().filter_map(|name| {
        let figure: results::Figure = name.parse().ok()?;
        Some(format!("{name} {}", show(figure, figure.of(trial)?)))
    });
    let mut words = vec![trial.verdict.to_string()];
    words.extend(figures);
    let line = words.join("  ");
    match (trial.verdict, trial.reasons.first()) {
        (Validity::Valid, _) | (_, None) => line,
        (_, Some(reason)) => format!("{line}  ({reason})"),
    }
}

/// Judges the finished trials.
///
/// # Errors
/// When the verdicts cannot be written.
pub fn conclude(experiment: &Experiment, folder: Folder) -> Result<Run, Failure> {
    let run = folder.run();
    let objectives: Vec<_> = experiment.slo.iter().map(|slo| slo.0.clone()).collect();
    let verdicts = Verdicts {
        schema: SCHEMA.into(),
        expectations: judge::expectations(run, &experiment.expect),
        slo: objectives::matrix(run, &objectives),
        unknown: Unknown::new(),
    };
    Ok(folder.conclude(verdicts)?)
}
