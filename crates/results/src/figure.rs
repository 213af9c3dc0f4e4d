//! Figures by name, as expectations, objectives, tables and columns use them.

use std::fmt;
use std::str::FromStr;

use crate::trial::Trial;

/// A figure of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// Requests answered per second.
    Throughput,
    /// Bytes received per second.
    Bandwidth,
    /// A statistic of a time, in microseconds.
    Time(Metric, Statistic),
    /// Requests answered.
    Completed,
    /// Requests that were given up.
    Censored,
    /// Requests that failed.
    Errors,
    /// The same in percent of those that were due.
    ErrorPercent,
    /// Jain's fairness index over clients, from their share of all answers: 1 if all got the same.
    Fairness,
    /// The server's processor time for each request, in microseconds.
    CpuPerRequest,
    /// The server's context switches for each request.
    SwitchesPerRequest,
    /// The most resident memory of all the server's processes together, in bytes.
    PeakResident,
    /// The most threads of the server.
    PeakThreads,
    /// The most processes of the server.
    PeakProcesses,
    /// Page faults of the server served without the disk.
    MinorFaults,
    /// Page faults of the server that had to wait for the disk.
    MajorFaults,
}

/// Which time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The response time in an open loop, the service time in a closed one, which has no due times.
    Latency,
    /// From when it was due to the last byte.
    Response,
    /// From writing to the last byte.
    Service,
    /// From when it was due until a connection was free.
    Wait,
    /// The generator's own delay.
    Lag,
    /// From writing to the first byte.
    FirstByte,
    /// From asking for a connection to having it.
    Connect,
    /// From the intended start of a session to the last byte of its last request.
    Session,
}

/// What of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The least.
    Min,
    /// The most.
    Max,
    /// The percentile at 0 to 100.
    Percentile(f64),
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is.
    Higher,
    /// Less is.
    Lower,
}

/// No figure is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no figure; expected throughput, bandwidth, p(N), mean, median, max, service:p(N), connect:max, fairness, cpu_per_request, switches_per_request, errors, error_percent, censored, completed, peak_resident, peak_threads, peak_processes, minor_faults or major_faults"
)]
pub struct UnknownFigure(String);

/// Figures that are called by one word.
const WORDS: [(&str, Figure, &str); 13] = [
    (
        "throughput",
        Figure::Throughput,
        "throughput_requests_per_s",
    ),
    ("bandwidth", Figure::Bandwidth, "throughput_bytes_per_s"),
    ("completed", Figure::Completed, "completed_requests"),
    ("censored", Figure::Censored, "censored_requests"),
    ("errors", Figure::Errors, "errors"),
    ("error_percent", Figure::ErrorPercent, "errors_percent"),
    ("fairness", Figure::Fairness, "fairness_jain"),
    (
        "cpu_per_request",
        Figure::CpuPerRequest,
        "server_cpu_per_request_us",
    ),
    (
        "switches_per_request",
        Figure::SwitchesPerRequest,
        "server_context_switches_per_request",
    ),
    (
        "peak_resident",
        Figure::PeakResident,
        "server_peak_resident_bytes",
    ),
    ("peak_threads", Figure::PeakThreads, "server_peak_threads"),
    (
        "peak_processes",
        Figure::PeakProcesses,
        "server_peak_processes",
    ),
    ("minor_faults", Figure::MinorFaults, "server_minor_faults"),
];
const MAJOR: (&str, Figure, &str) = ("major_faults", Figure::MajorFaults, "server_major_faults");

/// The times of a request, by the names in expectations and in the generator's report.
const METRICS: [(&str, Metric, &str); 8] = [
    ("latency", Metric::Latency, "latency"),
    ("response", Metric::Response, "response_time_us"),
    ("service", Metric::Service, "service_time_us"),
    ("wait", Metric::Wait, "connection_wait_us"),
    ("lag", Metric::Lag, "generator_lag_us"),
    ("first_byte", Metric::FirstByte, "first_byte_us"),
    ("connect", Metric::Connect, "connect_time_us"),
    ("session", Metric::Session, "session_time_us"),
];

/// The percentiles that a generator reports.
pub const PERCENTILES: [f64; 6] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99];

