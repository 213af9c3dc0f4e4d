//! A figure of a cell, over its repeats.

use results::{Cell, Figure, Trial};

/// The confidence of every interval.
pub(crate) const LEVEL: f64 = 0.95;

/// A figure of a cell over its repeats.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Estimate {
    /// The mean over the repeats that count; over all, if none does.
    pub(crate) value: f64,
    /// Student's interval for the mean, if two or more repeats count.
    pub(crate) range: Option<(f64, f64)>,
    /// Every repeat, and whether it is invalid.
    pub(crate) each: Vec<(f64, bool)>,
    /// None counts.
    pub(crate) invalid: bool,
    /// Requests were given up, so the truth is this or more.
    pub(crate) at_least: bool,
}

/// A figure over the repeats of a cell; `scale` takes it to the unit of the axis.
pub(crate) fn estimate(
    cell: &Cell<'_>,
    scale: f64,
    of: impl Fn(&Trial) -> Option<f64>,
) -> Option<Estimate> {
    let figures = cell
        .trials
        .iter()
        .filter_map(|trial| Some((of(trial)? * scale, !trial.counts())));
    let each: Vec<(f64, bool)> = figures.filter(|(value, _)| value.is_finite()).collect();
    let counted: Vec<f64> = each
        .iter()
        .filter(|(_, invalid)| !invalid)
        .map(|(value, _)| *value)
        .collect();
    let invalid = counted.is_empty();
    let values = match invalid {
        true => each.iter().map(|(value, _)| *value).collect(),
        false => counted,
    };
    if values.is_empty() {
        return None;
    }
    let range = match invalid {
        true => None,
        // All that is drawn here is 0 or more.
        false => stats::student_t(&values, LEVEL)
            .ok()
            .map(|interval| (interval.low.max(0.0), interval.high)),
    };
    Some(Estimate {
        value: stats::sample::mean(&values),
        range,
        each,
        invalid,
        at_least: false,
    })
}

/// The same for a figure that has a name; times in seconds.
pub(crate) fn named(cell: &Cell<'_>, figure: Figure) -> Option<Estimate> {
    let scale = match figure {
        Figure::Time(..) | Figure::CpuPerRequest => 1e-6,
        Figure::ErrorPercent => 1e-2,
        _ => 1.0,
    };
    let mut estimate = estimate(cell, scale, |trial| figure.of(trial))?;
    estimate.at_least = cell
        .trials
        .iter()
        .any(|trial| trial.counts() && figure.is_at_least(trial));
    Some(estimate)
}
