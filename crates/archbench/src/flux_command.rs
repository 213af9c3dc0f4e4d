//! `archbench flux`: what the compiler does with a program, and the simulator.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::Failure;

/// Compile a program of Flux, the language for servers whose runtime is chosen after they are written; or simulate it
///
/// A program says which nodes a flow goes through, where it forks, where it goes when one fails, and which may not run at the same
/// time. Who runs them (a thread for each flow, a pool, an event loop) is no part of it.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to do with the program
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    #[command(flatten)]
    Compile(flux::cli::Action),
    #[command(flatten)]
    Simulate(flux_simulator::cli::Action),
}

const EXAMPLES: &str = "Examples:\n  \
    archbench flux check server.flux\n  \
    archbench flux check server.flux --explain\n  \
    archbench flux graph server.flux -o server.svg\n  \
    archbench flux build server.flux --run -- --runtime event --profile server.profile\n  \
    archbench flux profile server.flux server.profile -o server.svg\n  \
    archbench flux simulate server.flux server.profile --processors 1,2,4 -o curve.svg\n\n\
    Exit status: 0 the program is good, though there may be warnings; 1 it is not, or cannot be read; 2 wrong usage; 3 a prediction misses.";

/// Does what was typed.
///
/// # Errors
/// What could not be read or written, in words.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.action {
        Action::Compile(action) => flux::cli::run(action),
        Action::Simulate(action) => flux_simulator::cli::run(action),
    }
}
