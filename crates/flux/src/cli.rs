//! `archbench flux`, as far as it is a compiler's: arguments as they are typed, and what is done with them.

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

/// Does what was typed.
///
/// # Errors
/// What could not be read or written, in words.
pub fn run(action: &Action) -> Result<ExitCode, Box<dyn Error>> {
    match action {
        Action::Check(arguments) => check::run(arguments),
        Action::Graph(arguments) => graph::run(arguments),
        Action::Build(arguments) => build::run(arguments),
        Action::Profile(arguments) => profile::run(arguments),
    }
}

/// A program that was read and compiled, for whoever goes on with it.
pub struct Loaded {
    /// The program.
    pub compiled: Compiled,
    warnings: Vec<Diagnostic>,
}

/// Reads and compiles a program. What there is to say about it is said on standard error; none where it is no program.
///
/// # Errors
/// That it cannot be read.
pub fn load(path: &Path) -> Result<Option<Loaded>, Box<dyn Error>> {
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
pub fn refuse(path: &Path, what: &str) -> ExitCode {
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
