//! Figures of trials, from the generator's report or, for other percentiles, from its histograms.

use results::{Figure, Metric, Run, Statistic, Trial};

/// The figure of a trial.
pub fn value(run: &Run, trial: &Trial, figure: Figure) -> Option<f64> {
    figure
        .of(trial)
        .or_else(|| from_histogram(run, trial, figure))
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
        _ => trial.load_number("/requests/censored").unwrap_or(0.0),
    };
    // The log has those that were answered; the others would have taken longer.
    let answered = histogram.len() as f64;
    let share = percent / 100.0 * (answered + given_up) / answered;
    (share <= 1.0).then(|| histogram.value_at_quantile(share) as f64 / 1e3)
}
