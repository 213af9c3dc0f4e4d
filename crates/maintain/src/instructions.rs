//! `compare-instructions`: what a request takes of two builds of `archbench`, in instructions in user mode.
//!
//! The count is of the whole server, in all threads and processes, and the same on a noisy machine as on a quiet one, so that a change
//! of one per cent can be seen; what a timer does that goes off meanwhile is in it. It has nothing of what the kernel does, nor of
//! what a cache miss costs. Steps of the ground floor are counted one by one by `count-instructions`.

use std::path::Path;

use lab::Failure;

use crate::builds::{self, SLOWER};
use crate::client;
use crate::server::Server;
use crate::stepping::Stepping;
use crate::testbed::{Cores, Testbed};

/// Compare two builds: instructions in user mode for each request, counted by single-stepping the whole server
///
/// In each round one client asks N times over one connection, and then 2N times over another; the difference is what N requests take,
/// without what a connection takes. The table has medians over the rounds. Exit status: 0 no ratio is above --bound, 3 one is, 1 something failed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  maintain compare-instructions old/archbench new/archbench --model sped --model seda --size 1k"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    builds: builds::Builds,
    /// How many requests: N
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    requests: u64,
    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// The most that the ratio may be
    #[arg(long, value_name = "RATIO", default_value_t = 1.10)]
    bound: f64,
    #[command(flatten)]
    cores: Cores,
}

/// Compares; prints each row as soon as it is known.
///
/// # Errors
/// When a build cannot be started or stepped, or does not serve.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let builds = &arguments.builds;
    let width = builds.width();
    println!(
        "{:<width$}  {:>6}  {:>16}  {:>16}  {:>7}  verdict",
        "model", "file", "old instructions", "new instructions", "ratio"
    );
    let mut status = 0;
    for (model, size) in builds.cases() {
        let path = testbed.file(size)?;
        let counting = Counting {
            before: 100,
            requests: arguments.requests,
            rounds: arguments.rounds,
            generator: builds.generator(),
        };
        let of = |archbench| measure(&testbed, &counting, archbench, model, &path);
        let (old, new) = (of(&builds.old)?, of(&builds.new)?);
        let ratio = new / old;
        let verdict = match ratio <= arguments.bound {
            true => "at most",
            false => {
                status = SLOWER;
                "MORE than"
            }
        };
        println!(
            "{model:<width$}  {size:>6}  {old:>16.0}  {new:>16.0}  {ratio:>7.4}  {verdict} {}",
            arguments.bound
        );
    }
    Ok(status)
}

/// What one request takes, if N take `few` with all that happens once, and 2N take `many`.
fn each(few: u64, many: u64, requests: u64) -> f64 {
    many.saturating_sub(few) as f64 / requests as f64
}

/// How much is asked for while it is counted, and by whom.
pub(crate) struct Counting<'a> {
    /// How many requests come before it is counted: what is done for the first for a file, and no more.
    pub(crate) before: u64,
    /// How many requests: N and then 2N.
    pub(crate) requests: u64,
    /// How many rounds.
    pub(crate) rounds: u64,
    /// Whose `archbench load` asks.
    pub(crate) generator: &'a Path,
}

/// Instructions for each request of a build.
///
/// # Errors
/// When it cannot be started or stepped, or does not serve.
pub(crate) fn measure(
    testbed: &Testbed,
    counting: &Counting<'_>,
    archbench: &Path,
    model: &str,
    path: &str,
) -> Result<f64, Failure> {
    // Over a time that is so drawn out, a name would be looked up afresh for every few requests.
    let model = format!("{model} --revalidate 1h");
    let server = Server::ours(testbed, archbench, &model, &testbed.root())?;
    let ask = |requests: u64| {
        // Each step takes a thousand times as long as it would alone.
        let patient = ["--timeout", "5m", "-c", "1", "-n"].map(str::to_owned);
        let url = format!("{}{path}", server.url);
        let load = [&patient[..], &[requests.to_string(), url]].concat();
        client::load(testbed, counting.generator, &load)
    };
    ask(counting.before)?;
    let stepping = Stepping::begin(server.id(), testbed.cores.server);
    let count = |requests| -> Result<u64, Failure> {
        let before = stepping.counted();
        ask(requests)?;
        Ok(stepping.counted() - before)
    };
    let round = |_| {
        let (few, many) = (count(counting.requests)?, count(2 * counting.requests)?);
        Ok(each(few, many, counting.requests))
    };
    let rounds: Result<Vec<f64>, Failure> = (0..counting.rounds).map(round).collect();
    stepping.end();
    server.terminate();
    stepping.finish()?;
    server.stop()?;
    Ok(stats::sample::median(&mut rounds?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_once_is_no_part_of_a_request() {
        assert_eq!(each(1_000_500, 1_001_000, 100), 5.0);
        assert_eq!(each(7, 6, 1), 0.0);
    }
}
