//! Programs of this workspace, built where they are needed.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contracts::models::Models;
use lab::Failure;
use serde::Deserialize;

/// Stands for every model of the catalogue.
const ALL: &str = "all";

/// The `archbench` that is measured: the one that ARCHBENCH names, or the release build.
///
/// # Errors
/// When there is none, or it cannot be built.
pub(crate) fn archbench() -> Result<PathBuf, Failure> {
    match std::env::var_os("ARCHBENCH").map(PathBuf::from) {
        Some(path) if path.is_file() => Ok(path),
        Some(path) => {
            Err(format!("ARCHBENCH is {}, and there is no such file", path.display()).into())
        }
        None => built(&["-p", "archbench", "--bin", "archbench"]),
    }
}

/// The models that were typed, `all` replaced by every one in the catalogue. Those that take a network interface of their own are left out
/// of it, and a line says so: what is measured here goes over loopback.
///
/// # Errors
/// When `archbench` does not say which there are.
pub(crate) fn models(archbench: &Path, typed: &[String]) -> Result<Vec<String>, Failure> {
    if !typed.iter().any(|model| model == ALL) {
        return Ok(typed.to_vec());
    }
    let failed = |why: &dyn Display| {
        format!(
            "{} does not say which models it has: {why}",
            archbench.display()
        )
    };
    let output = Command::new(archbench)
        .args(["models", "--output-format", "json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(&error))?;
    let catalogue: Models =
        serde_json::from_slice(&output.stdout).map_err(|error| failed(&error))?;
    Ok(of_catalogue(&catalogue, typed))
}

fn of_catalogue(catalogue: &Models, typed: &[String]) -> Vec<String> {
    let mut models = Vec::new();
    for word in typed {
        if word != ALL {
            models.push(word.clone());
            continue;
        }
        for model in &catalogue.models {
            match model.takes_interface {
                true => eprintln!(
                    "{} is left out: it takes a network interface of its own",
                    model.name
                ),
                false => models.push(model.name.clone()),
            }
        }
    }
    models
}

/// An example of a package, in its release build.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn example(package: &str, name: &str) -> Result<PathBuf, Failure> {
    built(&["-p", package, "--example", name])
}

/// A binary of a package, in its release build.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn binary(package: &str, name: &str) -> Result<PathBuf, Failure> {
    built(&["-p", package, "--bin", name])
}

fn built(what: &[&str]) -> Result<PathBuf, Failure> {
    // The one that runs this, if it was cargo.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--quiet",
            "--message-format",
            "json-render-diagnostics",
        ])
        .args(what)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    let path = executable(&String::from_utf8_lossy(&output.stdout));
    match path.filter(|_| output.status.success()) {
        Some(path) => Ok(path),
        None => Err(format!(
            "'cargo build --release {}' gives no program",
            what.join(" ")
        )
        .into()),
    }
}

/// The last program that cargo says it has made, one message a line.
fn executable(messages: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let made = |line: &str| serde_json::from_str::<Message>(line).ok()?.executable;
    messages.lines().filter_map(made).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_models_are_those_of_the_catalogue_that_serve_over_loopback() {
        let catalogue = r#"{"schema":"archbench.models/1","version":"1","models":[{"name":"a","summary":""},
            {"name":"b","summary":"","takes_interface":true},{"name":"c","summary":""}]}"#;
        let catalogue = serde_json::from_str(catalogue).unwrap();
        let of = |words: &[&str]| {
            let typed: Vec<String> = words.iter().map(ToString::to_string).collect();
            of_catalogue(&catalogue, &typed)
        };
        assert_eq!(of(&["all", "c --two"]), ["a", "c", "c --two"]);
        assert_eq!(of(&["b"]), ["b"]);
    }

    #[test]
    fn cargo_says_where_a_program_is() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"stats"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"archbench"},"executable":"/t/release/archbench"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some("/t/release/archbench".into()));
        assert_eq!(executable("error"), None);
    }
}