impl Metric {
    /// As expectations call it.
    pub fn name(self) -> &'static str {
        METRICS
            .iter()
            .find(|(_, metric, _)| *metric == self)
            .map_or("latency", |(name, ..)| name)
    }

    /// The member of the generator's report that holds it for this trial.
    fn member(self, trial: &Trial) -> &'static str {
        let metric = match self {
            Self::Latency if trial.is_open_loop() => Self::Response,
            Self::Latency => Self::Service,
            other => other,
        };
        METRICS
            .iter()
            .find(|(_, other, _)| *other == metric)
            .map_or("", |(.., member)| member)
    }
}

impl Statistic {
    /// As the generator's report calls it, like `p99.9`.
    fn member(self) -> String {
        match self {
            Self::Mean => "mean".into(),
            Self::Min => "min".into(),
            Self::Max => "max".into(),
            Self::Percentile(percent) => format!("p{percent}"),
        }
    }
}

impl Figure {
    /// Every figure that `trials.csv` has a column for.
    pub fn all() -> Vec<Self> {
        let statistics = [Statistic::Mean, Statistic::Min, Statistic::Max]
            .into_iter()
            .chain(PERCENTILES.map(Statistic::Percentile));
        let words = WORDS.iter().chain([&MAJOR]).map(|(_, figure, _)| *figure);
        let times = METRICS
            .iter()
            .flat_map(|(_, metric, _)| statistics.clone().map(|s| Self::Time(*metric, s)));
        words.chain(times).collect()
    }

    /// Its column, with the unit in the name.
    pub fn column(self) -> String {
        match self {
            Self::Time(metric, statistic) => {
                format!(
                    "{}_{}_us",
                    metric.name(),
                    statistic.member().replace('.', "_")
                )
            }
            word => word.row().2.to_owned(),
        }
    }

    /// Its unit for axes and tables, empty for counts.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Throughput => "requests/s",
            Self::Bandwidth => "B/s",
            Self::Time(..) | Self::CpuPerRequest => "µs",
            Self::ErrorPercent => "%",
            Self::PeakResident => "B",
            _ => "",
        }
    }

    /// Which way is better.
    pub fn better(self) -> Better {
        match self {
            Self::Throughput | Self::Bandwidth | Self::Completed | Self::Fairness => Better::Higher,
            _ => Better::Lower,
        }
    }

    /// The figure of a trial, if it has it. A percentile that the generator did not report is not made up.
    pub fn of(self, trial: &Trial) -> Option<f64> {
        let server = |pointer| trial.server_number(pointer);
        match self {
            Self::Throughput => trial.load_number("/throughput/requests_per_s"),
            Self::Bandwidth => trial.load_number("/throughput/bytes_per_s"),
            Self::Time(Metric::Response, _) if !trial.is_open_loop() => None,
            Self::Time(metric, statistic) => trial
                .load
                .as_ref()?
                .get(metric.member(trial))?
                .get(statistic.member())?
                .as_f64(),
            Self::Completed => trial.load_number("/requests/completed"),
            Self::Censored => trial.load_number("/requests/censored"),
            Self::Errors => trial.load_number("/requests/errors_total"),
            Self::ErrorPercent => trial
                .load_number("/requests/error_percent")
                .or_else(|| percent_of_ended(trial)),
            Self::Fairness => trial.load_number("/fairness/jain"),
            Self::CpuPerRequest => server("/cpu/per_request_us"),
            Self::SwitchesPerRequest => {
                let requests = server("/requests").filter(|requests| *requests > 0.0)?;
                let voluntary = server("/context_switches/voluntary")?;
                Some((voluntary + server("/context_switches/involuntary")?) / requests)
            }
            Self::PeakResident => trial
                .samples
                .iter()
                .map(|sample| sample.resident_bytes as f64)
                .reduce(f64::max)
                .or_else(|| server("/peak_resident_bytes_of_largest_process")),
            Self::PeakThreads => server("/peak_threads"),
            Self::PeakProcesses => server("/peak_processes"),
            Self::MinorFaults => server("/faults/minor"),
            Self::MajorFaults => server("/faults/major"),
        }
    }

    /// Whether generators report it. Of other percentiles only the histograms know.
    pub fn is_reported(self) -> bool {
        !matches!(self, Self::Time(_, Statistic::Percentile(percent)) if !PERCENTILES.contains(&percent))
    }

    /// Whether the figure of a trial is only a lower bound, because requests were given up.
    pub fn is_at_least(self, trial: &Trial) -> bool {
        let Self::Time(metric, statistic) = self else {
            return false;
        };
        let statistic = statistic.member();
        trial
            .load
            .as_ref()
            .and_then(|load| load.get(metric.member(trial))?.get("at_least")?.as_array())
            .is_some_and(|bounds| {
                bounds
                    .iter()
                    .any(|bound| bound.as_str() == Some(&statistic))
            })
    }

    fn row(self) -> &'static (&'static str, Self, &'static str) {
        WORDS
            .iter()
            .find(|(_, figure, _)| *figure == self)
            .unwrap_or(&MAJOR)
    }
}

