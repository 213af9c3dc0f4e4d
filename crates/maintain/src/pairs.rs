//! Pairs: servers of ours that are started afresh in turns, asked for the same, and held against the first of them.
//!
//! Of each round comes the ratio of processor time for each request, another's over the first one's; what all of a round suffered
//! falls out. The interval is Student's for the mean of the logarithms of these ratios ([`stats::compare::paired`]).

use std::path::Path;

use lab::Failure;
use stats::Interval;
use stats::compare;

use crate::client;
use crate::rounds::turns;
use crate::server::Server;
use crate::testbed::Testbed;

/// How sure the intervals are.
const LEVEL: f64 = 0.95;

/// How servers are paired, and what each is asked.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Pairing {
    /// How many pairs
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=1000))]
    pairs: u64,
    /// How many requests each server is asked
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Over how many connections; no more than the model serves at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    connections: u64,
    /// Orders are drawn from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl std::fmt::Display for Pairing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "processor time for each request, {} pairs of {} requests over {} connections",
            self.pairs, self.requests, self.connections
        )
    }
}

/// Who takes part: a build of `archbench`, and a model of it with its options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant<'a> {
    pub(crate) archbench: &'a Path,
    pub(crate) model: &'a str,
}

impl Pairing {
    /// Has `generator` ask each variant for `path` in every round; gives the processor time for each request in µs, by variant and
    /// round.
    ///
    /// # Errors
    /// When a server or the generator fails.
    pub(crate) fn measure(
        &self,
        testbed: &Testbed,
        generator: &Path,
        variants: &[Variant<'_>],
        path: &str,
    ) -> Result<Vec<Vec<f64>>, Failure> {
        let ask = |variant: &Variant<'_>, requests: u64| {
            let Variant { archbench, model } = variant;
            let server = Server::ours(testbed, archbench, model, &testbed.root())?;
            let load = [
                "-n".into(),
                requests.to_string(),
                "-c".into(),
                self.connections.to_string(),
                format!("{}{path}", server.url),
            ];
            let completed = client::load(testbed, generator, &load)?.requests;
            let used = server.stop()?;
            Ok::<_, Failure>(used.as_secs_f64() * 1e6 / completed as f64)
        };
        // Programs and file come from the disk once, and not for whoever happens to be the first.
        for variant in variants {
            ask(variant, self.requests.div_ceil(10))?;
        }
        let mut us = vec![Vec::new(); variants.len()];
        for order in turns(variants.len(), self.pairs as usize, self.seed) {
            for who in order {
                us[who].push(ask(&variants[who], self.requests)?);
            }
        }
        Ok(us)
    }
}

/// What came of the pairs of two.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// Medians over the pairs, in µs for each request.
    pub(crate) first_us: f64,
    pub(crate) second_us: f64,
    /// The second's over the first's.
    pub(crate) ratio: Interval,
}

impl Outcome {
    /// Of processor time for each request in µs, pair by pair.
    ///
    /// # Errors
    /// When there are fewer than two pairs, or a time is not above 0.
    pub(crate) fn of(first_us: &[f64], second_us: &[f64]) -> Result<Self, Failure> {
        let median = |values: &[f64]| stats::sample::median(&mut values.to_vec());
        Ok(Self {
            first_us: median(first_us),
            second_us: median(second_us),
            ratio: compare::paired(first_us, second_us, LEVEL)?.ratio,
        })
    }

    /// Whether the interval includes a ratio of at most `bound`.
    pub(crate) fn holds(&self, bound: f64) -> bool {
        self.ratio.low <= bound
    }

    /// Which of the two is dearer, if the interval leaves 1 out.
    pub(crate) fn difference(&self) -> &'static str {
        if self.ratio.low > 1.0 {
            "dearer"
        } else if self.ratio.high < 1.0 {
            "cheaper"
        } else {
            "includes 1"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: [f64; 5] = [6.0, 6.6, 5.8, 6.1, 9.0];

    fn with(factors: [f64; 5]) -> Outcome {
        let second: Vec<f64> = FIRST
            .iter()
            .zip(factors)
            .map(|(first, factor)| first * factor)
            .collect();
        Outcome::of(&FIRST, &second).unwrap()
    }

    #[test]
    fn the_bound_holds_if_the_interval_includes_it() {
        let slower = with([1.10, 1.11, 1.09, 1.10, 1.10]);
        assert!((slower.ratio.estimate - 1.10).abs() < 0.001 && !slower.holds(1.02));
        assert_eq!(slower.first_us, 6.1);
        // What both of a pair suffered falls out.
        assert!(slower.ratio.low > 1.08 && slower.ratio.high < 1.12);
        assert!(with([1.01, 0.99, 1.03, 1.00, 0.98]).holds(1.02));
        // Slower in the mean, and not known well enough to say so.
        let vague = with([1.3, 0.9, 1.2, 0.95, 1.25]);
        assert!(vague.ratio.estimate > 1.05 && vague.holds(1.02));
    }

    #[test]
    fn a_difference_is_one_that_the_interval_shows() {
        assert_eq!(with([1.10, 1.11, 1.09, 1.10, 1.10]).difference(), "dearer");
        assert_eq!(with([0.90, 0.91, 0.89, 0.9, 0.9]).difference(), "cheaper");
        assert_eq!(with([1.3, 0.9, 1.2, 0.95, 1.25]).difference(), "includes 1");
    }
}
