//! Figures of trials, from the generator's report or, for other percentiles, from its histograms.

use results::{Error, Figure, Metric, Run, Statistic, Trial};

/// The figure of a trial.
pub fn value(run: &Run, trial: &Trial, figure: Figure) -> Option<f64> {
    figure
        .of(trial)
        .or_else(|| from_histogram(run, trial, figure))
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

fn from_histogram(run: &Run, trial: &Trial, figure: Figure) -> Option<f64> {
    let Figure::Time(metric, Statistic::Percentile(percent)) = figure else {
        return None;
    };
    let tag = match (metric, trial.is_open_loop()) {
        (Metric::Latency | Metric::Response, true) | (Metric::Latency | Metric::Service, false) => {
            None
        }
        (Metric::Service, true) => Some("service"),
        (Metric::Wait, _) => Some("wait"),
        (Metric::Lag, _) => Some("lag"),
        _ => return None,
    };
    let histogram = run.hlog(trial).ok()??.merged(tag)?;
    let given_up = match metric {
        Metric::Wait | Metric::Lag => 0.0,
        _ => trial.load.as_ref()?.requests.censored.unwrap_or(0) as f64,
    };
    // The log has those that were answered; the others would have taken longer.
    let answered = histogram.len() as f64;
    let share = percent / 100.0 * (answered + given_up) / answered;
    (share <= 1.0).then(|| histogram.value_at_quantile(share) as f64 / 1e3)
}
