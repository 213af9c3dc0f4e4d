//! Every command, a line each.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use results::Run;

use crate::{Failure, files, flux_command, manual, models, serve};

/// A command of the command line.
pub(crate) struct Subcommand {
    pub(crate) name: &'static str,
    /// Its options; what is typed decides which they are, for the options of a model belong to that model.
    pub(crate) grammar: fn(&[OsString]) -> Command,
    /// What it does with what was typed: as it was understood, and word by word.
    pub(crate) run: fn(&ArgMatches, &[OsString]) -> Result<ExitCode, Failure>,
}

/// All of them, in the order in which people meet them.
pub(crate) const COMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "serve",
        grammar: serve::command,
        run: |matches, _| serve::run(matches),
    },
    Subcommand {
        name: "load",
        grammar: |_| grammar::<load::Arguments>("load"),
        run: |matches, typed| status(load::run(&given(matches)?, typed)),
    },
    Subcommand {
        name: "merge",
        grammar: |_| grammar::<load::merge::Arguments>("merge"),
        run: |matches, _| status(load::merge::run(&given(matches)?)),
    },
    Subcommand {
        name: "run",
        grammar: |_| grammar::<lab::commands::run::Args>("run"),
        run: |matches, _| status(lab::commands::run::run(given(matches)?, report)),
    },
    Subcommand {
        name: "agent",
        grammar: |_| grammar::<lab::commands::agent::Args>("agent"),
        run: |matches, _| status(lab::commands::agent::run(&given(matches)?)),
    },
    Subcommand {
        name: "report",
        grammar: |_| grammar::<report::cli::Report>("report"),
        run: |matches, _| status(given::<report::cli::Report>(matches)?.run(&models::all())),
    },
    Subcommand {
        name: "plot",
        grammar: |_| grammar::<report::cli::Plot>("plot"),
        run: |matches, _| status(given::<report::cli::Plot>(matches)?.run(&models::all())),
    },
    Subcommand {
        name: "notebook",
        grammar: |_| grammar::<report::cli::Notebook>("notebook"),
        run: |matches, _| status(given::<report::cli::Notebook>(matches)?.run()),
    },
    Subcommand {
        name: "slo",
        grammar: |_| grammar::<lab::commands::slo::Args>("slo"),
        run: |matches, _| status(lab::commands::slo::run(given(matches)?)),
    },
    Subcommand {
        name: "compare",
        grammar: |_| grammar::<lab::commands::compare::Args>("compare"),
        run: |matches, _| status(lab::commands::compare::run(given(matches)?)),
    },
    Subcommand {
        name: "search",
        grammar: |_| grammar::<lab::commands::search::Args>("search"),
        run: |matches, _| status(lab::commands::search::run(given(matches)?)),
    },
    Subcommand {
        name: "models",
        grammar: |_| models::command(),
        run: |matches, _| models::run(matches),
    },
    Subcommand {
        name: "files",
        grammar: |_| files::command(),
        run: |matches, _| files::run(matches),
    },
    Subcommand {
        name: "disk",
        grammar: |_| grammar::<disk::cli::Arguments>("disk"),
        run: |matches, _| Ok(disk::run(&given(matches)?)),
    },
    Subcommand {
        name: "link",
        grammar: |_| grammar::<link::cli::Arguments>("link"),
        run: |matches, _| Ok(link::run(&given(matches)?)),
    },
    Subcommand {
        name: "wire",
        grammar: |_| grammar::<wire::cli::Arguments>("wire"),
        run: |matches, _| Ok(wire::run(&given(matches)?)),
    },
    Subcommand {
        name: "flux",
        grammar: |_| grammar::<flux_command::Arguments>("flux"),
        run: |matches, _| flux_command::run(&given(matches)?),
    },
    Subcommand {
        name: "doctor",
        grammar: |_| grammar::<lab::commands::doctor::Args>("doctor"),
        run: |matches, _| status(lab::commands::doctor::run(given(matches)?)),
    },
    Subcommand {
        name: "completions",
        grammar: |_| grammar::<manual::Completions>("completions"),
        run: |matches, _| given::<manual::Completions>(matches)?.run(),
    },
    Subcommand {
        name: "man",
        grammar: |_| grammar::<manual::Pages>("man"),
        run: |matches, _| given::<manual::Pages>(matches)?.run(),
    },
];

fn grammar<A: Args>(name: &'static str) -> Command {
    A::augment_args(Command::new(name))
}

fn given<A: FromArgMatches>(matches: &ArgMatches) -> Result<A, clap::Error> {
    A::from_arg_matches(matches)
}

fn status(status: Result<u8, Failure>) -> Result<ExitCode, Failure> {
    status.map(ExitCode::from)
}

/// Writes the report of a finished run and its notebook, and says what came out of it as the report does.
fn report(run: &Run) -> Result<Option<String>, Failure> {
    let page = report::write_run(run, None, &models::all())?;
    let notebook = report::notebook::write(run, None)?;
    let answer = report::answer::Answer::of(run);
    let (page, notebook) = (page.display(), notebook.display());
    Ok(Some(format!(
        "report   {page}\nnotebook {notebook}\n\n{answer}"
    )))
}
