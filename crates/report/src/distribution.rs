//! A distribution of times, from wherever it was recorded.

use crate::study::Study;
use hdrhistogram::Histogram;
use results::Cell;

/// A nanosecond in seconds.
pub(crate) const NANOS: f64 = 1e-9;

/// Times of one thing that was measured.
#[derive(Debug, Clone)]
pub(crate) struct Distribution {
    /// Times in seconds and the share of requests that took no longer; both ascend.
    pub(crate) steps: Vec<(f64, f64)>,
    /// Every value, where it is known.
    pub(crate) histogram: Option<Histogram<u64>>,
    /// The share of requests that were answered at all: no line goes beyond it.
    pub(crate) answered: f64,
    /// How many there were.
    pub(crate) count: u64,
}

impl Distribution {
    /// From a histogram of nanoseconds, of which `given_up` more were never answered.
    pub(crate) fn of(histogram: Histogram<u64>, given_up: u64) -> Option<Self> {
        if histogram.is_empty() {
            return None;
        }
        let count = histogram.len() + given_up;
        let answered = histogram.len() as f64 / count as f64;
        // Hundredths, and from there a tenth of a nine at a time, as far as there are values.
        let nines = (21..90).map(|tenth| 1.0 - 10_f64.powf(-f64::from(tenth) / 10.0));
        let hundredths = (0..=99).map(|hundredth| f64::from(hundredth) / 100.0);
        let finest = 1.0 - 1.0 / histogram.len() as f64;
        let mut steps: Vec<(f64, f64)> = hundredths
            .chain(nines)
            .take_while(|share| *share <= finest)
            .map(|share| {
                (
                    seconds(histogram.value_at_quantile(share)),
                    share * answered,
                )
            })
            .collect();
        steps.push((seconds(histogram.max()), answered));
        Some(Self {
            steps,
            histogram: Some(histogram),
            answered,
            count,
        })
    }

    /// From times in seconds and shares that somebody else has worked out.
    pub(crate) fn from_steps(
        mut steps: Vec<(f64, f64)>,
        answered: f64,
        count: u64,
    ) -> Option<Self> {
        steps.retain(|(time, share)| time.is_finite() && (0.0..=1.0).contains(share));
        steps.sort_by(|one, other| one.1.total_cmp(&other.1).then(one.0.total_cmp(&other.0)));
        (!steps.is_empty()).then_some(Self {
            steps,
            histogram: None,
            answered,
            count,
        })
    }

    /// The repeats of a cell together, of those that count; of all, if none does: then the second value is true.
    pub(crate) fn of_cell(study: &Study<'_>, cell: &Cell<'_>) -> Option<(Self, bool)> {
        let invalid = !cell
            .trials
            .iter()
            .any(|trial| trial.counts() && trial.hlog.is_some());
        let mut merged: Option<Histogram<u64>> = None;
        let mut given_up = 0;
        for trial in cell.trials.iter().filter(|trial| invalid || trial.counts()) {
            let Some(log) = study.log(trial) else {
                continue;
            };
            let Some(histogram) = log.answered(None) else {
                continue;
            };
            // Logs of before do not say it themselves.
            let reported = || trial.load.as_ref()?.requests.censored;
            given_up += log.given_up(None).or_else(reported).unwrap_or(0);
            match &mut merged {
                None => merged = Some(histogram),
                Some(merged) => {
                    merged.auto(true);
                    // One that grows by itself takes every value.
                    let _ = merged.add(&histogram);
                }
            }
        }
        Some((Self::of(merged?, given_up)?, invalid))
    }

    /// The time that a share of requests does not exceed; None where it was not reached or is not known.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        if share > self.answered {
            return None;
        }
        let exact = self
            .histogram
            .as_ref()
            .map(|histogram| seconds(histogram.value_at_quantile(share / self.answered)));
        exact.or_else(|| {
            self.steps
                .iter()
                .find(|(_, reached)| *reached >= share - 1e-12)
                .map(|(time, _)| *time)
        })
    }

    /// The share of requests in each of equally wide steps of a logarithmic axis, so many to a decade.
    pub(crate) fn bins(&self, to_a_decade: f64) -> Option<Vec<(f64, f64, f64)>> {
        let histogram = self.histogram.as_ref()?;
        let bin = |time: f64| (time.max(NANOS).log10() * to_a_decade).floor() as i32;
        let edge = |bin: i32| 10_f64.powf(f64::from(bin) / to_a_decade);
        let (first, last) = (bin(seconds(histogram.min())), bin(seconds(histogram.max())));
        let places = usize::try_from(last.saturating_sub(first)).ok()?;
        let mut counts = vec![0_u64; places + 1];
        for step in histogram.iter_recorded() {
            let place = bin(seconds(step.value_iterated_to())) - first;
            if let Some(count) = usize::try_from(place)
                .ok()
                .and_then(|place| counts.get_mut(place))
            {
                *count += step.count_at_value();
            }
        }
        let share = |count: u64| count as f64 / self.count as f64;
        Some(
            (first..)
                .zip(counts)
                .map(|(place, count)| (edge(place), edge(place + 1), share(count)))
                .collect(),
        )
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 * NANOS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thousand() -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        (1..=1000).for_each(|ms| histogram.saturating_record(ms * 1_000_000));
        histogram
    }

    #[test]
    fn requests_that_were_given_up_are_part_of_it() {
        let all = Distribution::of(thousand(), 0).unwrap();
        assert!((all.quantile(0.5).unwrap() - 0.5).abs() < 1e-3);
        let half = Distribution::of(thousand(), 1000).unwrap();
        assert!((half.quantile(0.25).unwrap() - 0.5).abs() < 1e-3);
        assert_eq!(
            (half.quantile(0.6), half.answered, half.count),
            (None, 0.5, 2000)
        );
        assert!(half.steps.iter().all(|(_, share)| *share <= 0.5));
        assert!(Distribution::of(Histogram::new(3).unwrap(), 5).is_none());
    }

    #[test]
    fn bins_hold_everything() {
        let bins = Distribution::of(thousand(), 0).unwrap().bins(10.0).unwrap();
        assert!((bins.iter().map(|(.., share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(
            bins.windows(2)
                .all(|pair| (pair[0].1 - pair[1].0).abs() < 1e-12)
        );
    }
}
