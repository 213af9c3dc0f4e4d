//! The stages of a server that is made of some, or its kinds of actors, over time, as in SEDA's figures 8 and 9.

use super::series::over_time;
use super::sweep::titled;
use crate::figure::{Axis, Chart, Content, Figure, Look, Series, Unit};
use crate::page::levels::telling_level;
use crate::study::{Study, slug};
use contracts::serve::{StageSeries, StageSummary};
use results::Trial;

/// What is drawn of stages.
pub(crate) struct Measure {
    pub(crate) id: &'static str,
    title: &'static str,
    axis: &'static str,
    unit: Unit,
    /// The values of a stage, and what one of them is in the unit.
    of: fn(&StageSeries) -> (&[f64], f64),
}

/// All that is.
pub(crate) const MEASURES: [Measure; 6] = [
    Measure {
        id: "stage-queue",
        title: "Length of each stage's queue",
        axis: "Events that wait",
        unit: Unit::Plain,
        of: |series| (&series.queue, 1.0),
    },
    Measure {
        id: "stage-threads",
        title: "Threads of each stage",
        axis: "Threads",
        unit: Unit::Plain,
        of: |series| (&series.threads, 1.0),
    },
    Measure {
        id: "stage-batch",
        title: "Batches of each stage",
        axis: "Events at a time, at the most",
        unit: Unit::Plain,
        of: |series| (&series.batch, 1.0),
    },
    Measure {
        id: "stage-service",
        title: "Time of each stage for an event",
        axis: "Time for an event",
        unit: Unit::Seconds,
        of: |series| (&series.service_us, 1e-6),
    },
    Measure {
        id: "stage-rejects",
        title: "Events that each stage rejected",
        axis: "Rejected",
        unit: Unit::PerSecond,
        of: |series| (&series.rejected_per_s, 1.0),
    },
    Measure {
        id: "stage-restarts",
        title: "Restarts after defects in each stage",
        axis: "Restarts",
        unit: Unit::PerSecond,
        of: |series| (&series.restarts_per_s, 1.0),
    },
];

/// Servers that are shown.
const MOST: usize = 6;

/// Of each panel at its most telling level, of each server that has stages the first repeat that counts.
pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut shown = 0;
    for panel in &study.panels {
        let level = telling_level(panel);
        for line in &panel.lines {
            let mut trials = line.at(level).into_iter().flat_map(|cell| &cell.trials);
            let staged = |trial: &&&Trial| !trial.stages().is_empty();
            let counts = |trial: &&&Trial| trial.counts() && staged(trial);
            let Some(trial) = trials.clone().find(counts).or_else(|| trials.find(staged)) else {
                continue;
            };
            shown += 1;
            if shown > MOST {
                return figures;
            }
            let name = titled(&line.model, &panel.circumstances(level));
            let stages = trial.stages();
            let drawn = MEASURES.iter();
            figures.extend(drawn.filter_map(|measure| figure(measure, &name, trial, stages)));
        }
    }
    figures
}

/// Nothing if it was nothing all the time.
fn figure(measure: &Measure, name: &str, trial: &Trial, stages: &[StageSummary]) -> Option<Figure> {
    let series = stages.iter().enumerate().map(|(place, stage)| {
        let (values, scale) = (measure.of)(&stage.over_time);
        let values = values.iter().map(|value| value * scale);
        let times = stage.over_time.at_s.iter().copied();
        let (look, invalid) = (Look::nth(place), !trial.counts());
        over_time(
            (&stage.name, look, invalid),
            measure.unit,
            times.zip(values),
        )
    });
    let mut points = 0;
    let series: Vec<Series> = series
        .filter(|series| series.points.iter().any(|point| point.y > 0.0))
        .inspect(|series| points = points.max(series.points.len()))
        .collect();
    (points > 1).then(|| Figure {
        id: format!("{}-{}", measure.id, slug(name)),
        title: titled(measure.title, name),
        about: "Of one repeat; looked at ten times a second, or less often if it was long.".into(),
        content: Content::Chart(Chart {
            x: Axis::linear("Time since the server started (s)", Unit::Clock),
            y: Axis::linear(measure.axis, measure.unit),
            series,
        }),
    })
}
