//! How well the figures of a run are known, and whether that is well enough.
//!
//! That a figure is not known well is no fault of the run: the verdict says whether it may be believed, this says how far.

use crate::clock::seconds;
use crate::metric::Metric;
use crate::record::Record;
use crate::run::Run;
use crate::slo::Slo;
use command::quantity::percent;
use contracts::Statistic;
use stats::hist::Censored;

/// The share of intervals that hold the truth.
pub const LEVEL: f64 = 0.95;
/// How many stretches a run is cut into: 10 to 30 make a sound interval of correlated values (Law, *Simulation Modeling and Analysis*, 9.5.3; Schmeiser,
/// *Operations Research* 30, 1982), unless neighbours are still alike, which says that they are too short.
pub(crate) const BATCHES: usize = 20;
/// How many seconds are measured before anybody looks whether they are enough: of fewer, the stretches are too short.
const LEAST_S: f64 = 2.0;
/// The percentile that is to be known where no objective names one.
const USUAL: f64 = 99.0;
/// Looks come ever more rarely: whoever looks all the time stops at the first interval that is narrow by chance.
const NEXT_LOOK: f64 = 1.2;

/// How well the times that come first in a report are known: the response time; in a closed loop, the service time.
#[derive(Clone, Debug)]
pub struct Precision {
    run: stats::precision::Precision,
    times: Censored,
}

/// Between what a figure lies with [`LEVEL`], in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Within {
    /// Not below this.
    pub low: f64,
    /// Nor above this. None: the run is too short to say, or requests were given up there.
    pub high: Option<f64>,
    /// The larger way from the figure to an end, as a share of the figure.
    pub relative: Option<f64>,
}

impl Precision {
    /// None of a run that is too short to be cut into stretches.
    pub(crate) fn of(record: &Record, closed_loop: bool) -> Option<Self> {
        let times = Metric::Response.times(record, closed_loop)?;
        let (means, _) = record.batches.means(BATCHES);
        if means.len() < BATCHES / 2 {
            return None;
        }
        let variance = times.all().stdev().powi(2);
        let run = stats::precision::Precision::of(&means, times.len(), variance, LEVEL).ok()?;
        Some(Self { run, times })
    }

    /// As how many independent requests those of the run count.
    pub fn independent(&self) -> f64 {
        self.run.independent
    }

    /// Of one figure; none of the least and the most, of which one run says nothing.
    pub fn within(&self, of: Statistic) -> Option<Within> {
        let (estimate, is_bound) = self.times.statistic(of.quantile());
        let (low, high) = match of {
            Statistic::Min | Statistic::Max => return None,
            Statistic::Mean => {
                let half = (self.run.mean.high - self.run.mean.low) / 2.0;
                ((estimate - half).max(0.0), Some(estimate + half))
            }
            Statistic::Percentile(_) => {
                let (low, high) = self.run.of_quantile(of.quantile()?);
                let at = |p: f64| self.times.quantile(p);
                let high = high.map(at).filter(|high| !high.at_least);
                let low = low.map_or(self.times.all().min(), |p| at(p).value);
                (low as f64, high.map(|high| high.value as f64))
            }
        };
        let high = high.filter(|_| !is_bound);
        let relative = high.map(|high| (high - estimate).max(estimate - low) / estimate);
        Some(Within {
            low: low.min(estimate),
            high: high.map(|high| high.max(estimate)),
            relative: relative.filter(|relative| relative.is_finite()),
        })
    }
}

/// How well a run is to know its figures before it may end.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Half an interval's width, as a share of the figure.
    pub relative: f64,
    /// The percentiles that are to be known so well, beside the mean.
    pub percentiles: Vec<f64>,
}

impl Wanted {
    /// So well, of the percentiles that objectives are about.
    pub(crate) fn of(relative: f64, objectives: &[Slo]) -> Self {
        let percentiles: Vec<_> = objectives.iter().filter_map(Slo::percentile).collect();
        Self {
            relative,
            percentiles: match percentiles.is_empty() {
                true => vec![USUAL],
                false => percentiles,
            },
        }
    }

    /// The figures.
    pub fn statistics(&self) -> impl Iterator<Item = Statistic> {
        let percentiles = self.percentiles.iter().copied();
        std::iter::once(Statistic::Mean).chain(percentiles.map(Statistic::Percentile))
    }

    /// Which of the figures is not known as well, in words; none if all are.
    pub fn missing(&self, precision: Option<&Precision>) -> Option<String> {
        let relative = |of| precision?.within(of)?.relative;
        let mut known = self.statistics().map(|of| (of, relative(of)));
        let (of, relative) =
            known.find(|(_, relative)| relative.is_none_or(|relative| relative > self.relative))?;
        let known = relative.map_or("is not known".to_owned(), |relative| {
            format!("is known to ±{}", percent(relative))
        });
        let asked = percent(self.relative);
        Some(format!(
            "{of} {known}, not to the ±{asked} that were asked for (--precision): a longer run is needed"
        ))
    }
}

