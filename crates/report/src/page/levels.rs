//! Under which circumstances something was measured: in words, and the most telling ones.

use crate::estimate::named;
use crate::figures::series::Course;
use crate::figures::sweep;
use crate::study::{Panel, Study};

/// The panel and the level, in words.
pub(crate) fn circumstances(panel: &Panel<'_>, level: f64) -> String {
    let at = panel.x.map(|x| sweep::level(x, level));
    let parts = [Some(panel.name.clone()), at]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// Of offered loads the highest that all could still bear; otherwise the highest.
pub(crate) fn telling_level(panel: &Panel<'_>) -> f64 {
    let levels = panel.levels();
    let borne = |level: f64| {
        panel.lines.iter().all(|line| {
            let cell = line.cells.iter().find(|(x, _)| *x == level);
            let rate = cell.and_then(|(_, cell)| named(cell, results::Figure::Throughput));
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
        let Some((_, cell)) = line.cells.iter().find(|(x, _)| *x == level) else {
            continue;
        };
        let counted = cell.trials.iter().find(|trial| trial.counts());
        let Some(trial) = counted.or_else(|| cell.trials.iter().find(|trial| trial.hlog.is_some()))
        else {
            continue;
        };
        if let Some(log) = study.log(trial) {
            let measured_from = trial.load_number("/run/warmup_s").unwrap_or(0.0);
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
