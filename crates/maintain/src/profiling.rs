//! `profiling`: what it costs a server in Flux to count its paths and time its nodes, in instructions in user mode for each request.
//!
//! One flow of 32 is timed, so that a multiple of so many requests is counted: as many with times as without, on the average.

use lab::Failure;

use crate::builds::SLOWER;
use crate::instructions::{Counting, measure};
use crate::programs;
use crate::testbed::{Cores, Size, Testbed};

/// Count what --profile costs a server in Flux: instructions in user mode for each request, without it and with it
///
/// The whole server is single-stepped, in all its threads. Exit status: 0 no ratio is above --bound, 3 one is, 1 something failed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  maintain profiling target/release/archbench --runtime event --runtime pool"
)]
pub(crate) struct Arguments {
    /// Who calls the next step; repeatable
    #[arg(long = "runtime", value_name = "WHO", default_values = ["event", "pool"])]
    runtimes: Vec<String>,
    /// The size of the file that is asked for
    #[arg(long, value_name = "SIZE", default_value = "1k")]
    size: Size,
    /// How many requests: N, a multiple of 32
    #[arg(long, value_name = "N", default_value_t = 320, value_parser = requests)]
    requests: u64,
    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// The most that the ratio may be
    #[arg(long, value_name = "RATIO", default_value_t = 1.02)]
    bound: f64,
    #[command(flatten)]
    cores: Cores,
}

/// One flow of so many is timed.
const TIMED: u64 = 32;

fn requests(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(count @ 1..=1_000_000_u64) if count.is_multiple_of(TIMED) => Ok(count),
        _ => Err(format!("expected a multiple of {TIMED}, like 320")),
    }
}

/// Counts; prints each row as soon as it is known.
///
/// # Errors
/// When the build cannot be started or stepped, or does not serve.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let path = testbed.file(&arguments.size)?;
    let archbench = programs::archbench()?;
    let counting = Counting {
        before: 100,
        requests: arguments.requests,
        rounds: arguments.rounds,
        generator: &archbench,
    };
    let of = |model: &str| measure(&testbed, &counting, &archbench, model, &path);
    println!("runtime  instructions  with --profile    ratio  verdict");
    let mut status = 0;
    for runtime in &arguments.runtimes {
        let model = format!("flux --runtime {runtime}");
        let profile = testbed.work().join("flux.profile");
        let plain = of(&model)?;
        let counted = of(&format!("{model} --profile {}", profile.display()))?;
        let ratio = counted / plain;
        let verdict = match ratio <= arguments.bound {
            true => "at most",
            false => {
                status = SLOWER;
                "MORE than"
            }
        };
        println!(
            "{runtime:<7}  {plain:>12.0}  {counted:>14.0}  {ratio:>7.4}  {verdict} {}",
            arguments.bound
        );
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_timed_in_each_round() {
        assert_eq!(requests("320"), Ok(320));
        assert!(requests("100").is_err() && requests("0").is_err() && requests("x").is_err());
    }
}
