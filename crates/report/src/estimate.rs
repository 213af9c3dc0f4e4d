//! A figure of a cell, over its repeats.

use results::{Cell, Figure, Trial};

/// The confidence of every interval.
pub(crate) const LEVEL: f64 = 0.95;

/// A figure of a cell over its repeats.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Estimate {
    /// The median over the repeats that count; over all, if none does.
    pub(crate) value: f64,
    /// Its interval, if two or more repeats count.
    pub(crate) range: Option<(f64, f64)>,
    /// Of a single repeat, how well its run knows the figure: half an interval, as a share. How much repeats differ it cannot know.
    pub(crate) within_run: Option<f64>,
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
    let mut values = match invalid {
        true => each.iter().map(|(value, _)| *value).collect(),
        false => counted,
    };
    if values.is_empty() {
        return None;
    }
    let range = match invalid {
        true => None,
        // All that is drawn here is 0 or more.
        false => stats::typical(&values, LEVEL)
            .ok()
            .map(|interval| (interval.low.max(0.0), interval.high)),
    };
    Some(Estimate {
        value: stats::sample::median(&mut values),
        range,
        within_run: None,
        each,
        invalid,
        at_least: false,
    })
}

/// The same for a figure that has a name; times in seconds.
pub(crate) fn named(cell: &Cell<'_>, figure: Figure) -> Option<Estimate> {
    let scale = match figure {
        Figure::Time(..) | Figure::CpuPerRequest => 1e-6,
        Figure::ErrorPercent | Figure::Availability | Figure::AvailableSeconds => 1e-2,
        _ => 1.0,
    };
    let mut estimate = estimate(cell, scale, |trial| figure.of(trial))?;
    estimate.at_least = cell
        .trials
        .iter()
        .any(|trial| trial.counts() && figure.is_at_least(trial));
    let mut counted = cell.trials.iter().filter(|trial| trial.counts());
    if let (Some(only), None) = (counted.next(), counted.next()) {
        estimate.within_run = figure.precision(only);
    }
    Some(estimate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::fixture::Fixture;

    /// What is made of the values of three repeats.
    fn of(values: [f64; 3]) -> Estimate {
        let home = tempfile::tempdir().unwrap();
        let fixture = Fixture {
            models: vec!["sped".into()],
            rates: vec![1000.0],
            connections: vec![],
            repeats: values.len(),
            seconds: 1,
            mishaps: false,
            ..Fixture::default()
        };
        let run = fixture.write(&home.path().join("run")).unwrap();
        estimate(&run.cells()[0], 2.0, |trial| {
            values.get(trial.repeat - 1).copied()
        })
        .unwrap()
    }

    #[test]
    fn one_repeat_that_is_far_off_does_not_move_the_figure() {
        let found = of([1.0, 9.0, 2.0]);
        let interval = stats::typical(&[2.0, 4.0, 18.0], LEVEL).unwrap();
        assert_eq!(found.value, 4.0);
        let (low, high) = found.range.unwrap();
        assert!((low / interval.low - 1.0).abs() < 1e-9 && low > 0.0);
        assert!((high / interval.high - 1.0).abs() < 1e-9 && high > 18.0);
    }

    #[test]
    fn intervals_do_not_go_below_nothing() {
        let found = of([0.0, 1.0, 0.0]);
        let (low, high) = found.range.unwrap();
        assert!(found.value == 0.0 && low == 0.0 && high > 1.0, "{found:?}");
    }
}
