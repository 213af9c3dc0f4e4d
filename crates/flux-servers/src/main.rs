//! `flux-servers`: servers written in Flux, a subcommand each.
//!
//! Exit status: 0 served and stopped; 1 something failed, and one line says what; 2 what was typed makes no sense; 130 Ctrl-C came twice.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use command::descriptors::Descriptors;
use command::output::{self, Format, complain};
use flux_servers::told::Ready;
use flux_servers::{game, image, torrent};

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
    Game(game::Settings),
    Players(game::players::Settings),
    Torrent(torrent::settings::Settings),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    Descriptors::raise();
    let done = match arguments.command {
        Command::Image(settings) => serve_pictures(&settings),
        Command::Game(settings) => serve_game(&settings),
        Command::Players(settings) => play(&settings),
        Command::Torrent(settings) => settings.run(),
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
    let server = image::Server::bind(settings)?;
    let stop = server.stop();
    let ready = Ready {
        name: "image",
        address: server.address(),
        format: settings.options.output_format,
    };
    ready.serve(move || stop.stop(), || server.run())
}

fn serve_game(settings: &game::Settings) -> Result<(), String> {
    let server = game::Server::bind(settings)?;
    let stop = server.stop();
    let ready = Ready {
        name: "game",
        address: server.address(),
        format: settings.options.output_format,
    };
    ready.serve(move || stop.stop(), || server.run())
}

fn play(settings: &game::players::Settings) -> Result<(), String> {
    let seen = game::players::play(settings)?;
    match settings.output_format {
        Format::Text => output::print(seen),
        Format::Json => {
            let report = serde_json::to_string(&seen.report());
            output::print_json(
                report.map_err(|error| format!("cannot print the report: {error}"))?,
            );
        }
    }
    Ok(())
}
