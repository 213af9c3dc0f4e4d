//! archbench, the laboratory for server architectures.
//!
//! The command line, and the one place that names every architecture: [`catalogue`].
//!
//! Exit status: 0 all is well; 1 something failed, and one line says what; 2 the command line is wrong. `load` adds 3, a
//! target was missed, and 4, the measurement is invalid.

mod catalogue;
mod files;
mod load;
mod models;
mod output;
mod serve;
mod summary;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

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

fn command(arguments: &[std::ffi::OsString]) -> Command {
    Command::new("archbench")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The laboratory for server architectures: one protocol, one data path, many ways to run them")
        .after_help("Start with 'archbench serve --model amped' in one terminal and 'archbench load --rate 5000 --poisson' in another.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(true)
        .subcommand(serve::command(arguments))
        .subcommand(load::command())
        .subcommand(models::command())
        .subcommand(files::command())
}

fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches),
        Some(("load", matches)) => load::run(matches),
        Some(("models", matches)) => models::run(matches),
        Some(("files", matches)) => files::run(matches),
        _ => Err("no such command; see archbench --help".into()),
    }
}
