//! What both ends say, and what it means when they do not.

use std::time::Duration;

use results::{Failure, Sample, Validity};
use serde_json::{Value, json};

use super::{Bench, Job, failure};
use crate::process::{NoLine, Process, describe};

/// Findings of the generator that leave nothing to be measured, whatever else is true: the server did not do what servers do.
const OF_SERVERS: [&str; 4] = [
    "nothing_answered",
    "server_gone",
    "fell_silent",
    "unsound_answers",
];
/// And those by which it could not have known.
const OF_GENERATORS: [&str; 2] = ["out_of_descriptors", "out_of_ports"];

/// How long the ends are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A server that starts.
    pub starts: Duration,
    /// A server that is told to stop.
    pub stops: Duration,
    /// A generator, beyond its schedule.
    pub slack: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let long = Duration::from_secs(20);
        Self {
            starts: long,
            stops: long,
            slack: long,
        }
    }
}

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
        let line = match server.line(self.patience.starts, &self.interrupt) {
            Ok(line) => line,
            Err(NoLine::Late) => {
                let limit = self.patience.starts;
                return Err(failure(step, format!("it was not ready within {limit:?}")));
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
        let limit = job.length() + 2 * job.timeout + self.patience.slack;
        let lines = match generator.rest(limit, &self.interrupt) {
            Ok(lines) => lines,
            Err(NoLine::Interrupted) => return Err(failure(step, "interrupted")),
            Err(_) => {
                return Err(failure(
                    step,
                    format!("the generator did not end within {limit:?}"),
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
        let limit = self.patience.stops;
        let lines = server.rest(limit, &self.interrupt).map_err(|none| {
            let late = format!("it was told to stop and did not within {limit:?}");
            failure(
                step,
                if none == NoLine::Interrupted {
                    "interrupted".into()
                } else {
                    late
                },
            )
        })?;
        let status = server.wait(limit);
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

/// The summary of a server of ours without what it had used before the load began, as for those that are not: starting up is not
/// what is compared.
pub(super) fn without_start(mut summary: Value, samples: &[Sample]) -> Value {
    let Some(first) = samples.first() else {
        return summary;
    };
    for (at, before) in [
        ("/cpu/user_s", first.cpu_user_s),
        ("/cpu/system_s", first.cpu_system_s),
        (
            "/context_switches/voluntary",
            first.voluntary_switches as f64,
        ),
        (
            "/context_switches/involuntary",
            first.involuntary_switches as f64,
        ),
        ("/faults/minor", first.minor_faults as f64),
        ("/faults/major", first.major_faults as f64),
    ] {
        if let Some(value) = summary.pointer_mut(at)
            && let Some(whole) = value.as_f64()
        {
            *value = json!((whole - before).max(0.0));
        }
    }
    let number = |at: &str| summary.pointer(at).and_then(Value::as_f64);
    let each = number("/cpu/user_s")
        .zip(number("/cpu/system_s"))
        .zip(number("/requests").filter(|requests| *requests > 0.0))
        .map(|((user_s, system_s), requests)| (user_s + system_s) * 1e6 / requests);
    if let Some(value) = summary.pointer_mut("/cpu/per_request_us") {
        *value = json!(each);
    }
    summary
}

/// Whether the figures of a report may be believed, and why not.
///
/// # Errors
/// When there are none, because the server failed.
pub(super) fn verdict(load: &Value) -> Result<(Validity, Vec<String>), Failure> {
    if let Some(text) = server_failed(load) {
        return Err(failure("serving", text));
    }
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

/// What the generator found wrong with the server.
fn server_failed(load: &Value) -> Option<&str> {
    let findings = load.get("findings")?.as_array()?;
    let with = |rules: &'static [&str]| {
        findings.iter().find(move |finding| {
            let rule = finding.get("rule").and_then(Value::as_str);
            rule.is_some_and(|rule| rules.contains(&rule))
        })
    };
    if with(&OF_GENERATORS).is_some() {
        return None;
    }
    with(&OF_SERVERS)?.get("text")?.as_str()
}

fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
