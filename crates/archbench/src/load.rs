//! `archbench load`: the load generator, as a command.

use std::process::ExitCode;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::Failure;

pub(crate) fn command() -> Command {
    ::load::Arguments::augment_args(Command::new("load"))
}

pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    Ok(::load::run(&::load::Arguments::from_arg_matches(matches)?))
}
