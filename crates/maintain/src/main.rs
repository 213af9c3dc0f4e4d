//! `maintain`: what the maintainers measure beyond experiments. The scripts of these names call it.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`testbed`], [`server`], [`client`] | servers and clients as processes, each pinned to its core |
//! | [`account`] | processor time of a process with its threads and children |
//! | [`rounds`] | who comes when: turns shuffled by a seed |
//! | [`stepping`] | instructions in user mode, counted by single-stepping |
//! | [`builds`] | `compare-builds`: processor time of two builds of `archbench` in interleaved pairs |
//! | [`instructions`] | `compare-instructions`: user instructions of two builds |

mod account;
mod builds;
mod client;
mod instructions;
mod rounds;
mod server;
mod stepping;
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
    CompareInstructions(instructions::Arguments),
}

fn main() -> ExitCode {
    let outcome: Result<u8, Failure> = match Arguments::parse().command {
        Command::CompareBuilds(arguments) => builds::run(&arguments),
        Command::CompareInstructions(arguments) => instructions::run(&arguments),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("maintain: {failure}");
            ExitCode::FAILURE
        }
    }
}
