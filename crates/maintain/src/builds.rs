//! `compare-builds`: two builds of `archbench` serve the same load in interleaved pairs ([`pairs`](crate::pairs)).

use std::path::{Path, PathBuf};

use lab::Failure;
use stats::Interval;

use crate::pairs::{Outcome, Pairing, Variant};
use crate::testbed::{Cores, Size, Testbed};

/// The exit status when a new build is slower than it may be, as `archbench` has it for a missed objective.
pub(crate) const SLOWER: u8 = lab::SLO_MISSED;

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
    #[command(flatten)]
    pairing: Pairing,
    /// The most that the ratio may be
    #[arg(long, value_name = "RATIO", default_value_t = 1.02)]
    bound: f64,
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

/// Compares; prints each row as soon as it is known, so that what fails later loses nothing.
///
/// # Errors
/// When a build cannot be started, or does not serve.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    println!("{}", arguments.pairing);
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
            outcome.first_us, outcome.second_us, arguments.bound
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
    let variants = [&arguments.builds.old, &arguments.builds.new]
        .map(|archbench| Variant { archbench, model });
    let generator = arguments.builds.generator();
    let us = arguments
        .pairing
        .measure(testbed, generator, &variants, &path)?;
    Outcome::of(&us[0], &us[1])
}
