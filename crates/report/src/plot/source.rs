//! What a file is, and how it is read.

use super::kind::FigureKind;
use super::percentiles::Percentiles;
use crate::distribution::{Distribution, NANOS};
use crate::error::Error;
use crate::figure::Look;
use crate::figures::series::{Course, SeriesPoint, measured};
use crate::study::{RESPONSE, SERVICE};
use command::input;
use contracts::load::{Loop, Report};
use contracts::{Document, PERCENTILES, Statistic};
use results::{Hlog, Run, Validity};
use stats::hist::Censored;
use std::path::{Path, PathBuf};

/// What can be drawn.
const EXPECTED: &str =
    "a results folder, .hlog, .hgrm, CSV or JSON of `archbench load`, or CSV of HdrHistogram";

/// Something that was read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) label: String,
    pub(crate) content: Content,
}

/// What it holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// A whole run.
    Results(Box<Run>),
    /// A histogram for each second.
    Log(Hlog),
    /// A percentile distribution.
    Percentiles(Percentiles),
    /// A load generator's report.
    Load(Box<Report>),
}

impl Source {
    pub(crate) fn read(path: &Path, label: String) -> Result<Self, Error> {
        let content = if path.is_dir() {
            Content::Results(Box::new(results::read(path)?))
        } else {
            let bytes = input::bytes(path).map_err(Error::Input)?;
            parse(&bytes).map_err(|problem| Error::Malformed {
                path: path.into(),
                problem,
            })?
        };
        Ok(Self {
            path: path.into(),
            label,
            content,
        })
    }

    /// Its distribution of times, if it is a file that has one.
    pub(crate) fn distribution(&self) -> Option<Distribution> {
        match &self.content {
            Content::Results(_) => None,
            Content::Log(log) => {
                let given_up = log.given_up(None).unwrap_or(0);
                Distribution::of(log.answered(None)?, given_up)
            }
            Content::Percentiles(percentiles) => percentiles.distribution(),
            Content::Load(load) => reported(load),
        }
    }

    /// Its course over time, if it is a file that has one.
    pub(crate) fn course(&self, look: Look) -> Option<Course> {
        match &self.content {
            Content::Log(log) => Course::of(&self.label, look, self.is_invalid(), log, 0.0),
            Content::Load(load) => course(&self.label, look, load),
            Content::Percentiles(percentiles) => (percentiles.seconds.len() > 1).then(|| Course {
                label: self.label.clone(),
                look,
                invalid: percentiles.invalid,
                seconds: percentiles.seconds.clone(),
            }),
            Content::Results(_) => None,
        }
    }

    /// What its times are, as far as it says so; in a closed loop nothing is due, and there is no response time.
    pub(crate) fn times(&self) -> Option<&'static str> {
        let open = match &self.content {
            Content::Results(_) | Content::Percentiles(_) => return None,
            // What comes first in a closed loop is the service time, which then has no tag of its own.
            Content::Log(log) => {
                let has = |tag| log.of(Some(tag)).next().is_some();
                match has("service") {
                    false if !has("lag") => return None,
                    open => open,
                }
            }
            Content::Load(load) => load.run.model.name? != Loop::Closed,
        };
        Some(if open { RESPONSE } else { SERVICE })
    }

    /// A single figure of it, if it is a file that has one, and whether that is only a lower bound; times in seconds.
    pub(crate) fn value(&self, kind: FigureKind) -> Option<(f64, bool)> {
        match &self.content {
            Content::Results(_) => None,
            Content::Log(log) => {
                of_times(kind, &log.times(None).filter(|times| !times.is_empty())?)
            }
            Content::Percentiles(percentiles) => match kind {
                FigureKind::Latency => percentiles.quantile(0.99),
                _ => None,
            },
            Content::Load(load) => of_report(kind, load),
        }
    }

    /// Whether it is a file that says that it is not to be believed.
    pub(crate) fn is_invalid(&self) -> bool {
        match &self.content {
            Content::Results(_) => false,
            Content::Log(log) => log.verdict == Some(Validity::Invalid),
            Content::Percentiles(percentiles) => percentiles.invalid,
            Content::Load(load) => load.verdict == Some(Validity::Invalid),
        }
    }
}

/// By its content: names lie.
fn parse(bytes: &[u8]) -> Result<Content, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| format!("this is no text; expected {EXPECTED}"))?;
    let start = text.trim_start();
    if start.starts_with('{') {
        let load = Report::parse(text).map_err(|problem| {
            format!("{problem}; expected what `archbench load --output-format json` writes")
        })?;
        return Ok(Content::Load(Box::new(load)));
    }
    if let Some(percentiles) = Percentiles::read(text) {
        return percentiles.map(Content::Percentiles);
    }
    if start.starts_with("#[")
        || start.starts_with('"')
        || start.starts_with("Tag=")
        || text.contains(",HIST")
    {
        return match Hlog::parse(bytes) {
            Ok(log) if log.intervals.is_empty() => Err("a histogram log without histograms".into()),
            Ok(log) => Ok(Content::Log(log)),
            Err(problem) => Err(format!("no histogram log: {problem}")),
        };
    }
    Err(format!("expected {EXPECTED}"))
}

