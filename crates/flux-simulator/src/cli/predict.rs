//! `archbench flux predict`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use command::output::{self, Format};
use command::{input, usage};
use contracts::Document as _;
use contracts::load::Report;
use flux::cli::{load, refuse};

use super::{Machine, Shown, profile};
use crate::chart;
use crate::measured::{Measured, of_reports, of_results};
use crate::predict::predict;

/// Hold a simulation against what was measured: throughput, mean and 99th percentile, load by load
///
/// The profile is of a run at low load; what was measured differs in nothing but the rate. Up to 0.8 of what
/// the machine can do, throughput and mean are to be within 10 % of what was measured, and the 99th percentile within 25 %.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The program; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the program has counted of itself; - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    /// A results folder, or reports of 'archbench load --output-format json', each at a rate of its own
    #[arg(value_name = "RESULTS", required = true)]
    results: Vec<PathBuf>,
    /// Of a results folder: whose cells, if several models were measured
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Processors that the server had
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    processors: u32,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    shown: Shown,
}

const EXAMPLES: &str = "Examples:\n  \
    archbench flux predict image.flux image.profile results/image --runtime pool --threads 16 -o predicted.svg\n  \
    archbench flux predict image.flux image.profile 100.json 200.json 300.json --request CheckCache\n\n\
    Exit status: 0 all that is held to its bounds is within them; 3 some of it is not; 1 something cannot be read; 2 wrong usage.";

/// A prediction misses its bounds.
const MISSES: u8 = 3;

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let (file, machine) = (&arguments.file, &arguments.machine);
    if command::is_standard(file) && command::is_standard(&arguments.profile) {
        return Err(usage(
            "standard input is the program or the profile, and not both",
        ));
    }
    let Some(loaded) = load(file)? else {
        return Ok(refuse(file, "this is no program"));
    };
    let compiled = &loaded.compiled;
    let profile = profile(&arguments.profile, compiled)?;
    let measured = measured(arguments)?;
    let settings = machine.settings(arguments.processors);
    let (prediction, curve) = predict(compiled, &profile, &settings, &measured, machine.how())?;
    if arguments.shown.output.is_some() {
        let svg = chart::response_times(&input::name(file), &[curve], &measured);
        arguments.shown.draw(svg)?;
    }
    match arguments.shown.format {
        Format::Text => output::print(&prediction),
        Format::Json => output::print_json(prediction.pretty()?),
    }
    Ok(match prediction.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(MISSES),
    })
}

/// The load curve that was measured.
fn measured(arguments: &Arguments) -> Result<Vec<Measured>, Box<dyn Error>> {
    if let [folder] = &arguments.results[..]
        && folder.is_dir()
    {
        let run = results::read(folder)?;
        return Ok(of_results(&run, arguments.model.as_deref())?);
    }
    if arguments.model.is_some() {
        return Err(usage("--model makes sense with a results folder only"));
    }
    let mut reports = Vec::new();
    for path in &arguments.results {
        let report = Report::parse(&input::text(path)?);
        reports.push(report.map_err(|why| format!("{}: {why}", input::name(path)))?);
    }
    Ok(of_reports(&reports)?)
}
