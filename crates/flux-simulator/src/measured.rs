//! Load curves that were measured: from a results folder, or from what `archbench load` has reported.

use contracts::load::Report;
use contracts::{Statistic, Validity};
use results::Run;
use stats::sample::median;

use crate::curve::Arrivals;

/// One load, as it was measured: medians over what counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Requests a second that were offered.
    pub offered_per_s: f64,
    /// How they were spaced.
    pub arrivals: Arrivals,
    /// Requests a second that were answered.
    pub throughput_per_s: f64,
    /// The mean response time, in seconds.
    pub mean_s: f64,
    /// The 99th percentile, in seconds.
    pub p99_s: f64,
    /// How well mean and 99th percentile are known, where one report says so: half an interval, as a share of the figure.
    pub known_to: (Option<f64>, Option<f64>),
}

/// The load curve of a results folder, from the lowest rate on; that of one model, if several were measured.
///
/// # Errors
/// What the folder lacks.
pub fn of_results(run: &Run, model: Option<&str>) -> Result<Vec<Measured>, String> {
    let cells = run.cells();
    let name = |cell: &results::Cell<'_>| {
        let level = cell.factors.get("model").map(ToString::to_string);
        level.unwrap_or_default()
    };
    let mut models: Vec<String> = Vec::new();
    let mut loads: Vec<(f64, Vec<&Report>)> = Vec::new();
    for cell in &cells {
        let Some(rate) = cell.factors.get("rate").and_then(results::Level::number) else {
            continue;
        };
        let counts = cell.trials.iter().filter(|trial| trial.counts());
        let reports: Vec<_> = counts.filter_map(|trial| trial.load.as_ref()).collect();
        if model.is_some_and(|model| model != name(cell)) || reports.is_empty() {
            continue;
        }
        models.push(name(cell));
        loads.push((rate, reports));
    }
    models.sort();
    models.dedup();
    if models.len() > 1 {
        let models = models.join(", ");
        return Err(format!(
            "several models were measured: say --model, one of {models}"
        ));
    }
    loads.sort_by(|one, other| one.0.total_cmp(&other.0));
    if let Some(twice) = loads.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(format!(
            "there are several cells at {}/s: the experiment has to differ in nothing but the rate",
            twice[0].0
        ));
    }
    if loads.is_empty() {
        let whose = model.map_or(String::new(), |model| format!(" of '{model}'"));
        return Err(format!(
            "no trial{whose} at a rate counts in there: a load curve is measured in an open loop"
        ));
    }
    loads
        .iter()
        .map(|(rate, reports)| of_load(*rate, reports))
        .collect()
}

/// The load curve of reports, from the lowest rate on; several at one rate are repeats.
///
/// # Errors
/// That none of them is of an open loop at one rate, and counts.
pub fn of_reports(reports: &[Report]) -> Result<Vec<Measured>, String> {
    let mut loads: Vec<(f64, Vec<&Report>)> = Vec::new();
    for report in reports {
        let counts = matches!(report.verdict, Some(Validity::Valid | Validity::Suspect));
        let Some(rate) = rate(report).filter(|_| counts) else {
            continue;
        };
        match loads.iter_mut().find(|(other, _)| *other == rate) {
            Some((_, repeats)) => repeats.push(report),
            None => loads.push((rate, vec![report])),
        }
    }
    if loads.is_empty() {
        return Err("no report is of an open loop at one rate, and counts".into());
    }
    loads.sort_by(|one, other| one.0.total_cmp(&other.0));
    loads
        .iter()
        .map(|(rate, reports)| of_load(*rate, reports))
        .collect()
}

/// The rate of an open loop that has only one.
fn rate(report: &Report) -> Option<f64> {
    match report.run.model.stages.as_deref()? {
        [stage] if stage.from_per_s == stage.to_per_s && report.is_open_loop() => {
            Some(stage.from_per_s)
        }
        _ => None,
    }
}

fn of_load(rate: f64, reports: &[&Report]) -> Result<Measured, String> {
    let of = |name: &str, figure: &dyn Fn(&Report) -> Option<f64>| {
        let mut values: Vec<_> = reports.iter().filter_map(|report| figure(report)).collect();
        match values.is_empty() {
            true => Err(format!("no {name} was measured at {rate}/s")),
            false => Ok(median(&mut values)),
        }
    };
    let time =
        |report: &Report, statistic| Some(report.response_time_us.as_ref()?.get(statistic)? / 1e6);
    let known_to = |statistic: Statistic| match reports {
        [one] => {
            let precision = one.precision.as_ref()?;
            precision.statistics.get(&statistic.to_string())?.relative
        }
        _ => None,
    };
    let is_constant = |report: &&Report| report.run.model.arrivals.as_deref() == Some("constant");
    Ok(Measured {
        offered_per_s: rate,
        arrivals: match reports.iter().all(is_constant) {
            true => Arrivals::Constant,
            false => Arrivals::Poisson,
        },
        throughput_per_s: of("throughput", &|report| report.throughput.requests_per_s)?,
        mean_s: of("mean response time", &|report| {
            time(report, Statistic::Mean)
        })?,
        p99_s: of("99th percentile", &|report| {
            time(report, Statistic::Percentile(99.0))
        })?,
        known_to: (
            known_to(Statistic::Mean),
            known_to(Statistic::Percentile(99.0)),
        ),
    })
}
