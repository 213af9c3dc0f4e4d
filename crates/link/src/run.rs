//! The command: a link from joining to its end.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use command::interrupt::Interrupt;
use command::output::{Format, complain, print, print_json};
use contracts::Line;
use network::{Hosts, Namespace};

use crate::cli::Arguments;
use crate::model::Model;
use crate::{Error, Link, output};

/// How often it is looked whether the link has failed.
const GLANCE: Duration = Duration::from_millis(200);

/// Exit status for what makes no sense.
const WRONG_USAGE: u8 = 2;

/// Joins two hosts, says so, and ends the link when a signal comes: `archbench link`.
///
/// Call it while this process has but one thread, since signals are to be taken by waiting for them.
pub fn run(arguments: &Arguments) -> ExitCode {
    let model = match arguments.model() {
        Ok(model) => model,
        Err(why) => {
            complain(format_args!("error: {why}"));
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match stand(arguments, model) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn stand(arguments: &Arguments, model: Model) -> Result<(), Error> {
    let interrupt = Interrupt::watch().map_err(Error::own("watch for Ctrl-C"))?;
    let given = arguments.server_namespace.as_deref();
    let hosts = match given.zip(arguments.client_namespace.as_deref()) {
        None => Hosts::apart()?,
        Some((server, client)) => Hosts {
            server: namespace(server)?,
            client: namespace(client)?,
        },
    };
    let link = Link::new(model, &hosts, arguments.way)?;
    match arguments.output_format {
        Format::Text => print(output::ready_text(&model, &link, &hosts)),
        Format::Json => print_json(
            output::ready(&model, &link, &hosts)
                .line()
                .map_err(no_json)?,
        ),
    }
    while !link.has_failed() && !interrupt.sleep(GLANCE) {}
    let counts = link.end().map_err(Error::own("carry packets"))?;
    match arguments.output_format {
        Format::Text => print(output::summary_text(counts.as_ref())),
        Format::Json => print_json(output::summary(counts.as_ref()).line().map_err(no_json)?),
    }
    Ok(())
}

fn namespace(path: &Path) -> Result<Namespace, Error> {
    Namespace::open(path).map_err(|source| Error::Namespace {
        path: path.into(),
        source,
    })
}

/// What a line that cannot be JSON stands for.
fn no_json(error: serde_json::Error) -> Error {
    Error::own("print JSON")(error.into())
}
