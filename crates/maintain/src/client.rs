//! Clients that run once, pinned to their core, and what they say.

use std::path::Path;
use std::time::Duration;

use lab::Failure;
use lab::trial::process::{NoLine, Placement, Process, describe};
use serde::Deserialize;

use crate::testbed::Testbed;

/// How long a bounded load may take.
const LIMIT: Duration = Duration::from_secs(600);

/// What `archbench load --output-format json` reports; what else it says is not needed here.
#[derive(Debug, Clone, Deserialize, PartialEq)]
pub(crate) struct LoadReport {
    /// What became of the requests.
    pub(crate) requests: Requests,
}

/// Counts of requests.
#[derive(Debug, Clone, Deserialize, PartialEq)]
pub(crate) struct Requests {
    /// Answered.
    pub(crate) completed: u64,
    /// Failed in whatever way.
    pub(crate) errors_total: u64,
}

/// Runs `generator load ARGUMENTS` once.
///
/// # Errors
/// When it fails, or not every request was answered well.
pub(crate) fn load(
    testbed: &Testbed,
    generator: &Path,
    arguments: &[String],
) -> Result<LoadReport, Failure> {
    let mut command = vec![generator.display().to_string(), "load".into()];
    command.extend(["--quiet", "--output-format", "json"].map(str::to_owned));
    command.extend(arguments.iter().cloned());
    // 4: it judged its own run invalid. What it says of time may not be believed then; its counts may.
    let text = output(testbed, &command, &[0, 4])?;
    let report: LoadReport = serde_json::from_str(&text).map_err(|error| {
        format!(
            "{}: its report cannot be read: {error}",
            generator.display()
        )
    })?;
    let Requests {
        completed,
        errors_total,
    } = report.requests;
    if completed == 0 || errors_total > 0 {
        return Err(format!(
            "{errors_total} requests failed and {completed} were answered; a model that serves few connections at a time needs fewer \
             --connections, or an option like '--keep-alive off': '{}'",
            command.join(" ")
        )
        .into());
    }
    Ok(report)
}

/// What a command prints that ends with one of these statuses.
fn output(testbed: &Testbed, command: &[String], fine: &[i32]) -> Result<String, Failure> {
    let words = command.join(" ");
    let mut process = Process::start(command, Placement::on(&[testbed.cores.client]))
        .map_err(|error| format!("cannot start '{words}': {error}"))?;
    let lines = process
        .rest(LIMIT, &testbed.interrupt)
        .map_err(|why| match why {
            NoLine::Interrupted => "interrupted".to_owned(),
            _ => format!("'{words}' did not end within {LIMIT:?}"),
        })?;
    let status = process.wait(Duration::from_secs(5));
    let errors = process.kill();
    match status {
        Some(status) if status.code().is_some_and(|code| fine.contains(&code)) => {
            Ok(lines.join("\n"))
        }
        Some(status) => Err(format!("'{words}': {}", describe(status, &errors)).into()),
        None => Err(format!("'{words}' did not end").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_whatever_else_it_says() {
        let text = r#"{"schema":"x","requests":{"completed":7,"errors_total":1,"sent":8},"verdict":"VALID"}"#;
        let report: LoadReport = serde_json::from_str(text).unwrap();
        let expected = Requests {
            completed: 7,
            errors_total: 1,
        };
        assert_eq!(report.requests, expected);
    }
}
