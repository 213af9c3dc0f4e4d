//! `flux-servers`: servers written in Flux, a subcommand each.
//!
//! Exit status: 0 served and stopped; 1 something failed, and one line says what; 2 what was typed makes no sense; 130 Ctrl-C came twice.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use command::descriptors::Descriptors;
use command::interrupt;
use command::output::{complain, print};
use flux_servers::image;

/// Servers written in Flux: the same flows of nodes, whoever calls the next step
#[derive(Debug, Parser)]
#[command(name = "flux-servers", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Image(image::Settings),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Image(settings) => serve_pictures(&settings),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(format_args!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn serve_pictures(settings: &image::Settings) -> Result<(), String> {
    Descriptors::raise();
    let server = image::Server::bind(settings)?;
    let stop = server.stop();
    on_interrupt(move || stop.stop())?;
    print(format_args!(
        "pictures at http://{}/, --runtime {}; Ctrl-C ends it",
        server.address(),
        settings.options.runtime
    ));
    let summary = server.run().map_err(|error| error.to_string())?;
    print(summary);
    Ok(())
}

/// Has Ctrl-C or SIGTERM call `stop`, and a second one end the process at once.
fn on_interrupt(stop: impl Fn() + Send + 'static) -> Result<(), String> {
    let mut came = false;
    interrupt::each(move || {
        if std::mem::replace(&mut came, true) {
            interrupt::end_at_once();
        }
        stop();
    })
    .map_err(|error| format!("cannot wait for signals: {error}"))
}
