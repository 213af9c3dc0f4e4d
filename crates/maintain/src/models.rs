//! `compare-models`: models, or variants of one, serve the same load in interleaved pairs ([`pairs`](crate::pairs)).

use std::path::PathBuf;

use lab::Failure;
use stats::Interval;

use crate::builds::SLOWER;
use crate::pairs::{Outcome, Pairing, Variant};
use crate::programs;
use crate::testbed::{Cores, Size, Testbed};

/// Compare models, or variants of one: the ratio of processor time for each request over interleaved pairs, with its 95 % interval
///
/// Each round starts them all afresh, in an order drawn from the seed, has the same generator ask each for the same number of requests,
/// and takes the processor time of the server with all its threads and children from the kernel when it has ended. Each is held against
/// the first. Exit status: 0; 3 if with --bound the whole interval of one is above it; 1 something failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    maintain compare-models sped 'symped --loops 1' 'symped --loops 2' uring --connections 64 --size 1k --size 64k")]
pub(crate) struct Arguments {
    /// A model, with its options behind it if need be; the others are held against the first
    #[arg(value_name = "MODEL [OPTION …]", required = true, num_args = 2..)]
    models: Vec<String>,
    /// The size of the file that is asked for; repeatable
    #[arg(long = "size", value_name = "SIZE", default_value = "1k")]
    sizes: Vec<Size>,
    #[command(flatten)]
    pairing: Pairing,
    /// The most that a ratio may be
    #[arg(long, value_name = "RATIO")]
    bound: Option<f64>,
    /// The `archbench` that serves and asks; what ARCHBENCH names, or a release build, if none is given
    #[arg(long, value_name = "PATH")]
    archbench: Option<PathBuf>,
    #[command(flatten)]
    cores: Cores,
}

/// Compares; prints the rows of a size as soon as they are known, so that what fails later loses nothing.
///
/// # Errors
/// When a model cannot be started, or does not serve.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let archbench = match &arguments.archbench {
        Some(path) => path.clone(),
        None => programs::archbench()?,
    };
    let variants: Vec<Variant<'_>> = arguments
        .models
        .iter()
        .map(|model| Variant {
            archbench: &archbench,
            model,
        })
        .collect();
    println!("{}", arguments.pairing);
    let widths = arguments.models.iter().map(|model| model.chars().count());
    let width = widths.max().unwrap_or(0).max("model".len());
    println!(
        "{:<width$}  {:>6}  {:>9}  {:>7}  {:>16}  verdict",
        "model", "file", "median µs", "ratio", "95 % interval"
    );
    let mut status = 0;
    for size in &arguments.sizes {
        let path = testbed.file(size)?;
        let us = arguments
            .pairing
            .measure(&testbed, &archbench, &variants, &path)?;
        let [first, others @ ..] = us.as_slice() else {
            continue;
        };
        for (variant, us) in variants.iter().zip([first].into_iter().chain(others)) {
            let outcome = Outcome::of(first, us)?;
            let is_first = std::ptr::eq(us, first);
            let (shown, missed) = row(&outcome, is_first, arguments.bound);
            println!("{:<width$}  {size:>6}  {shown}", variant.model);
            if missed {
                status = SLOWER;
            }
        }
    }
    Ok(status)
}

/// The columns of one that is held against the first, or of the first itself, and whether it misses the bound.
fn row(outcome: &Outcome, is_first: bool, bound: Option<f64>) -> (String, bool) {
    let us = outcome.second_us;
    if is_first {
        return (format!("{us:>9.3}  {:>7}  {:>16}  –", 1, "–"), false);
    }
    let Interval {
        low,
        estimate,
        high,
        ..
    } = outcome.ratio;
    let missed = bound.is_some_and(|bound| !outcome.holds(bound));
    let beyond = match bound {
        Some(bound) if missed => format!(", MORE than {bound}"),
        _ => String::new(),
    };
    let difference = outcome.difference();
    let interval = format!("{low:.4} to {high:.4}");
    (
        format!("{us:>9.3}  {estimate:>7.4}  {interval:>16}  {difference}{beyond}"),
        missed,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_how_one_compares_with_the_first_and_what_it_misses() {
        let dearer = Outcome::of(&[6.0, 6.2, 6.1], &[6.6, 6.83, 6.71]).unwrap();
        let (shown, missed) = row(&dearer, false, Some(1.05));
        assert!(missed && shown.starts_with("    6.710   1.1"), "{shown}");
        assert!(shown.ends_with("dearer, MORE than 1.05"), "{shown}");
        let (shown, missed) = row(&dearer, false, None);
        assert!(!missed && shown.ends_with("dearer"), "{shown}");
        let (shown, missed) = row(&dearer, true, Some(1.05));
        assert!(!missed && !shown.contains("dearer"), "{shown}");
    }
}
