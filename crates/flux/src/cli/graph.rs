//! `archbench flux graph`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use command::{input, output};

use super::{Program, load, refuse};
use crate::picture::{Picture, dot::dot, svg::svg};

/// Draw a program: sources, nodes, forks, error paths dashed, and what is held while a node runs
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(flatten)]
    program: Program,
    /// Where the picture goes: .svg, or .dot for Graphviz; without it, or with -, an SVG goes to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = &arguments.program.file;
    let Some(loaded) = load(file)? else {
        return Ok(refuse(file, "this is no program"));
    };
    write(
        &Picture::new(&loaded.compiled, None),
        &input::name(file),
        arguments.output.as_ref(),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a picture in the format that its file's name says.
pub(super) fn write(
    picture: &Picture,
    title: &str,
    path: Option<&PathBuf>,
) -> Result<(), Box<dyn Error>> {
    let extension = path.and_then(|path| path.extension()?.to_str());
    let text = match extension {
        Some("dot") => dot(picture, title),
        Some("svg") | None => svg(picture, title),
        Some(other) => {
            let why = format!("'.{other}' is no format of pictures: expected .svg or .dot");
            return Err(command::usage(why));
        }
    };
    output::write(path.map(PathBuf::as_path), text.as_bytes()).map_err(|error| {
        format!(
            "cannot write the picture: {error}{}",
            output::remedy(&error)
        )
        .into()
    })
}
