//! The most telling circumstances of what was measured, and how it went under them.

use crate::estimate::named;
use crate::figures::series::Course;
use crate::study::{Panel, Study};

/// Of offered loads the highest that all could still bear; otherwise the highest.
pub(crate) fn telling_level(panel: &Panel<'_>) -> f64 {
    let levels = panel.levels();
    let borne = |level: f64| {
        panel.lines.iter().all(|line| {
            let cell = line.at(level);
            let rate = cell.and_then(|cell| named(cell, results::Figure::Throughput));
            rate.is_some_and(|rate| !rate.invalid && rate.value >= 0.95 * level)
        })
    };
    let highest = levels.last().copied().unwrap_or(0.0);
    if !panel.is_by_rate() {
        return highest;
    }
    levels
        .iter()
        .rev()
        .copied()
        .find(|level| borne(*level))
        .unwrap_or(highest)
}

/// How the first repeat that counts went, of each model; where none does, the first of all, marked.
pub(crate) fn courses(study: &Study<'_>, panel: &Panel<'_>, level: f64) -> Vec<Course> {
    let mut courses = Vec::new();
    for line in &panel.lines {
        let Some(cell) = line.at(level) else {
            continue;
        };
        let counted = cell.trials.iter().find(|trial| trial.counts());
        let Some(trial) = counted.or_else(|| cell.trials.iter().find(|trial| trial.hlog.is_some()))
        else {
            continue;
        };
        if let Some(log) = study.log(trial) {
            let load = trial.load.as_ref();
            let measured_from = load.and_then(|load| load.run.warmup_s).unwrap_or(0.0);
            let invalid = !trial.counts();
            courses.extend(Course::of(
                &line.model,
                line.look,
                invalid,
                &log,
                measured_from,
            ));
        }
    }
    courses
}
