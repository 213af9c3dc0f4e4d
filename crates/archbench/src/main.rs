//! archbench, the laboratory for server architectures.
//!
//! The command line, and the one place that names every architecture: [`catalogue`].
//!
//! Exit status: 0 all is well; 1 something failed, and one line says what; 2 the command line is wrong. `load` adds 3, a
//! target was missed, and 4, the measurement is invalid.

mod catalogue;
mod commands;
mod files;
mod models;
mod output;
mod serve;
mod summary;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use commands::COMMANDS;

/// Something failed; the text says what, on what, and what to do.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let matches = match command(&arguments).try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let error = serve::explain(error, &arguments);
            // Printing help to a closed pipe is no failure of ours.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(&matches) {
        Ok(status) => status,
        Err(failure) => {
            output::error(failure.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[OsString]) -> Command {
    let command = Command::new("archbench")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The laboratory for server architectures: one protocol, one data path, many ways to run them")
        .after_help(
            "Start with 'archbench run bench-configs/quick.toml', or with 'archbench serve --model amped' in one terminal and \
             'archbench load --rate 5000 --poisson' in another.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true);
    COMMANDS.iter().fold(command, |command, subcommand| {
        command.subcommand((subcommand.grammar)(arguments))
    })
}

fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let (name, matches) = matches
        .subcommand()
        .ok_or("a command is missing; see archbench --help")?;
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or("no such command; see archbench --help")?;
    (command.run)(matches)
}
