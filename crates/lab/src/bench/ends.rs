//! What both ends say, and what it means when they do not.

use std::time::Duration;

use results::{Failure, Validity};
use serde_json::Value;

use super::{Bench, Job, failure};
use crate::process::{NoLine, Process, describe};

/// How long a server may take to start, and to stop.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
const STOPS_WITHIN: Duration = Duration::from_secs(20);
/// What a generator may need beyond its schedule.
const SLACK: Duration = Duration::from_secs(20);

impl Bench {
    /// Waits until the server says that it is ready, and where.
    pub(super) fn address(&self, server: &mut Process) -> Result<String, Failure> {
        let step = "starting the server";
        let ready = self.ready(server, step)?;
        let address = ready.get("address").and_then(Value::as_str);
        address
            .map(str::to_owned)
            .ok_or_else(|| failure(step, format!("it did not say where: '{ready}'")))
    }

    /// Waits until a process says that it is ready.
    pub(super) fn ready(&self, server: &mut Process, step: &str) -> Result<Value, Failure> {
        let line = match server.line(STARTS_WITHIN, &self.interrupt) {
            Ok(line) => line,
            Err(NoLine::Late) => {
                let limit = STARTS_WITHIN.as_secs();
                return Err(failure(step, format!("it was not ready within {limit} s")));
            }
            Err(NoLine::Interrupted) => return Err(failure(step, "interrupted")),
            Err(NoLine::Ended) => {
                let status = server.wait(Duration::from_secs(2));
                let errors = server.kill();
                return Err(failure(
                    step,
                    status.map_or("it closed its output".into(), |status| {
                        describe(status, &errors)
                    }),
                ));
            }
        };
        let ready: Option<Value> = serde_json::from_str(&line).ok();
        let is_ready = |ready: &Value| ready.get("event").and_then(Value::as_str) == Some("ready");
        ready.filter(is_ready).ok_or_else(|| {
            failure(
                step,
                format!(
                    "it should say that it is ready, and said '{}'",
                    short(&line)
                ),
            )
        })
    }

    pub(super) fn generate(&self, job: &Job<'_>, command: &[String]) -> Result<Value, Failure> {
        let step = "generating load";
        let mut generator = Process::start(command, &self.cores.generator, None)
            .map_err(|error| failure(step, error.to_string()))?;
        let limit = job.length() + 2 * job.timeout + SLACK;
        let lines = match generator.rest(limit, &self.interrupt) {
            Ok(lines) => lines,
            Err(NoLine::Interrupted) => return Err(failure(step, "interrupted")),
            Err(_) => {
                let limit = limit.as_secs();
                return Err(failure(
                    step,
                    format!("the generator did not end within {limit} s"),
                ));
            }
        };
        let status = generator.wait(Duration::from_secs(5));
        let errors = generator.kill();
        let told = || status.map_or("it did not end".into(), |status| describe(status, &errors));
        if !status
            .and_then(|status| status.code())
            .is_some_and(|code| matches!(code, 0 | 3 | 4))
        {
            return Err(failure(step, told()));
        }
        let text = lines.join("\n");
        let report: Value = serde_json::from_str(&text).map_err(|error| {
            failure(
                step,
                format!("its report is no JSON ({error}): '{}'", short(&text)),
            )
        })?;
        let schema = report
            .get("schema")
            .and_then(Value::as_str)
            .unwrap_or("none");
        if schema != "archbench.load/1" {
            return Err(failure(
                step,
                format!("its report is of schema {schema}, and archbench.load/1 is read here"),
            ));
        }
        Ok(report)
    }

    /// Has the server stop, and takes its summary.
    pub(super) fn stop(&self, server: &mut Process) -> Result<Value, Failure> {
        let step = "stopping the server";
        server.terminate();
        let lines = server.rest(STOPS_WITHIN, &self.interrupt).map_err(|none| {
            let limit = STOPS_WITHIN.as_secs();
            let late = format!("it was told to stop and did not within {limit} s");
            failure(
                step,
                if none == NoLine::Interrupted {
                    "interrupted".into()
                } else {
                    late
                },
            )
        })?;
        let status = server.wait(STOPS_WITHIN);
        let errors = server.kill();
        if !status.is_some_and(|status| status.success()) {
            return Err(failure(
                step,
                status.map_or("it did not end".into(), |status| describe(status, &errors)),
            ));
        }
        lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line.get("event").and_then(Value::as_str) == Some("summary"))
            .ok_or_else(|| {
                let said = lines.join(" / ");
                failure(
                    step,
                    format!("it printed no summary but '{}'", short(&said)),
                )
            })
    }
}

/// Whether the figures of a report may be believed, and why not.
pub(super) fn verdict(load: &Value) -> Result<(Validity, Vec<String>), Failure> {
    let text = load
        .get("verdict")
        .and_then(Value::as_str)
        .unwrap_or("none");
    let verdict = Validity::named(text)
        .filter(|verdict| *verdict != Validity::Failed)
        .ok_or_else(|| failure("generating load", format!("its verdict is '{text}'")))?;
    let reasons = load.get("reasons").and_then(Value::as_array);
    let reasons = reasons
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    Ok((verdict, reasons.collect()))
}

fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
