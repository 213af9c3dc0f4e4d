//! `archbench flux simulate`, `archbench flux predict`: arguments as they are typed, and what is done with them.

mod predict;
mod simulate;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use command::output::Format;
use command::{input, output};
use flux::Compiled;
use flux::profile::Profile;
use workload::units;

use crate::model::{Runtime, Settings};
use crate::run::Run;
use crate::times::ServiceTimes;

/// What is done with a program.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// What it would do on a machine.
    Simulate(Box<simulate::Arguments>),
    /// What it would do beside what it did.
    Predict(Box<predict::Arguments>),
}

/// Does what was typed.
///
/// # Errors
/// What could not be read or written, in words.
pub fn run(action: &Action) -> Result<ExitCode, Box<dyn Error>> {
    match action {
        Action::Simulate(arguments) => simulate::run(arguments),
        Action::Predict(arguments) => predict::run(arguments),
    }
}

/// What the program runs on.
#[derive(Debug, Clone, Args)]
struct Machine {
    /// Who calls the next step of a flow: a thread of its own, one of a pool, or a loop with helpers
    #[arg(long, value_name = "WHO", default_value = "event")]
    runtime: Runtime,
    /// Threads of the pool, or helpers of the loop
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    threads: u32,
    /// How long a thread runs while others want to; 0: as if all ran at a time, each as slowly as there are others
    #[arg(long, value_name = "TIME", default_value = "3ms", value_parser = units::duration)]
    slice: Duration,
    /// Nodes that wait for the disk, and need no processor meanwhile
    #[arg(long = "disk", value_name = "NODE", value_delimiter = ',')]
    disk_nodes: Vec<String>,
    /// How many of them the disk serves at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    disk_width: u32,
    /// What is made of the times that the profile has observed
    #[arg(long, value_name = "KIND", default_value = "observed")]
    service_times: ServiceTimes,
    /// How long a node takes of which no time was observed
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    node_time: Option<Duration>,
    /// How long its source takes for each flow [default: what the processors did outside of nodes, by the profile]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    source_time: Option<Duration>,
    /// To how many sessions flows belong, each as likely as the others [default: each client is one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    sessions: Option<u32>,
    /// The node that makes a flow a request, where some are none: loads and figures are of requests [default: each flow is one]
    #[arg(long, value_name = "NODE")]
    request: Option<String>,
    /// Time that each flow takes besides, on the network and at its client
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = units::duration)]
    delay: Duration,
    /// How many flows are looked at for each load; a tenth as many come before
    #[arg(long, value_name = "N", default_value = "200k", value_parser = flows)]
    flows: u64,
    /// The same seed gives the same outcome
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Machine {
    fn settings(&self, processors: u32) -> Settings {
        Settings {
            runtime: self.runtime,
            threads: self.threads,
            processors,
            slice: self.slice,
            disk_nodes: self.disk_nodes.clone(),
            disk_width: self.disk_width,
            service_times: self.service_times,
            node_time: self.node_time,
            source_time: self.source_time,
            sessions: self.sessions,
            request: self.request.clone(),
        }
    }

    fn how(&self) -> Run {
        Run {
            flows: self.flows,
            warm_up: self.flows / 10,
            delay: self.delay,
            seed: self.seed,
        }
    }
}

/// Where what came of it goes.
#[derive(Debug, Clone, Args)]
struct Shown {
    /// For whom it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Response times over the load, as SVG
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Shown {
    fn draw(&self, svg: Result<String, report::Error>) -> Result<(), Box<dyn Error>> {
        output::write(self.output.as_deref(), svg?.as_bytes()).map_err(|error| {
            format!(
                "cannot write the picture: {error}{}",
                output::remedy(&error)
            )
            .into()
        })
    }
}

fn flows(text: &str) -> Result<u64, String> {
    match units::count(text) {
        Ok(flows @ 1..=1_000_000_000) => Ok(flows),
        Ok(_) => Err("expected 1 to 1g flows".into()),
        Err(why) => Err(why.to_string()),
    }
}

/// Reads what a program has counted of itself.
fn profile(path: &Path, compiled: &Compiled) -> Result<Profile, Box<dyn Error>> {
    let text = input::text(path)?;
    let profile = Profile::parse(&text, compiled);
    profile.map_err(|why| format!("{}: {why}", input::name(path)).into())
}
