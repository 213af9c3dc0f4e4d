//! Service level objectives: what must be met, and by how much it was.

use crate::metric::Metric;
use crate::record::Record;
use crate::report::figures::Figures;
use contracts::{Statistic, UnknownStatistic};
use std::fmt;
use std::str::FromStr;
use workload::objective::{ObjectiveError, Operator, number, share};
use workload::units;

/// One objective, like `p(99)<10ms` or `errors<0.1%`.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    text: String,
    of: Of,
    operator: Operator,
    /// In nanoseconds, in percent, or per second.
    limit: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    Time(Option<Metric>, Statistic),
    ErrorPercent,
    ErrorCount,
    Throughput,
    Availability,
    AvailableSeconds,
}

/// Figures of objectives that are the server's own cost.
const OF_SERVERS: [&str; 4] = [
    "requests_per_cpu_second",
    "cpu_per_request",
    "memory_per_connection",
    "peak_resident",
];

impl FromStr for Slo {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, ObjectiveError> {
        let error = |why: String| ObjectiveError::new(text, why);
        let (left, operator, right) =
            Operator::split(text).ok_or_else(|| error("it has no <, <=, > or >=".into()))?;
        let (of, limit) = match left {
            "errors" | "error_rate" => match right.strip_suffix('%') {
                Some(percent) => (Of::ErrorPercent, number(percent)),
                None => (Of::ErrorCount, number(right)),
            },
            "throughput" => (
                Of::Throughput,
                units::rate(right).map_err(|error| error.to_string()),
            ),
            "availability" => (Of::Availability, share(right)),
            "available_seconds" => (Of::AvailableSeconds, share(right)),
            cost if OF_SERVERS.contains(&cost) => {
                return Err(error(format!(
                    "{cost} is what the server takes, which no generator sees; hold a results folder against it, with archbench slo"
                )));
            }
            time => {
                let (metric, statistic) = parse_time(time).map_err(error)?;
                let limit = units::duration(right).map_err(|error| error.to_string());
                (
                    Of::Time(metric, statistic),
                    limit.map(|limit| limit.as_nanos() as f64),
                )
            }
        };
        Ok(Self {
            text: text.split_whitespace().collect(),
            of,
            operator,
            limit: limit.map_err(error)?,
        })
    }
}

fn parse_time(text: &str) -> Result<(Option<Metric>, Statistic), String> {
    let (metric, statistic) =
        match text.split_once(':') {
            Some((metric, statistic)) => (
                Some(Metric::named(metric.trim()).ok_or_else(|| {
                    format!("'{metric}' is not one of {}", Metric::NAMES.join(", "))
                })?),
                statistic.trim(),
            ),
            None => (None, text),
        };
    let statistic = statistic
        .parse()
        .map_err(|error: UnknownStatistic| error.to_string())?;
    Ok((metric, statistic))
}

/// What came of an objective.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedObjective {
    /// As it was asked for.
    pub slo: String,
    /// Whether it was met.
    pub met: bool,
    /// What was measured; none if nothing was.
    pub value: Option<f64>,
    /// What was asked for.
    pub limit: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// Whether the value is only a lower bound.
    pub at_least: bool,
    /// How far the value stays on the right side of the limit, as a share of it; negative on the wrong side. Of a value that is only a
    /// lower bound, how far at most; none where that leaves the side open.
    pub margin: Option<f64>,
}

impl Slo {
    /// Holds a whole run against it.
    pub fn judge(&self, figures: &Figures<'_>) -> JudgedObjective {
        let (value, at_least) = match self.of {
            Of::Time(metric, statistic) => {
                let times = figures.times(metric.unwrap_or(Metric::Response));
                match times.filter(|times| !times.is_empty()) {
                    None => (None, false),
                    Some(times) => {
                        let (value, at_least) = times.statistic(statistic.quantile());
                        (Some(value), at_least)
                    }
                }
            }
            Of::ErrorPercent => (Some(figures.error_percent()), false),
            Of::ErrorCount => (Some(figures.errors() as f64), false),
            Of::Throughput => (Some(figures.requests_per_s()), false),
            Of::Availability => (figures.availability_percent(), false),
            Of::AvailableSeconds => (figures.available_seconds_percent(), false),
        };
        let met = value.is_some_and(|value| {
            // Below a limit by a lower bound only: not shown to be met.
            let shown = !(self.operator.is_upper() && at_least);
            shown && self.operator.holds(value, self.limit)
        });
        let scale = self.unit().1;
        let margin =
            value.and_then(|value| self.operator.margin_of_bound((value, at_least), self.limit));
        JudgedObjective {
            slo: self.text.clone(),
            met,
            value: value.map(|value| value / scale),
            limit: self.limit / scale,
            unit: self.unit().0,
            at_least,
            margin,
        }
    }