/// For reports that do not say it yet: requests without an answer are left out.
fn percent_of_ended(trial: &Trial) -> Option<f64> {
    let (errors, completed) = (Figure::Errors.of(trial)?, Figure::Completed.of(trial)?);
    let all = errors + completed;
    Some(if all > 0.0 { 100.0 * errors / all } else { 0.0 })
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Time(metric, statistic) = self else {
            return out.write_str(self.row().0);
        };
        if *metric != Metric::Latency {
            write!(out, "{}:", metric.name())?;
        }
        match statistic {
            Statistic::Percentile(percent) => write!(out, "p({percent})"),
            other => out.write_str(&other.member()),
        }
    }
}

impl FromStr for Figure {
    type Err = UnknownFigure;

    fn from_str(text: &str) -> Result<Self, UnknownFigure> {
        let unknown = || UnknownFigure(text.trim().to_owned());
        let word = text.trim();
        if let Some((_, figure, _)) = WORDS.iter().chain([&MAJOR]).find(|row| row.0 == word) {
            return Ok(*figure);
        }
        let (metric, statistic) = match word.split_once(':') {
            Some((name, statistic)) => {
                let row = METRICS.iter().find(|row| row.0 == name.trim());
                (row.ok_or_else(unknown)?.1, statistic.trim())
            }
            None => (Metric::Latency, word),
        };
        let statistic = match statistic {
            "mean" | "avg" => Statistic::Mean,
            "min" => Statistic::Min,
            "max" => Statistic::Max,
            "median" => Statistic::Percentile(50.0),
            other => {
                let percent = other
                    .strip_prefix("p(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .or_else(|| other.strip_prefix('p'))
                    .and_then(|percent| percent.trim().parse::<f64>().ok());
                match percent {
                    Some(percent) if percent > 0.0 && percent <= 100.0 => {
                        Statistic::Percentile(percent)
                    }
                    _ => return Err(unknown()),
                }
            }
        };
        Ok(Self::Time(metric, statistic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_reads_back_by_its_name_and_has_its_own_column() {
        let all = Figure::all();
        let mut columns: Vec<_> = all.iter().map(|figure| figure.column()).collect();
        for figure in &all {
            assert_eq!(figure.to_string().parse::<Figure>().as_ref(), Ok(figure));
        }
        columns.sort();
        columns.dedup();
        assert_eq!(columns.len(), all.len());
        assert!(
            columns.contains(&"latency_p99_9_us".to_owned()),
            "{columns:?}"
        );
    }

    #[test]
    fn a_report_that_does_not_say_its_share_of_errors_is_read_as_it_was() {
        let percent = |requests: serde_json::Value| {
            let trial: Trial = serde_json::from_value(serde_json::json!({
                "schema": crate::SCHEMA, "id": "c000-r1", "cell": 0, "factors": {}, "repeat": 1, "block": 1,
                "order": 1, "verdict": "VALID", "started_unix_s": 0.0, "elapsed_s": 1.0,
                "load": { "requests": requests },
            }))
            .unwrap();
            Figure::ErrorPercent.of(&trial)
        };
        let old = serde_json::json!({ "completed": 6, "errors_total": 2, "scheduled": 10 });
        assert_eq!(percent(old.clone()), Some(25.0));
        let mut new = old;
        new["error_percent"] = 20.0.into();
        assert_eq!(percent(new), Some(20.0));
        assert_eq!(percent(serde_json::json!({})), None);
    }

    #[test]
    fn names() {
        let p99 = Figure::Time(Metric::Latency, Statistic::Percentile(99.0));
        for text in ["p99", "p(99)", " p(99) ", "latency:p99"] {
            assert_eq!(text.parse(), Ok(p99), "{text}");
        }
        let is_reported = |text: &str| text.parse::<Figure>().map(Figure::is_reported);
        assert_eq!(is_reported("p99.9"), Ok(true));
        assert_eq!(is_reported("service:p(98)"), Ok(false));
        for text in ["", "p", "p(0)", "p(101)", "speed", "servic:p99"] {
            assert!(text.parse::<Figure>().is_err(), "{text}");
        }
    }
}
