//! Percentiles when some requests were never answered.
//!
//! A request that is given up at its timeout, or at the end of the run, took *at least* as long as
//! it was waited for. Left out, it would make the slowest server look best; counted at its timeout,
//! it would claim a figure that nobody measured. So it is counted, and the percentiles it reaches
//! are lower bounds and say so (right-censored data; for the quantiles below the first censored
//! value this is the Kaplan–Meier estimate, *Journal of the American Statistical Association* 53,
//! 1958).

use hdrhistogram::{AdditionError, Histogram};

/// A figure that may be a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// In the unit of the histogram.
    pub value: u64,
    /// The truth is this or more.
    pub at_least: bool,
}

/// Answered requests and those that were given up, as one sample.
#[derive(Debug, Clone)]
pub struct Censored {
    /// All values, those given up at the time they had been waited for.
    all: Histogram<u64>,
    /// The lowest bucket that holds a value that was given up.
    first: Option<u64>,
    /// How many were given up.
    count: u64,
}

impl Censored {
    /// From the times of the answered requests and, for those given up, the times they had been
    /// waited for.
    pub fn new(
        answered: &Histogram<u64>,
        given_up: &Histogram<u64>,
    ) -> Result<Self, AdditionError> {
        let mut all = answered.clone();
        // A wait too long for the histogram of answers makes it grow rather than fail.
        all.auto(true);
        all.add(given_up)?;
        Ok(Self::among(all, given_up))
    }

    /// From the times of all requests, those given up among them, and the times of the latter alone.
    pub fn among(all: Histogram<u64>, given_up: &Histogram<u64>) -> Self {
        let first = (!given_up.is_empty()).then(|| all.lowest_equivalent(given_up.min()));
        Self {
            all,
            first,
            count: given_up.len(),
        }
    }

    /// All values, those given up at the time they had been waited for.
    pub fn all(&self) -> &Histogram<u64> {
        &self.all
    }

    /// The value from which on figures are lower bounds; none if nothing was given up.
    pub fn bounds_from(&self) -> Option<u64> {
        self.first
    }

    /// How many requests there are, with those given up.
    pub fn len(&self) -> u64 {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many were given up.
    pub fn given_up(&self) -> u64 {
        self.count
    }

    /// The quantile at `p` from 0 to 1; 0.99 is the 99th percentile. It is exact, to the
    /// histogram's precision, if nothing was given up before it, and a lower bound otherwise. 0 if
    /// there are no requests at all.
    pub fn quantile(&self, p: f64) -> Bound {
        self.bound(self.all.value_at_quantile(p))
    }

    /// The greatest value.
    pub fn max(&self) -> Bound {
        self.bound(self.all.max())
    }

    /// The mean, and whether it is a lower bound.
    pub fn mean(&self) -> (f64, bool) {
        (self.all.mean(), self.count > 0)
    }

    /// The quantile at `p` from 0 (the least) to 1 (the greatest), or the mean where there is no `p`; and whether it is a lower bound.
    pub fn statistic(&self, p: Option<f64>) -> (f64, bool) {
        let bound = match p {
            None => return self.mean(),
            Some(p) if p <= 0.0 => self.bound(self.all.min()),
            Some(p) if p >= 1.0 => self.max(),
            Some(p) => self.quantile(p),
        };
        (bound.value as f64, bound.at_least)
    }

    fn bound(&self, value: u64) -> Bound {
        Bound {
            value,
            at_least: self.first.is_some_and(|first| first <= value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hist(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut hist = Histogram::new_with_bounds(1, 3_600_000_000, 3).unwrap();
        values.into_iter().for_each(|v| hist.record(v).unwrap());
        hist
    }

    #[test]
    fn percentiles_below_the_first_loss_are_exact() {
        let all = Censored::new(&hist(1..=990), &hist([1000; 10])).unwrap();
        assert_eq!((all.len(), all.given_up()), (1000, 10));
        assert_eq!(
            all.quantile(0.5),
            Bound {
                value: 500,
                at_least: false
            }
        );
        assert_eq!(
            all.quantile(0.99),
            Bound {
                value: 990,
                at_least: false
            }
        );
        assert_eq!(
            all.quantile(0.991),
            Bound {
                value: 1000,
                at_least: true
            }
        );
        assert_eq!(
            all.max(),
            Bound {
                value: 1000,
                at_least: true
            }
        );
        assert!(all.mean().1);
    }

    #[test]
    fn an_early_loss_makes_everything_above_it_a_bound() {
        // Given up after 100, it may belong anywhere above: the median is 500 or 501.
        let all = Censored::new(&hist(1..=1000), &hist([100])).unwrap();
        assert!(!all.quantile(0.05).at_least);
        assert!(all.quantile(0.5).at_least && all.max().at_least);
    }

    #[test]
    fn the_bound_holds_whatever_the_lost_values_were() {
        let (answered, lost) = (hist([5, 10, 20, 40, 80]), hist([15, 30]));
        let all = Censored::new(&answered, &lost).unwrap();
        let mut late = answered.clone();
        late.add(hist([1_000_000, 2_000_000])).unwrap();
        for p in [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0] {
            let (bound, truth) = (all.quantile(p), late.value_at_quantile(p));
            assert!(
                if bound.at_least {
                    bound.value <= truth
                } else {
                    bound.value == truth
                },
                "{p}"
            );
        }
    }

    #[test]
    fn nothing_lost_and_nothing_at_all() {
        let all = Censored::new(&hist([7]), &hist([])).unwrap();
        assert_eq!(
            all.quantile(1.0),
            Bound {
                value: 7,
                at_least: false
            }
        );
        let none = Censored::new(&hist([]), &hist([])).unwrap();
        assert!(none.is_empty());
        assert_eq!(
            none.quantile(0.5),
            Bound {
                value: 0,
                at_least: false
            }
        );
        // A wait that is beyond what the histogram of answers was made for.
        let mut long = Histogram::new_with_bounds(1, 100_000_000_000, 3).unwrap();
        long.record_n(10_000_000_000, 3).unwrap();
        let only_lost = Censored::new(&hist([]), &long).unwrap();
        let least = only_lost.quantile(0.01);
        assert!(least.at_least && least.value >= 10_000_000_000);
    }
}
