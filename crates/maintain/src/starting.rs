//! `starting`: how long a server takes until it is ready.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use contracts::Line;
use contracts::serve::Ready;
use lab::Failure;
use lab::table::Table;
use rustix::process::{Pid, Signal, kill_process};
use stats::sample::median;

use crate::programs;
use crate::rounds::turns;

/// Measure how long 'archbench serve' takes from its start to its ready line
///
/// Its files are there: a start that is not counted has made them. The table has the median, the lowest and the highest of all starts of a
/// model, in milliseconds. Exit status: 3 if a median is more than --bound.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Models, with their options behind them if need be
    #[arg(value_name = "MODEL", default_values = ["sped", "amped", "mt", "pool", "seda", "async"])]
    models: Vec<String>,
    /// How often each is started
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    starts: u32,
    /// The most milliseconds that a start may take, by its median
    #[arg(long, value_name = "MS", default_value_t = 20.0)]
    bound: f64,
}

/// Measures, and prints the table.
///
/// # Errors
/// When a server does not become ready.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let archbench = programs::archbench()?;
    let models = &arguments.models;
    let mut starts_ms = vec![Vec::new(); models.len()];
    for model in models {
        start_ms(&archbench, model)?;
    }
    for order in turns(models.len(), arguments.starts as usize, 1) {
        for who in order {
            starts_ms[who].push(start_ms(&archbench, &models[who])?);
        }
    }
    let heads = ["model", "ready after ms", "from", "to"];
    let mut table = Table::new(heads.map(str::to_owned));
    let mut slow = Vec::new();
    for (model, starts_ms) in models.iter().zip(&mut starts_ms) {
        let middle = median(starts_ms);
        let (low, high) = starts_ms
            .iter()
            .fold((f64::NAN, f64::NAN), |(low, high), &ms| {
                (ms.min(low), ms.max(high))
            });
        let figures = [middle, low, high].map(|ms| format!("{ms:.1}"));
        table.row([vec![model.clone()], figures.to_vec()].concat());
        if middle > arguments.bound {
            slow.push(model.as_str());
        }
    }
    print!("{table}");
    if slow.is_empty() {
        return Ok(0);
    }
    eprintln!(
        "ready later than {} ms after the start: {}",
        arguments.bound,
        slow.join(", ")
    );
    Ok(lab::SLO_MISSED)
}

/// Starts a server, and stops it when it is ready; how long that took.
fn start_ms(archbench: &Path, model: &str) -> Result<f64, Failure> {
    let mut command = Command::new(archbench);
    command.args(["serve", "--model"]);
    command.args(model.split_whitespace());
    command.args(["--addr", "127.0.0.1:0", "--output-format", "json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    sys::process::end_with_parent(&mut command, Signal::TERM);
    let since = Instant::now();
    let mut server = command
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", archbench.display()))?;
    let mut line = String::new();
    let mut said = server.stdout.take().map(BufReader::new);
    if let Some(said) = &mut said {
        said.read_line(&mut line)
            .map_err(|error| format!("cannot hear whether {model} is ready: {error}"))?;
    }
    let ready_ms = since.elapsed().as_secs_f64() * 1e3;
    let id = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
    // One that has failed has ended by itself.
    let _ = id.map(|id| kill_process(id, Signal::TERM));
    // What it says at its end is not to block it.
    let rest = said.map(|said| std::io::copy(&mut said.into_inner(), &mut std::io::sink()));
    rest.transpose()
        .and_then(|_| server.wait())
        .map_err(|error| format!("cannot wait for {model}: {error}"))?;
    match Ready::parse(&line) {
        Ok(_) => Ok(ready_ms),
        Err(why) => Err(format!("{model} should say that it is ready: {why}").into()),
    }
}
