//! One objective.

use std::fmt;
use std::str::FromStr;

use results::{Figure, TimeFigure};
use workload::objective::{ObjectiveError, Operator, number, share};
use workload::units;

/// A figure and its bound, like `p(99)<10ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Which figure.
    pub figure: Figure,
    /// On which side of the limit it must be.
    pub operator: Operator,
    /// In the unit of the figure.
    pub limit: f64,
    text: String,
}

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, ObjectiveError> {
        let error = |why: String| ObjectiveError::new(text, why);
        let (left, operator, right) =
            Operator::split(text).ok_or_else(|| error("it has no <, <=, > or >=".into()))?;
        let number = |text: &str| number(text).map_err(error);
        let (figure, limit) = match (left, right.strip_suffix('%')) {
            ("errors" | "error_rate" | "error_percent", Some(percent)) => {
                (Figure::ErrorPercent, number(percent)?)
            }
            _ => {
                let figure: Figure = left
                    .parse()
                    .map_err(|_| error(format!("'{left}' is no figure")))?;
                let words = |why: units::UnitError| error(why.to_string());
                let limit = match figure {
                    Figure::Time(..) | Figure::CpuPerRequest => {
                        units::duration(right).map_err(words)?.as_secs_f64() * 1e6
                    }
                    Figure::Throughput => units::rate(right).map_err(words)?,
                    Figure::PeakResident | Figure::MemoryPerConnection => {
                        units::size(right).map_err(words)? as f64
                    }
                    Figure::Availability | Figure::AvailableSeconds => {
                        share(right).map_err(error)?
                    }
                    _ => number(right)?,
                };
                (figure, limit)
            }
        };
        Ok(Self {
            figure,
            operator,
            limit,
            text: text.split_whitespace().collect(),
        })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Objective {
    /// Whether it is about the time of whole sessions.
    pub fn is_of_sessions(&self) -> bool {
        matches!(self.figure, Figure::Time(TimeFigure::Session, _))
    }

    /// How far a value is on the right side of the limit, as a share of it.
    pub fn margin(&self, value: f64) -> f64 {
        self.operator.margin(value, self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_read_in_the_unit_of_their_figure() {
        let limit = |text: &str| text.parse::<Objective>().unwrap().limit;
        assert_eq!(limit("p(99) < 10ms"), 10_000.0);
        assert_eq!(limit("service:p99.9<=5ms"), 5_000.0);
        assert_eq!(limit("errors<0.1%"), 0.1);
        assert_eq!(limit("errors<=3"), 3.0);
        assert_eq!(limit("throughput>=4.9k/s"), 4900.0);
        assert_eq!(limit("peak_resident<64m"), f64::from(64 << 20));
        assert_eq!(limit("memory_per_connection<=16k"), f64::from(16 << 10));
        assert_eq!(limit("availability>=99.9%"), 99.9);
        assert_eq!(limit("available_seconds>=99%"), 99.0);
        assert_eq!(limit("requests_per_cpu_second>30000"), 30_000.0);
        for text in [
            "",
            "p(99)",
            "p(99)<10",
            "p(0)<1s",
            "errors<x%",
            "availability>0.999",
            "availability>=101%",
            "memory_per_connection<1%",
            "throughput>=0",
            "p99=1s",
        ] {
            assert!(text.parse::<Objective>().is_err(), "{text}");
        }
        let slo: Objective = "p(99) < 10ms".parse().unwrap();
        assert_eq!(
            (slo.to_string(), slo.margin(7_500.0)),
            ("p(99)<10ms".into(), 0.25)
        );
    }
}
