//! archbench, the laboratory for server architectures.
//!
//! The command line, and the one place that names every architecture: [`catalogue`].
//!
//! Exit status, of every command: 0 all is well; 1 something failed, and one line says what: a file that cannot be read, no
//! server, a full disk; 2 what was typed makes no sense, which shows without looking at any file that it names. `load` and
//! `slo` add 3, an objective was missed, and `load` 4, the measurement is invalid; what Ctrl-C
//! ends in good order adds 130, ended before its end.

mod catalogue;
mod commands;
mod files;
mod flux_command;
mod manual;
mod models;
mod serve;
mod summary;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};
use command::output::complain;
use commands::{COMMANDS, Subcommand};

/// Something failed; the text says what, on what, and what to do.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let matches = match command(&arguments).try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let error = negative(serve::explain(error, &arguments), &arguments);
            // Printing help to a closed pipe is no failure of ours.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(&matches, arguments.get(1..).unwrap_or_default()) {
        Ok(status) => status,
        Err(failure) => match failure.downcast::<clap::Error>() {
            Ok(usage) => {
                let _ = told(*usage, &arguments, matches.subcommand_name()).print();
                ExitCode::from(2)
            }
            Err(failure) => {
                complain(format_args!("error: {failure}"));
                ExitCode::FAILURE
            }
        },
    }
}

/// An error as clap words its own, with the usage of the command that was typed.
fn told(error: clap::Error, arguments: &[OsString], name: Option<&str>) -> clap::Error {
    let mut command = command(arguments);
    command.build();
    match name.and_then(|name| command.find_subcommand_mut(name)) {
        Some(subcommand) => error.format(subcommand),
        None => error.format(&mut command),
    }
}

/// To clap a value like -5 is an option that nobody has. Nothing here has such values, so it can only be meant for the option before.
fn negative(error: clap::Error, typed: &[OsString]) -> clap::Error {
    let value = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(value)) if error.kind() == ErrorKind::UnknownArgument => value,
        _ => return error,
    };
    let is_number = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let arguments: Vec<_> = typed.iter().map(|typed| typed.to_string_lossy()).collect();
    let pair = arguments
        .windows(2)
        .find(|pair| pair[0].starts_with('-') && pair[1].starts_with(value.as_str()));
    match (value.strip_prefix('-').is_some_and(is_number), pair) {
        (true, Some([option, value])) => {
            let why = format!("invalid value '{value}' for '{option}': it must be positive");
            let error = clap::Error::raw(ErrorKind::InvalidValue, why);
            told(error, typed, arguments.get(1).map(AsRef::as_ref))
        }
        _ => error,
    }
}

fn command(arguments: &[OsString]) -> Command {
    grammar(|subcommand| (subcommand.grammar)(arguments))
}

/// The command line, with the subcommands as `of` has them.
fn grammar(of: impl Fn(&Subcommand) -> Command) -> Command {
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
        command.subcommand(of(subcommand))
    })
}

fn run(matches: &ArgMatches, typed: &[OsString]) -> Result<ExitCode, Failure> {
    let (name, matches) = matches
        .subcommand()
        .ok_or("a command is missing; see archbench --help")?;
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or("no such command; see archbench --help")?;
    (command.run)(matches, typed)
}
