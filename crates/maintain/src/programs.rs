//! Programs of this workspace, built where they are needed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use lab::Failure;
use serde::Deserialize;

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
    fn cargo_says_where_a_program_is() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"stats"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"archbench"},"executable":"/t/release/archbench"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some("/t/release/archbench".into()));
        assert_eq!(executable("error"), None);
    }
}