/// Looks now and then whether a run knows its figures as well as was asked.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    wanted: &'a Wanted,
    closed_loop: bool,
    warmup_s: f64,
    next_look_s: f64,
}

impl<'a> Watch<'a> {
    /// None where nothing was asked.
    pub(crate) fn of(run: &'a Run) -> Option<Self> {
        Some(Self {
            wanted: run.precision.as_ref()?,
            closed_loop: run.is_closed_loop(),
            warmup_s: seconds(run.warmup),
            next_look_s: seconds(run.warmup) + LEAST_S,
        })
    }

    /// What is known, in words, if it is enough now that so many seconds have passed.
    pub(crate) fn enough(&mut self, at_s: f64, total: &Record) -> Option<String> {
        if at_s < self.next_look_s {
            return None;
        }
        let measured_s = at_s - self.warmup_s;
        self.next_look_s = self.warmup_s + measured_s * NEXT_LOOK;
        let precision = Precision::of(total, self.closed_loop);
        if self.wanted.missing(precision.as_ref()).is_some() {
            return None;
        }
        let of: Vec<_> = self.wanted.statistics().map(|of| of.to_string()).collect();
        Some(format!(
            "ended after {at_s:.0} s, for {} are known to ±{} (--precision)",
            of.join(", "),
            percent(self.wanted.relative)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Nanos, SECOND};

    /// A run of so many seconds in which `time` gives the response time of each request; a hundred come in a second.
    fn record(seconds: u64, time: impl Fn(u64) -> Nanos) -> Record {
        let mut record = Record::default();
        for number in 0..seconds * 100 {
            let time = time(number);
            record.response.saturating_record(time);
            record.batches.add(number * SECOND / 100, time);
        }
        record
    }

    /// What looks like chance and is the same each time.
    fn scattered(number: u64) -> Nanos {
        1 + (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44)
    }

    fn relative(record: &Record, of: Statistic) -> Option<f64> {
        Precision::of(record, false)?.within(of)?.relative
    }

    #[test]
    fn a_longer_run_knows_more() {
        for of in [Statistic::Mean, Statistic::Percentile(90.0)] {
            let short = relative(&record(5, scattered), of).expect("known");
            let long = relative(&record(80, scattered), of).expect("known");
            assert!(short > 2.0 * long && long > 0.0, "{of}: {short} {long}");
        }
        assert_eq!(relative(&record(0, scattered), Statistic::Mean), None);
        let seldom = Statistic::Percentile(99.9);
        assert_eq!(relative(&record(5, scattered), seldom), None);
    }

    #[test]
    fn figures_are_between_their_ends() {
        let record = record(60, scattered);
        let precision = Precision::of(&record, false).expect("long enough");
        for of in Statistic::reported() {
            let Some(Within { low, high, .. }) = precision.within(of) else {
                assert!(matches!(of, Statistic::Min | Statistic::Max));
                continue;
            };
            let (estimate, _) = precision.times.statistic(of.quantile());
            let high = high.unwrap_or(f64::INFINITY);
            assert!((low..=high).contains(&estimate), "{of}");
        }
    }

    #[test]
    fn what_was_given_up_leaves_a_figure_open() {
        let mut record = record(60, scattered);
        for _ in 0..600 {
            record.censored_response.saturating_record(5 * SECOND);
        }
        let precision = Precision::of(&record, false).expect("long enough");
        for (of, is_open) in [
            (Statistic::Mean, true),
            (Statistic::Percentile(50.0), false),
            (Statistic::Percentile(99.0), true),
        ] {
            let within = precision.within(of).expect("a figure");
            assert_eq!(within.high.is_none(), is_open, "{of}");
            assert_eq!(within.relative.is_none(), is_open, "{of}");
        }
    }

    #[test]
    fn a_run_is_looked_at_ever_more_rarely_until_it_is_enough() {
        let wanted = Wanted {
            relative: 0.05,
            percentiles: vec![USUAL],
        };
        let mut watch = Watch {
            wanted: &wanted,
            closed_loop: false,
            warmup_s: 1.0,
            next_look_s: 1.0 + LEAST_S,
        };
        let mut looks = Vec::new();
        for second in 1..200 {
            let before = watch.next_look_s;
            let enough = watch.enough(second as f64, &record(second, scattered));
            if watch.next_look_s > before {
                looks.push(second);
            }
            if enough.is_some() {
                break;
            }
        }
        assert_eq!(looks[0], 3);
        let gaps: Vec<_> = looks.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(gaps.is_sorted() && looks.len() > 3, "{looks:?}");
        let last = *looks.last().expect("some");
        assert!(last < 199, "{looks:?}");
        let known = record(last, scattered);
        assert!(
            wanted
                .statistics()
                .all(|of| relative(&known, of).expect("known") <= 0.05)
        );
    }
}
