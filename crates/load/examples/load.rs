//! `archbench load` by itself.

use clap::Parser;

#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    load: load::Arguments,
}

fn main() -> std::process::ExitCode {
    load::run(&Cli::parse().load)
}
