//! `archbench flux check`.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use command::output;

use super::{Program, load, refuse};
use crate::Compiled;
use crate::program::Body;

/// Say what is wrong with a program, and how to mend it
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(flatten)]
    program: Program,
    /// Tell which constraints were moved outward so that no two flows can wait for each other, along which path, and what that costs
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = &arguments.program.file;
    let Some(loaded) = load(file)? else {
        return Ok(refuse(file, "this is no program"));
    };
    let mut text = summary(&loaded.compiled, loaded.warnings.len());
    if arguments.explain {
        text.push_str("\n\n");
        text.push_str(&explanation(&loaded.compiled));
    }
    output::print(text);
    Ok(ExitCode::SUCCESS)
}

/// The program in one line.
fn summary(compiled: &Compiled, warnings: usize) -> String {
    let program = &compiled.program;
    let is_concrete = |body: &Body| matches!(body, Body::Concrete);
    let concrete = program.nodes.iter().filter(|node| is_concrete(&node.body));
    let parts = [
        counted(program.sources.len(), "source"),
        counted(concrete.count(), "concrete node"),
        counted(
            program
                .nodes
                .iter()
                .filter(|node| !is_concrete(&node.body))
                .count(),
            "abstract node",
        ),
        counted(program.constraints.len(), "constraint"),
        match compiled.paths.count() {
            1 => "1 path".into(),
            count => format!("{count} paths"),
        },
        counted(warnings, "warning"),
    ];
    parts.join(", ")
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// Which constraints were moved, and what each node takes now.
fn explanation(compiled: &Compiled) -> String {
    let program = &compiled.program;
    if program.constraints.is_empty() {
        return "There are no constraints: nothing waits for anything.".into();
    }
    let mut text = String::new();
    if compiled.hoists.is_empty() {
        text.push_str(
            "No constraint had to be moved: every path takes them in the order of their names.\n",
        );
    }
    for hoist in &compiled.hoists {
        text.push_str(&hoist.explain(program));
        text.push('\n');
    }
    text.push_str("Constraints as they are taken\n");
    for node in program
        .nodes
        .iter()
        .filter(|node| !node.constraints.is_empty())
    {
        let taken: Vec<_> = node
            .constraints
            .iter()
            .map(|(&constraint, &mode)| program.constraint(constraint, mode))
            .collect();
        text.push_str(&format!("  {:<20} {}\n", node.name, taken.join(", ")));
    }
    text.trim_end().to_owned()
}
