//! Distributions of times as both ends report them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Unknown, lenient};

/// The percentiles that every report has.
pub const PERCENTILES: [f64; 6] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99];

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

/// Times in microseconds: `mean`, `min`, `max`, percentiles like `p99.9`, and how many values they stand for.
///
/// A value of a request that was given up is known only from below; such values take part, and statistics that hang on them are
/// named in `at_least`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Distribution {
    /// The mean.
    pub mean: Option<f64>,
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 75th percentile.
    pub p75: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// The 99.9th percentile.
    #[serde(rename = "p99.9")]
    pub p99_9: Option<f64>,
    /// The 99.99th percentile.
    #[serde(rename = "p99.99")]
    pub p99_99: Option<f64>,
    /// How many values there are, those of requests that were given up included.
    #[serde(deserialize_with = "lenient::count")]
    pub count: Option<u64>,
    /// How many of them are of requests that were given up.
    #[serde(deserialize_with = "lenient::count")]
    pub censored: Option<u64>,
    /// The statistics that are lower bounds, by name.
    #[serde(deserialize_with = "lenient::or_default")]
    pub at_least: Vec<String>,
    /// Further fields; other percentiles are found here by their name.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Statistic {
    /// Those that every report has.
    pub fn reported() -> impl Iterator<Item = Self> + Clone {
        let percentiles = PERCENTILES.into_iter().map(Self::Percentile);
        [Self::Mean, Self::Min, Self::Max]
            .into_iter()
            .chain(percentiles)
    }

    /// The share of values that are not above it, from 0 to 1; the mean has none. Percentiles go by their decimal digits: in binary,
    /// 99.9 over 100 is more than 0.999.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Self::Mean => None,
            Self::Min => Some(0.0),
            Self::Max => Some(1.0),
            Self::Percentile(percent) => format!("{percent}e-2").parse().ok(),
        }
    }
}

impl Distribution {
    /// One whose statistics are what `of` gives for each: the value in microseconds, and whether it is a lower bound.
    pub fn of(count: u64, censored: u64, of: impl Fn(Statistic) -> (f64, bool)) -> Self {
        let mut at_least = Vec::new();
        let mut take = |statistic: Statistic| {
            let (value, bound) = of(statistic);
            if bound {
                at_least.push(statistic.to_string());
            }
            Some(value)
        };
        Self {
            mean: take(Statistic::Mean),
            min: take(Statistic::Min),
            max: take(Statistic::Max),
            p50: take(Statistic::Percentile(50.0)),
            p75: take(Statistic::Percentile(75.0)),
            p90: take(Statistic::Percentile(90.0)),
            p99: take(Statistic::Percentile(99.0)),
            p99_9: take(Statistic::Percentile(99.9)),
            p99_99: take(Statistic::Percentile(99.99)),
            count: Some(count),
            censored: Some(censored),
            at_least,
            unknown: Unknown::new(),
        }
    }

    /// A statistic in microseconds, if it was reported.
    pub fn get(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Mean => self.mean,
            Statistic::Min => self.min,
            Statistic::Max => self.max,
            Statistic::Percentile(50.0) => self.p50,
            Statistic::Percentile(75.0) => self.p75,
            Statistic::Percentile(90.0) => self.p90,
            Statistic::Percentile(99.0) => self.p99,
            Statistic::Percentile(99.9) => self.p99_9,
            Statistic::Percentile(99.99) => self.p99_99,
            other @ Statistic::Percentile(_) => self.unknown.get(&other.to_string())?.as_f64(),
        }
    }

    /// Whether a statistic is a lower bound.
    pub fn is_at_least(&self, statistic: Statistic) -> bool {
        self.at_least.contains(&statistic.to_string())
    }
}

/// As reports name it, like `p99.9`.
impl fmt::Display for Statistic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => out.write_str("mean"),
            Self::Min => out.write_str("min"),
            Self::Max => out.write_str("max"),
            Self::Percentile(percent) => write!(out, "p{percent}"),
        }
    }
}

/// No statistic is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not p(N), mean, median, min or max")]
pub struct UnknownStatistic(String);

/// As people write it: `p99`, `p(99.9)`, `mean`, `avg`, `median`, `min`, `max`.
impl FromStr for Statistic {
    type Err = UnknownStatistic;

    fn from_str(text: &str) -> Result<Self, UnknownStatistic> {
        let word = text.trim();
        match word {
            "mean" | "avg" => return Ok(Self::Mean),
            "min" => return Ok(Self::Min),
            "max" => return Ok(Self::Max),
            "median" => return Ok(Self::Percentile(50.0)),
            _ => {}
        }
        let percent = match word.strip_prefix("p(") {
            Some(rest) => rest.strip_suffix(')'),
            None => word.strip_prefix('p'),
        };
        percent
            .and_then(|percent| percent.trim().parse::<f64>().ok())
            .filter(|percent| *percent > 0.0 && *percent <= 100.0)
            .map(Self::Percentile)
            .ok_or_else(|| UnknownStatistic(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_found_by_their_names() {
        let times = Distribution::of(4, 1, |statistic| (1.5, statistic == Statistic::Max));
        for statistic in Statistic::reported() {
            assert_eq!(times.get(statistic), Some(1.5), "{statistic}");
            assert_eq!(statistic.to_string().parse(), Ok(statistic));
            assert_eq!(times.is_at_least(statistic), statistic == Statistic::Max);
        }
        let text = r#"{"p99.9": 3, "p95": 2.5, "count": 4.0}"#;
        let times: Distribution = serde_json::from_str(text).unwrap();
        assert_eq!(times.get(Statistic::Percentile(99.9)), Some(3.0));
        assert_eq!(times.get(Statistic::Percentile(95.0)), Some(2.5));
        assert_eq!((times.count, times.get(Statistic::Mean)), (Some(4), None));
    }

    #[test]
    fn percentiles_are_the_quantiles_that_their_digits_say() {
        let quantiles = PERCENTILES.map(|percent| Statistic::Percentile(percent).quantile());
        assert_eq!(quantiles, [0.5, 0.75, 0.9, 0.99, 0.999, 0.9999].map(Some));
    }

    #[test]
    fn people_write_them_in_several_ways() {
        for (text, statistic) in [
            ("p(99.9)", Statistic::Percentile(99.9)),
            (" p( 98 ) ", Statistic::Percentile(98.0)),
            ("median", Statistic::Percentile(50.0)),
            ("avg", Statistic::Mean),
        ] {
            assert_eq!(text.parse(), Ok(statistic), "{text}");
        }
        for text in ["", "p", "p()", "p(0)", "p(101)", "p(99", "speed"] {
            assert!(text.parse::<Statistic>().is_err(), "{text}");
        }
    }
}
