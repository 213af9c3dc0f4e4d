//! Figures of trials, from the generator's report or, for other percentiles, from its histograms.

use results::{Error, Figure, Run, Statistic, TimeFigure, Trial};

/// The figure of a trial.
pub fn value(run: &Run, trial: &Trial, figure: Figure) -> Option<f64> {
    bounded(run, trial, figure).map(|(value, _)| value)
}

/// The figure of a trial, and whether it is only a lower bound, because requests were given up.
pub fn bounded(run: &Run, trial: &Trial, figure: Figure) -> Option<(f64, bool)> {
    match figure.of(trial) {
        Some(value) => Some((value, figure.is_at_least(trial))),
        None => from_histogram(run, trial, figure),
    }
}

/// Sees to it that the histograms can be read that some of these figures are taken from.
///
/// # Errors
/// Which cannot: without them those figures would look as if nobody had measured them.
pub fn check(run: &Run, mut figures: impl Iterator<Item = Figure>) -> Result<(), Error> {
    if figures.all(Figure::is_reported) {
        return Ok(());
    }
    for trial in run.trials.iter().filter(|trial| trial.counts()) {
        run.hlog(trial)?;
    }
    Ok(())
}

fn from_histogram(run: &Run, trial: &Trial, figure: Figure) -> Option<(f64, bool)> {
    let Figure::Time(metric, Statistic::Percentile(percent)) = figure else {
        return None;
    };
    let tag = match (metric, trial.is_open_loop()) {
        (TimeFigure::Latency | TimeFigure::Response, true)
        | (TimeFigure::Latency | TimeFigure::Service, false) => None,
        (TimeFigure::Service, true) => Some("service"),
        (TimeFigure::Wait, _) => Some("wait"),
        (TimeFigure::Lag, _) => Some("lag"),
        _ => return None,
    };
    let log = run.hlog(trial).ok()??;
    let times = log.times(tag).filter(|times| !times.is_empty())?;
    let not_logged = match (metric, log.given_up(tag)) {
        (TimeFigure::Wait | TimeFigure::Lag, _) | (_, Some(_)) => 0.0,
        // A log of before, which has only those that were answered; the others would have taken longer.
        _ => trial.load.as_ref()?.requests.censored.unwrap_or(0) as f64,
    };
    let logged = times.len() as f64;
    let share = percent / 100.0 * (logged + not_logged) / logged;
    let bound = (share <= 1.0).then(|| times.quantile(share))?;
    Some((bound.value as f64 / 1e3, bound.at_least))
}
