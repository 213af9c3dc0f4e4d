//! `threads`: what threads of each kind cost, without a server (Capriccio, section 3, figures 1 to 4, and section 4.3).
//!
//! A trial is a process of its own on one core, which makes so many threads of one kind, has them pass items to each other for a while,
//! counts, and exits. An experiment is many of them, planned, shuffled, repeated and judged as every other, in a results folder as every
//! other: what is passed counts as a request.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`trial`] | one trial: the workloads |
//! | [`kinds`] | how each kind of thread does them |
//! | [`experiment`] | what is varied, and what is expected: files in `bench-configs/threads` |
//! | [`mod@file`] | the file that is read |
//! | [`folder`] | the results folder |

mod experiment;
mod file;
mod folder;
mod kinds;
mod trial;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measure what threads of each kind cost, without a server
#[derive(Debug, Parser)]
#[command(name = "threads", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(folder::Arguments),
    Trial(trial::Arguments),
    #[command(hide = true)]
    Disk(disk::cli::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => folder::run(&arguments),
        Command::Trial(arguments) => trial::run(&arguments),
        // A process of its own, as 'archbench disk' is.
        Command::Disk(arguments) => return disk::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("threads: {error}");
            ExitCode::FAILURE
        }
    }
}
