//! `archbench files`: makes a set of files to serve.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use command::output;
use command::quantity::{self, Unit};
use workload::fileset::Preset;

use crate::Failure;

/// Make a set of files to serve, with contents that a client can verify by itself
#[derive(Debug, clap::Args)]
struct Arguments {
    /// single:SIZE, one file; uniform:COUNT:SIZE, many alike; specweb99:DIRS, the static files of SPECweb99, about 5 MB for
    /// each directory
    #[arg(value_name = "PRESET")]
    preset: Preset,
    /// Where to put them; made if need be
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Contents are derived from it: the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(crate) fn command() -> Command {
    Arguments::augment_args(Command::new("files")).after_help(
        "Examples:\n  archbench files specweb99:60 /tmp/site\n  archbench files single:1k /tmp/one\n\
         What is there already is left alone, so a second call goes on where the first was stopped.",
    )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let arguments = Arguments::from_arg_matches(matches)?;
    let set = arguments.preset.file_set(arguments.seed);
    lab::files::make(&set, &arguments.directory)?;
    output::print(format_args!(
        "{}: {}, {}, in {}",
        set.preset(),
        quantity::counted(set.files().len() as u64, "file"),
        Unit::Bytes.show(set.total_bytes() as f64),
        arguments.directory.display(),
    ));
    Ok(ExitCode::SUCCESS)
}
