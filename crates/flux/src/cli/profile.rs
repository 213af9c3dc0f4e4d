//! `archbench flux profile`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use command::{input, output};

use super::{Program, graph, load, refuse};
use crate::Compiled;
use crate::picture::{Picture, duration};
use crate::profile::Profile;

/// Tell which paths a program's flows took, how long its nodes run, and where the time goes
///
/// A program that was built counts with --profile FILE: each flow its path, and one of 32 flows the times of its nodes.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(flatten)]
    program: Program,
    /// What the program has counted; - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    /// The program's picture with it: arrows as wide as flows went along them, nodes as warm as they are busy; .svg or .dot
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Paths that are told.
const MOST_PATHS: usize = 10;

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = &arguments.program.file;
    if command::is_standard(file) && command::is_standard(&arguments.profile) {
        return Err(command::usage(
            "standard input is the program or the profile, and not both",
        ));
    }
    let Some(loaded) = load(file)? else {
        return Ok(refuse(file, "this is no program"));
    };
    let compiled = &loaded.compiled;
    let text = input::text(&arguments.profile)?;
    let profile = Profile::parse(&text, compiled)
        .map_err(|why| format!("{}: {why}", input::name(&arguments.profile)))?;
    output::print(told(&profile, compiled));
    if let Some(path) = &arguments.output {
        let picture = Picture::new(compiled, Some(&profile.weights(compiled)));
        graph::write(&picture, &input::name(file), Some(path))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(profile: &Profile, compiled: &Compiled) -> String {
    let flows = profile.flows();
    let mut text = format!("{flows} flows\n\n  flows     mean       path\n");
    let paths = profile.hot_paths(compiled);
    for path in paths.iter().take(MOST_PATHS) {
        let share = path.flows as f64 / flows.max(1) as f64 * 100.0;
        text.push_str(&format!(
            "  {share:>5.1} %  {:>9}  {}\n",
            duration(path.mean_ns),
            path.nodes.join(" > ")
        ));
    }
    if paths.len() > MOST_PATHS {
        text.push_str(&format!("  and {} others\n", paths.len() - MOST_PATHS));
    }
    text.push_str("\n  of all time  runs       mean  node\n");
    let busy = profile.busy(compiled);
    for busy in &busy {
        text.push_str(&format!(
            "  {:>9.1} %  {:<9} {:>6}  {}\n",
            busy.share * 100.0,
            busy.runs,
            duration(busy.mean_ns),
            busy.node
        ));
    }
    if let Some(most) = busy.first().filter(|busy| busy.share > 0.0) {
        text.push_str(&format!("\n{} is the bottleneck", most.node));
    }
    text
}
