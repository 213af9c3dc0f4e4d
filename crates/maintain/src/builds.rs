//! `compare-builds`: two builds of `archbench` serve the same load in interleaved pairs.
//!
//! Of each pair comes the ratio of processor time for each request, the new build's over the old one's; what both of a pair
//! suffered falls out. The interval is Student's for the mean of the logarithms of these ratios ([`stats::compare::paired`]).

use std::path::{Path, PathBuf};

use lab::Failure;
use stats::Interval;
use stats::compare;

use crate::client;
use crate::rounds::turns;
use crate::server::Server;
use crate::testbed::{Cores, Size, Testbed};

/// The exit status when a new build is slower than it may be, as `archbench` has it for a missed objective.
pub(crate) const SLOWER: u8 = lab::SLO_MISSED;
/// How sure the interval is.
const LEVEL: f64 = 0.95;

/// Compare two builds: the ratio of processor time for each request over interleaved pairs, with its 95 % interval
///
/// Each pair starts both builds afresh, in an order drawn from the seed, has the same generator ask each for the same number of requests,
/// and takes the processor time of the server with all its threads and children from the kernel when it has ended. A build holds the
/// bound if the interval includes a ratio of at most --bound. Exit status: 0 it holds for all models, 3 not for one of them, 1 something failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    maintain compare-builds old/archbench new/archbench --model sped --model 'iterative --keep-alive off' --size 1k --pairs 10")]
pub(crate) struct Arguments {
    #[command(flatten)]
    builds: Builds,
    /// How many pairs
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=1000))]
    pairs: u64,
    /// How many requests each server is asked
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Over how many connections; no more than the model serves at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    connections: u64,
    /// The most that the ratio may be
    #[arg(long, value_name = "RATIO", default_value_t = 1.02)]
    bound: f64,
    /// Orders are drawn from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    cores: Cores,
}

/// Two builds, and what they are asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Builds {
    /// The old build's `archbench`
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The new build's
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// A model, with its options behind it if need be; repeatable
    #[arg(long = "model", value_name = "MODEL [OPTION …]", required = true)]
    models: Vec<String>,
    /// The size of the file that is asked for; repeatable
    #[arg(long = "size", value_name = "SIZE", default_value = "1k")]
    sizes: Vec<Size>,
    /// The `archbench` whose load generator asks both; the new build's if none is given
    #[arg(long, value_name = "PATH")]
    generator: Option<PathBuf>,
}

impl Builds {
    /// Whose generator asks both.
    pub(crate) fn generator(&self) -> &Path {
        self.generator.as_deref().unwrap_or(&self.new)
    }

    /// Every model with every size.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (&str, &Size)> {
        let sizes = |model| self.sizes.iter().map(move |size| (model, size));
        self.models.iter().map(String::as_str).flat_map(sizes)
    }

    /// How wide a column is that holds any of the models.
    pub(crate) fn width(&self) -> usize {
        let widths = self.models.iter().map(|model| model.chars().count());
        widths.max().unwrap_or(0).max("model".len())
    }
}

/// What came of all pairs of a model and a size.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    /// Medians over the pairs, in µs for each request.
    old_us: f64,
    new_us: f64,
    /// New over old.
    ratio: Interval,
}

impl Outcome {
    /// Of processor time for each request in µs, pair by pair.
    fn of(old_us: &[f64], new_us: &[f64]) -> Result<Self, Failure> {
        let median = |values: &[f64]| stats::sample::median(&mut values.to_vec());
        Ok(Self {
            old_us: median(old_us),
            new_us: median(new_us),
            ratio: compare::paired(old_us, new_us, LEVEL)?.ratio,
        })
    }

    /// Whether the interval includes a ratio of at most `bound`.
    fn holds(&self, bound: f64) -> bool {
        self.ratio.low <= bound
    }
}

/// Compares; prints each row as soon as it is known, so that what fails later loses nothing.
///
/// # Errors
/// When a build cannot be started, or does not serve.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    println!(
        "processor time for each request, {} pairs of {} requests over {} connections",
        arguments.pairs, arguments.requests, arguments.connections
    );
    let width = arguments.builds.width();
    println!(
        "{:<width$}  {:>6}  {:>9}  {:>9}  {:>7}  {:>16}  verdict",
        "model", "file", "old µs", "new µs", "ratio", "95 % interval"
    );
    let mut status = 0;
    for (model, size) in arguments.builds.cases() {
        let outcome = measure(&testbed, arguments, model, size)?;
        let Interval {
            low,
            estimate,
            high,
            ..
        } = outcome.ratio;
        let verdict = match outcome.holds(arguments.bound) {
            true => "includes",
            false => {
                status = SLOWER;
                "SLOWER than"
            }
        };
        println!(
            "{model:<width$}  {size:>6}  {:>9.3}  {:>9.3}  {estimate:>7.4}  {low:.4} to {high:.4}  {verdict} {}",
            outcome.old_us, outcome.new_us, arguments.bound
        );
    }
    Ok(status)
}

fn measure(
    testbed: &Testbed,
    arguments: &Arguments,
    model: &str,
    size: &Size,
) -> Result<Outcome, Failure> {
    let path = testbed.file(size)?;
    let builds = [&arguments.builds.old, &arguments.builds.new];
    let generator = arguments.builds.generator();
    let ask = |archbench: &Path, requests: u64| {
        let server = Server::ours(testbed, archbench, model, &testbed.root())?;
        let load = [
            "-n".into(),
            requests.to_string(),
            "-c".into(),
            arguments.connections.to_string(),
            format!("{}{path}", server.url),
        ];
        let completed = client::load(testbed, generator, &load)?.requests;
        let used = server.stop()?;
        Ok::<_, Failure>(used.as_secs_f64() * 1e6 / completed as f64)
    };
    // Programs and file come from the disk once, and not for whoever happens to be the first.
    for archbench in builds {
        ask(archbench, arguments.requests.div_ceil(10))?;
    }
    let mut us = [Vec::new(), Vec::new()];
    for order in turns(builds.len(), arguments.pairs as usize, arguments.seed) {
        for which in order {
            us[which].push(ask(builds[which], arguments.requests)?);
        }
    }
    Outcome::of(&us[0], &us[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_holds_the_bound_if_the_interval_includes_it() {
        let old = [6.0, 6.6, 5.8, 6.1, 9.0];
        let times = |factors: [f64; 5]| -> Vec<f64> {
            old.iter()
                .zip(factors)
                .map(|(old, factor)| old * factor)
                .collect()
        };
        let slower = Outcome::of(&old, &times([1.10, 1.11, 1.09, 1.10, 1.10])).unwrap();
        assert!((slower.ratio.estimate - 1.10).abs() < 0.001 && !slower.holds(1.02));
        assert_eq!(slower.old_us, 6.1);
        // What both of a pair suffered falls out.
        assert!(slower.ratio.low > 1.08 && slower.ratio.high < 1.12);
        let same = Outcome::of(&old, &times([1.01, 0.99, 1.03, 1.00, 0.98])).unwrap();
        assert!(same.holds(1.02));
        // Slower in the mean, and not known well enough to say so.
        let vague = Outcome::of(&old, &times([1.3, 0.9, 1.2, 0.95, 1.25])).unwrap();
        assert!(vague.ratio.estimate > 1.05 && vague.holds(1.02));
    }
}
