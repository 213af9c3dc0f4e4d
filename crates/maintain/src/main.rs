//! `maintain`: what the maintainers measure beyond experiments. The scripts of these names call it.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`testbed`], [`server`], [`client`] | servers and clients as processes, each pinned to its core |
//! | [`account`] | processor time of a process with its threads and children |
//! | [`rounds`] | who comes when: turns shuffled by a seed |
//! | [`builds`] | `compare-builds`: two builds of `archbench` in interleaved pairs |

mod account;
mod builds;
mod client;
mod rounds;
mod server;
mod testbed;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lab::Failure;

/// Measure what the maintainers want to know of the project, and put it where it is shown
#[derive(Debug, Parser)]
#[command(name = "maintain", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    CompareBuilds(builds::Arguments),
}

fn main() -> ExitCode {
    let outcome: Result<u8, Failure> = match Arguments::parse().command {
        Command::CompareBuilds(arguments) => builds::run(&arguments),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("maintain: {failure}");
            ExitCode::FAILURE
        }
    }
}