    /// The percentile that it limits, of the times that come first in a report.
    pub fn percentile(&self) -> Option<f64> {
        match self.of {
            Of::Time(None | Some(Metric::Response), Statistic::Percentile(percentile)) => {
                Some(percentile)
            }
            _ => None,
        }
    }

    /// Whether it is about the time of whole sessions.
    pub fn is_of_sessions(&self) -> bool {
        matches!(self.of, Of::Time(Some(Metric::Session), _))
    }

    fn unit(&self) -> (&'static str, f64) {
        match self.of {
            Of::Time(..) => ("us", 1e3),
            Of::ErrorPercent | Of::Availability | Of::AvailableSeconds => ("%", 1.0),
            Of::ErrorCount => ("", 1.0),
            Of::Throughput => ("/s", 1.0),
        }
    }

    /// Whether it cannot be met any more, whatever comes: of `planned` requests too many are already beyond the limit.
    pub(crate) fn is_hopeless(&self, so_far: &Record, closed_loop: bool, planned: f64) -> bool {
        let failed = so_far.counts.failed() as f64;
        if self.of == Of::Availability {
            let lost = 1.0 - self.limit / 100.0;
            return !self.operator.is_upper() && failed > lost * planned;
        }
        if !self.operator.is_upper() {
            return false;
        }
        match self.of {
            Of::Time(metric, statistic) => {
                let Some(quantile) = statistic.quantile() else {
                    return false;
                };
                let metric = metric.unwrap_or(Metric::Response);
                let times = metric.of(so_far, closed_loop);
                let limit = self.limit as u64;
                let beyond = times.len() - times.count_between(0, limit);
                beyond as f64 > (1.0 - quantile) * planned
            }
            Of::ErrorPercent => failed > self.limit / 100.0 * planned,
            Of::ErrorCount => failed > self.limit,
            Of::Throughput | Of::Availability | Of::AvailableSeconds => false,
        }
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use std::path::Path;
    use workload::objective::read_file;

    #[test]
    fn objectives_are_read() {
        for text in [
            "p(99)<10ms",
            "p99.9 <= 1s",
            "service:p(99.9)<5ms",
            "mean<1ms",
            "max < 100ms",
            "errors<0.1%",
            "errors<=5",
            "throughput>=4900",
            "throughput > 4.9k/s",
            "wait:max<1ms",
            "lag:p(99)<50us",
            "median<1ms",
            "service:min<1ms",
            "availability>=99.9%",
            "available_seconds > 99 %",
        ] {
            let slo: Slo = text.parse().expect(text);
            assert!(!slo.to_string().contains(' '));
        }
        for text in [
            "",
            "p(99)",
            "p(0)<1s",
            "p(101)<1s",
            "p99<10",
            "x:p(9)<1s",
            "errors<x%",
            "throughput>=0",
            "p(99)=1s",
            "availability>=0.999",
            "availability>=101%",
            "available_seconds>x%",
            "<5",
        ] {
            assert!(text.parse::<Slo>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_only_the_server_knows_is_refused_with_where_to_ask_for_it() {
        for figure in OF_SERVERS {
            let why = format!("{figure}<1")
                .parse::<Slo>()
                .unwrap_err()
                .to_string();
            assert!(why.contains("archbench slo"), "{why}");
        }
    }

    #[test]
    fn availability_is_lost_when_too_many_of_all_that_will_come_have_failed() {
        let mut so_far = Record::default();
        (0..10).for_each(|_| so_far.fail(Failure::Timeout));
        for (slo, is_hopeless) in [
            ("availability>=75%", false),
            ("availability>75.1%", true),
            ("availability<99%", false),
            ("available_seconds>=100%", false),
        ] {
            let slo: Slo = slo.parse().expect(slo);
            assert_eq!(slo.is_hopeless(&so_far, true, 40.0), is_hopeless, "{slo}");
        }
    }

    #[test]
    fn the_agreement_of_the_lecture_is_read() {
        let lecture =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs/slo/lecture.toml");
        let slos = read_file::<Slo>(&lecture);
        assert_eq!(slos.map(|slos| slos.len()), Ok(3));
    }
}
