//! What the command line knows of architectures, asked of itself.

use std::path::Path;
use std::process::{Command, Stdio};

use contracts::Document;
use contracts::models::{self, Models};

use crate::Failure;
use crate::spec::{self, Model};

fn ask(archbench: &Path, arguments: &[&str]) -> Result<std::process::Output, Failure> {
    Command::new(archbench)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", archbench.display()).into())
}

/// The architectures that an experiment asks for, out of those that there are, each with its family. Names that nobody has stay as
/// they are.
pub fn chosen(wanted: &spec::Models, catalogue: &Models) -> Vec<Model> {
    let model = |listed: &models::Model| Model {
        family: listed.family.clone(),
        ..Model::named(&listed.name)
    };
    let listed = catalogue.models.iter();
    match wanted {
        spec::Models::All => listed.map(model).collect(),
        spec::Models::Families => listed
            .filter(|listed| listed.represents_family)
            .map(model)
            .collect(),
        spec::Models::Some(named) => {
            let family = |name: &str| {
                let mut listed = catalogue.models.iter();
                listed.find(|listed| listed.name == name)
            };
            let with_family = |named: &Model| Model {
                family: family(&named.model).map_or(String::new(), |listed| listed.family.clone()),
                ..named.clone()
            };
            named.iter().map(with_family).collect()
        }
    }
}

/// The architectures that there are.
///
/// # Errors
/// When the command line does not list any.
pub fn list(archbench: &Path) -> Result<Models, Failure> {
    let output = ask(archbench, &["models", "--output-format", "json"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    let listed = Models::parse(&text);
    let listed =
        listed.map_err(|problem| format!("'{} models': {problem}", archbench.display()))?;
    if listed.models.is_empty() {
        return Err(format!("'{} models' lists no models", archbench.display()).into());
    }
    Ok(listed)
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
    Some(list(archbench).ok()?.version)
}