/// A figure of times in nanoseconds.
fn of_times(kind: FigureKind, times: &Censored) -> Option<(f64, bool)> {
    let p99 = times.quantile(0.99);
    match kind {
        FigureKind::Latency => Some((p99.value as f64 * NANOS, p99.at_least)),
        FigureKind::LatencyMean => {
            let (mean, at_least) = times.mean();
            Some((mean * NANOS, at_least))
        }
        _ => None,
    }
}

/// A figure of a load generator's report.
fn of_report(kind: FigureKind, load: &Report) -> Option<(f64, bool)> {
    let exact = |value: Option<f64>| Some((value?, false));
    let time = |statistic| {
        let mut times = [&load.response_time_us, &load.service_time_us].into_iter();
        times.find_map(|times| {
            let times = times.as_ref()?;
            Some((times.get(statistic)? * 1e-6, times.is_at_least(statistic)))
        })
    };
    match kind {
        FigureKind::Throughput => exact(load.throughput.requests_per_s),
        FigureKind::Latency => time(Statistic::Percentile(99.0)),
        FigureKind::LatencyMean => time(Statistic::Mean),
        FigureKind::Fairness => exact(load.fairness.as_ref()?.jain),
        _ => None,
    }
}

/// The percentiles that a report has: few, and each exact.
fn reported(load: &Report) -> Option<Distribution> {
    let times = [&load.response_time_us, &load.service_time_us]
        .into_iter()
        .flatten()
        .find(|times| times.p50.is_some())?;
    let count = times.count.or(load.requests.completed).unwrap_or(0);
    let given_up = times.censored.unwrap_or(0);
    let answered = 1.0 - given_up as f64 / count.max(1) as f64;
    let percentiles = PERCENTILES.into_iter().map(Statistic::Percentile);
    let exact = |statistic: &Statistic| !times.is_at_least(*statistic);
    let mut steps = Vec::new();
    for statistic in [Statistic::Min]
        .into_iter()
        .chain(percentiles)
        .filter(exact)
    {
        let share = statistic.quantile()?;
        if let Some(time) = times.get(statistic)
            && share <= 1.0 - 1.0 / count.max(2) as f64
        {
            steps.push((time * 1e-6, share));
        }
    }
    if let Some(most) = times.max.filter(|_| exact(&Statistic::Max)) {
        steps.push((most * 1e-6, 1.0));
    }
    Distribution::from_steps(steps, answered, count)
}

fn course(label: &str, look: Look, load: &Report) -> Option<Course> {
    let mut before = 0.0;
    let measured_from = load.run.warmup_s.unwrap_or(0.0);
    let seconds = load.series.iter().filter_map(|row| {
        let of = measured((before, row.at_s), measured_from);
        before = row.at_s;
        let (at, length) = of?;
        let second = SeriesPoint {
            at,
            rate: row.completed? as f64 / length,
            tail: row
                .p99_us
                .filter(|tail| *tail > 0.0)
                .map(|tail| tail * 1e-6),
            at_least: row.at_least.iter().any(|name| name == "p99"),
        };
        Some(second)
    });
    let seconds: Vec<SeriesPoint> = seconds.collect();
    (seconds.len() > 1).then(|| Course {
        label: label.into(),
        look,
        invalid: load.verdict == Some(Validity::Invalid),
        seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_is_in_them() {
        let hgrm =
            "Value Percentile TotalCount 1/(1-Percentile)\n\n1.000 0.5 10 2.00\n2.000 1.0 20\n";
        assert!(
            matches!(parse(hgrm.as_bytes()), Ok(Content::Percentiles(found)) if found.count == 20)
        );
        let load = r#"{"schema": "archbench.load/1", "response_time_us": {"p50": 100.0, "p99": 900.0, "max": 5000.0, "count": 1000, "at_least": ["max"]}}"#;
        let Ok(Content::Load(load)) = parse(load.as_bytes()) else {
            panic!("not known")
        };
        let steps: Vec<_> = reported(&load)
            .unwrap()
            .steps
            .iter()
            .map(|(time, share)| ((time * 1e6).round(), *share))
            .collect();
        assert_eq!(steps, [(100.0, 0.5), (900.0, 0.99)]);
    }

    #[test]
    fn what_was_warming_up_lowers_no_rate() {
        let row = |at: f64, completed: u64| serde_json::json!({"at_s": at, "completed": completed, "p99_us": 5.0});
        let load = serde_json::json!({
            "schema": "archbench.load/1",
            "run": {"warmup_s": 1.5},
            "series": [row(1.0, 0), row(2.0, 50), row(3.0, 100), row(3.1, 1)],
        });
        let load = Report::parse(&load.to_string()).unwrap();
        let course = course("one", Look::Measured(0), &load).unwrap();
        let seconds: Vec<_> = course
            .seconds
            .iter()
            .map(|second| (second.at, second.rate))
            .collect();
        assert_eq!(seconds, [(1.75, 100.0), (2.5, 100.0)]);
    }

    #[test]
    fn anything_else_is_refused_in_words() {
        let hgrm = "Value Percentile TotalCount\n";
        for text in [
            "",
            "hello",
            "{",
            "{}",
            "{\"schema\": \"other/1\"}",
            "#[log]\n0,1,2,HISTx\n",
            "#[nothing]\n",
            hgrm,
            &format!("{hgrm}1.0 x y\n"),
        ] {
            let problem = parse(text.as_bytes()).unwrap_err();
            assert!(problem.len() > 10, "{text}: {problem}");
        }
        assert!(parse(&[0xff, 0xfe]).is_err());
    }
}
