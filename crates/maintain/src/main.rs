//! `maintain`: what the maintainers measure beyond experiments. The scripts of these names call it.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`testbed`], [`server`], [`client`] | servers and clients as processes, each pinned to its core |
//! | [`account`] | processor time of a process with its threads and children |
//! | [`rounds`] | who comes when: turns shuffled by a seed |
//! | [`stepping`] | instructions in user mode, counted by single-stepping |
//! | [`programs`] | what is measured, built if need be |
//! | [`side_by_side`] | servers that take turns, and their table |
//! | [`pairs`] | servers that are held against the first of them, in interleaved pairs |
//! | [`builds`] | `compare-builds`: processor time of two builds of `archbench` |
//! | [`models`] | `compare-models`: processor time of models, or variants of one |
//! | [`instructions`] | `compare-instructions`: user instructions of two builds |
//! | [`prediction`] | `prediction`: Flux's image server simulated from a profile, and measured |
//! | [`profiling`] | `profiling`: what counting paths and timing nodes costs a server in Flux |
//! | [`peers`] | `peers`, `data-path`: servers by processor time for each request |
//! | [`staging`] | `staging`: SEDA beside AMPED, and what the difference is made of |
//! | [`idle`] | `idle`: what idle connections cost |
//! | [`starting`] | `starting`: how long a server takes until it is ready |
//! | [`engines`] | `engines`: the load generator over epoll and over `io_uring` |
//! | [`generators`] | `generators`: our load generator beside others |
//! | [`system_calls`] | `system-calls`: how many a request takes, and which |
//! | [`steps`] | `steps`: instructions of each step of the ground floor |
//! | [`lines`] | `lines`: lines of code of servers in Flux, and of rooms by hand |
//! | [`merging`] | `merging`: time and memory of merging the parts of a run |
//! | [`division`] | `compare-parts`: a run of several parts beside one of one process |
//! | [`interoperate`] | `interoperate`: ours and others' servers and clients |
//! | [`splice`] | `readme-figures`, `record-outcome`: figures put where they are shown |

mod account;
mod builds;
mod client;
mod division;
mod engines;
mod generators;
mod idle;
mod instructions;
mod interoperate;
mod lines;
mod merging;
mod models;
mod pairs;
mod peers;
mod prediction;
mod profiling;
mod programs;
mod rounds;
mod server;
mod side_by_side;
mod splice;
mod staging;
mod starting;
mod stepping;
mod steps;
mod system_calls;
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
    CompareModels(models::Arguments),
    CompareInstructions(instructions::Arguments),
    Prediction(prediction::Arguments),
    Profiling(profiling::Arguments),
    Peers(peers::Peers),
    DataPath(peers::DataPath),
    Staging(staging::Arguments),
    Idle(idle::Arguments),
    Starting(starting::Arguments),
    Engines(engines::Arguments),
    Generators(generators::Arguments),
    SystemCalls(system_calls::Arguments),
    Steps(steps::Arguments),
    Lines(lines::Arguments),
    Merging(merging::Arguments),
    CompareParts(division::Arguments),
    Interoperate(interoperate::Arguments),
    ReadmeFigures(splice::ReadmeFigures),
    RecordOutcome(splice::RecordOutcome),
}

fn main() -> ExitCode {
    let outcome: Result<u8, Failure> = match Arguments::parse().command {
        Command::CompareBuilds(arguments) => builds::run(&arguments),
        Command::CompareModels(arguments) => models::run(&arguments),
        Command::CompareInstructions(arguments) => instructions::run(&arguments),
        Command::Prediction(arguments) => prediction::run(&arguments),
        Command::Profiling(arguments) => profiling::run(&arguments),
        Command::Peers(arguments) => arguments.run(),
        Command::DataPath(arguments) => arguments.run(),
        Command::Staging(arguments) => staging::run(&arguments),
        Command::Idle(arguments) => idle::run(&arguments),
        Command::Starting(arguments) => starting::run(&arguments),
        Command::Engines(arguments) => engines::run(&arguments),
        Command::Generators(arguments) => generators::run(&arguments),
        Command::SystemCalls(arguments) => system_calls::run(&arguments),
        Command::Steps(arguments) => steps::run(&arguments),
        Command::Lines(arguments) => lines::run(&arguments),
        Command::Merging(arguments) => merging::run(&arguments),
        Command::CompareParts(arguments) => division::run(&arguments),
        Command::Interoperate(arguments) => interoperate::run(&arguments),
        Command::ReadmeFigures(arguments) => arguments.run(),
        Command::RecordOutcome(arguments) => arguments.run(),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("maintain: {failure}");
            ExitCode::FAILURE
        }
    }
}
