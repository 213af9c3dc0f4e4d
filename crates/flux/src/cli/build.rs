//! `archbench flux build`.

use std::error::Error;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use command::{input, output};

use super::{Program, load, refuse};
use crate::emit::{Types, skeleton};
use crate::{Compiled, package};

/// Write a cargo package that runs the program: with --runtime thread, pool or event
///
/// The nodes are functions that its author writes, in Rust: by default in the file beside the program that ends in .rs. What the
/// program's types are in Rust is said in the file that ends in .types, a line each, 'TYPE = RUST TYPE'.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(flatten)]
    program: Program,
    /// Where the package goes [default: beside the program, under its name]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The nodes [default: beside the program, ending in .rs]
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
    /// What types are in Rust [default: beside the program, ending in .types, if it is there]
    #[arg(long, value_name = "FILE")]
    types: Option<PathBuf>,
    /// Print the functions that have to be written, without their bodies, and write nothing
    #[arg(long)]
    skeleton: bool,
    /// Have cargo compile the package and run it; what stands behind -- is passed on
    #[arg(long)]
    run: bool,
    /// Arguments of the program, with --run
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = &arguments.program.file;
    if command::is_standard(file)
        && (arguments.output.is_none() || arguments.nodes.is_none())
        && !arguments.skeleton
    {
        return Err(command::usage(
            "a program from standard input has nothing beside it: name --output and --nodes",
        ));
    }
    if !arguments.arguments.is_empty() && !arguments.run {
        return Err(command::usage(
            "arguments of the program make sense with --run only",
        ));
    }
    let Some(loaded) = load(file)? else {
        return Ok(refuse(file, "this is no program"));
    };
    let types = types(arguments)?;
    if arguments.skeleton {
        return Ok(match skeleton(&loaded.compiled, &types) {
            Ok(skeleton) => {
                output::print_json(skeleton);
                ExitCode::SUCCESS
            }
            Err(wrong) => tell(file, &wrong)?,
        });
    }
    let nodes_file = arguments
        .nodes
        .clone()
        .unwrap_or_else(|| file.with_extension("rs"));
    let nodes = input::text(&nodes_file).map_err(|why| {
        format!("{why}; it has the program's nodes, and 'archbench flux build --skeleton' shows how they begin")
    })?;
    let folder = arguments
        .output
        .clone()
        .unwrap_or_else(|| file.with_extension(""));
    if folder == *file {
        return Err(command::usage(
            "the package would take the place of the program: name --output",
        ));
    }
    let name = package::name_of(&folder);
    match package::write(&folder, &name, &loaded.compiled, &types, &nodes) {
        Ok(()) => {}
        Err(package::Error::Program(wrong)) => return tell(file, &wrong),
        Err(package::Error::File(path, error)) => {
            return Err(output::cannot_write(&path, &error).into());
        }
    }
    if arguments.run {
        return cargo(&folder, &arguments.arguments);
    }
    output::print(told(&folder, &loaded.compiled));
    Ok(ExitCode::SUCCESS)
}

fn told(folder: &Path, compiled: &Compiled) -> String {
    format!(
        "{folder}: {states} places where a flow can be, {paths} paths\ntry 'cargo run --release --manifest-path {folder}/Cargo.toml -- --runtime event'",
        folder = folder.display(),
        states = compiled.graph.vertices.len(),
        paths = compiled.paths.count(),
    )
}

fn types(arguments: &Arguments) -> Result<Types, Box<dyn Error>> {
    let beside = arguments.program.file.with_extension("types");
    let map = match &arguments.types {
        Some(map) => map,
        None if beside.exists() => &beside,
        None => return Ok(Types::default()),
    };
    let text = input::text(map)?;
    Ok(Types::default()
        .with_map(&text)
        .map_err(|why| format!("{}: {why}", input::name(map)))?)
}

/// What Rust needs and the program does not say.
fn tell(file: &Path, wrong: &[crate::Diagnostic]) -> Result<ExitCode, Box<dyn Error>> {
    let text = if command::is_standard(file) {
        String::new()
    } else {
        input::text(file)?
    };
    for diagnostic in wrong {
        if text.get(diagnostic.span.clone()).is_some() {
            let shown =
                diagnostic.render(&input::name(file), &text, std::io::stderr().is_terminal());
            output::complain(shown.trim_end());
        } else {
            output::complain(diagnostic);
        }
    }
    Ok(refuse(file, "this cannot be built yet"))
}

/// Has cargo run the package; its exit status is the program's.
fn cargo(folder: &Path, arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let status = Command::new("cargo")
        .args(["run", "--release", "--quiet", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--")
        .args(arguments)
        .status()
        .map_err(|error| {
            format!(
                "cannot run cargo: {error}; the package is in {}",
                folder.display()
            )
        })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
