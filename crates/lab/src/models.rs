//! What the command line knows of architectures, asked of itself.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failure;
use crate::experiment::{Flags, Model};

fn ask(archbench: &Path, arguments: &[&str]) -> Result<std::process::Output, Failure> {
    Command::new(archbench)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", archbench.display()).into())
}

/// Every architecture that there is.
///
/// # Errors
/// When the command line does not list any.
pub fn all(archbench: &Path) -> Result<Vec<Model>, Failure> {
    let output = ask(archbench, &["models"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    let models: Vec<_> = text
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .map(|model| Model {
            model: model.into(),
            name: None,
            options: Flags::default(),
        })
        .collect();
    if models.is_empty() {
        return Err(format!("'{} models' lists no models", archbench.display()).into());
    }
    Ok(models)
}

/// Checks flags by the code that will read them.
///
/// # Errors
/// What is wrong with them, in its words.
pub fn check(archbench: &Path, model: &str, flags: &[String]) -> Result<(), Failure> {
    let mut arguments = vec!["serve", "--model", model];
    arguments.extend(flags.iter().map(String::as_str));
    // Help comes last, so that everything before it is checked and nothing is served.
    arguments.push("--help");
    let output = ask(archbench, &arguments)?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let shown = lines
        .iter()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .copied();
    let what = shown.collect::<Vec<_>>().join(" / ");
    let with = match flags {
        [] => String::new(),
        flags => format!(" with '{}'", flags.join(" ")),
    };
    let what = what.trim_start_matches("error: ");
    Err(format!("model '{model}'{with}: {what}").into())
}

/// The version, as it says itself.
pub fn version(archbench: &Path) -> Option<String> {
    let output = ask(archbench, &["--version"]).ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().last().map(str::to_owned)
}
