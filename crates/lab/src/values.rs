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
    let nanoseconds = histogram.value_at_quantile(percent / 100.0);
    (!histogram.is_empty()).then_some(nanoseconds as f64 / 1e3)
}
