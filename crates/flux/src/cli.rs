//! `archbench flux`: its arguments as they are typed, and what is done with them.

mod build;
mod check;
mod graph;
mod profile;

use std::error::Error;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use command::{input, output};

use crate::{Compiled, Diagnostic};

/// Compile a program of Flux, the language for servers whose runtime is chosen after they are written
///
/// A program says which nodes a flow goes through, where it forks, where it goes when one fails, and which may not run at the same
/// time. Who runs them (a thread for each flow, a pool, an event loop) is no part of it.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do with the program
    #[command(subcommand)]
    pub action: Action,
}

/// What is done with a program.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// What is wrong with it.
    Check(check::Arguments),
    /// A picture of it.
    Graph(graph::Arguments),
    /// A package of it.
    Build(build::Arguments),
    /// What it has counted of itself.
    Profile(profile::Arguments),
}

const EXAMPLES: &str = "Examples:\n  \
    archbench flux check server.flux\n  \
    archbench flux check server.flux --explain\n  \
    archbench flux graph server.flux -o server.svg\n  \
    archbench flux build server.flux --run -- --runtime event --profile server.profile\n  \
    archbench flux profile server.flux server.profile -o server.svg\n\n\
    Exit status: 0 the program is good, though there may be warnings; 1 it is not, or cannot be read; 2 wrong usage.";

/// Does what was typed.
///
/// # Errors
/// What could not be read or written, in words.
pub fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    match arguments.action {
        Action::Check(arguments) => check::run(&arguments),
        Action::Graph(arguments) => graph::run(&arguments),
        Action::Build(arguments) => build::run(&arguments),
        Action::Profile(arguments) => profile::run(&arguments),
    }
}

/// A program that was read and compiled, for whoever goes on with it.
struct Loaded {
    compiled: Compiled,
    warnings: Vec<Diagnostic>,
}

/// Reads and compiles a program. What there is to say about it is said on standard error; none where it is no program.
fn load(path: &Path) -> Result<Option<Loaded>, Box<dyn Error>> {
    let text = input::text(path)?;
    let checked = crate::check(&text);
    let in_colour = std::io::stderr().is_terminal();
    for diagnostic in &checked.diagnostics {
        let rendered = diagnostic.render(&input::name(path), &text, in_colour);
        // In colour there are sequences for the terminal, which only this program has put there.
        if in_colour && output::harmless(&text) == text {
            eprintln!("{}", rendered.trim_end());
        } else {
            output::complain(rendered.trim_end());
        }
    }
    let warnings = checked.diagnostics;
    Ok(checked
        .compiled
        .map(|compiled| Loaded { compiled, warnings }))
}

/// What is refused, in one line behind all that was said of it.
fn refuse(path: &Path, what: &str) -> ExitCode {
    output::complain(format_args!("error: {}: {what}", input::name(path)));
    ExitCode::FAILURE
}

/// The argument that all of them have.
#[derive(Debug, Clone, Args)]
struct Program {
    /// The program; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}
