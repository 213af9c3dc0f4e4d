//! What both ends say, and what it means when they do not.

use std::path::Path;
use std::time::Duration;

use contracts::load::{Finding, Report, Rule};
use contracts::serve::{Ready, Summary};
use contracts::{Document, Line};
use network::Role;
use results::{Failure, Sample, Validity};

use super::job::{Job, failure};
use super::launched;
use super::network::Network;
use super::process_runner::ProcessRunner;
use crate::trial::process::{NoLine, Placement, Process, describe};

impl ProcessRunner {
    /// Waits until the server says that it is ready, and where.
    pub(super) fn address(&self, server: &mut Process) -> Result<String, Failure> {
        let step = "starting the server";
        self.ready::<Ready>(server, step).map(|ready| ready.address)
    }

    /// Waits until a process says that it is ready.
    pub(super) fn ready<T: Line>(&self, server: &mut Process, step: &str) -> Result<T, Failure> {
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
        T::parse(&line).map_err(|problem| {
            let said = short(&line);
            let text = format!("it should say that it is ready, and said '{said}': {problem}");
            failure(step, text)
        })
    }

    pub(super) fn generate(
        &self,
        job: &Job<'_>,
        command: &[String],
        (network, log): (&Network, Option<&Path>),
    ) -> Result<Report, Failure> {
        let step = "generating load";
        let elsewhere = self.places.generators.is_some();
        let place = Placement {
            host: network.host(Role::Client),
            is_launched: elsewhere,
            ..Placement::on(&self.cores.generator)
        };
        let mut generator =
            Process::start(command, place).map_err(|error| failure(step, error.to_string()))?;
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
        if elsewhere {
            let report = self.merged(&lines, log)?;
            return match launched::host_gone(&report) {
                Some(gone) => Err(failure(step, &gone.text)),
                None => Ok(report),
            };
        }
        let text = lines.join("\n");
        Report::parse(&text).map_err(|problem| {
            let text = format!("its report cannot be read, '{}': {problem}", short(&text));
            failure(step, text)
        })
    }

    /// Has the server stop, and takes its summary.
    pub(super) fn stop(&self, server: &mut Process) -> Result<Summary, Failure> {
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
        let mut problem = String::new();
        for line in &lines {
            match Summary::parse(line) {
                Ok(summary) => return Ok(summary),
                Err(other) => problem = format!(": {other}"),
            }
        }
        let said = short(&lines.join(" / "));
        Err(failure(
            step,
            format!("it printed no summary but '{said}'{problem}"),
        ))
    }
}

/// The summary of a server of ours without what it had used before the load began, as for those that are not: starting up is not
/// what is compared.
pub(super) fn without_start(mut summary: Summary, samples: &[Sample]) -> Summary {
    let Some(first) = samples.first() else {
        return summary;
    };
    let since = |whole: &mut Option<u64>, before: u64| {
        *whole = whole.map(|whole| whole.saturating_sub(before));
    };
    if let Some(switches) = &mut summary.context_switches {
        since(&mut switches.voluntary, first.voluntary_switches);
        since(&mut switches.involuntary, first.involuntary_switches);
    }
    if let Some(faults) = &mut summary.faults {
        since(&mut faults.minor, first.minor_faults);
        since(&mut faults.major, first.major_faults);
    }
    if let Some(cpu) = &mut summary.cpu {
        let since = |whole: Option<f64>, before: f64| whole.map(|whole| (whole - before).max(0.0));
        cpu.user_s = since(cpu.user_s, first.cpu_user_s);
        cpu.system_s = since(cpu.system_s, first.cpu_system_s);
        // A server that says no more than what a request cost is taken at its word.
        if let (Some(user_s), Some(system_s)) = (cpu.user_s, cpu.system_s) {
            let requests = summary.requests.filter(|requests| *requests > 0);
            cpu.per_request_us =
                requests.map(|requests| (user_s + system_s) * 1e6 / requests as f64);
        }
    }
    summary
}

/// Whether the figures of a report may be believed, and why not.
///
/// # Errors
/// When there are none, because the server failed.
pub(super) fn verdict(load: &Report) -> Result<(Validity, Vec<String>), Failure> {
    if let Some(finding) = server_failed(load) {
        return Err(failure("serving", &finding.text));
    }
    let verdict = load.verdict.filter(|verdict| *verdict != Validity::Failed);
    let verdict = verdict.ok_or_else(|| {
        let said = load.verdict.map_or("none", Validity::name);
        failure("generating load", format!("its verdict is '{said}'"))
    })?;
    Ok((verdict, load.reasons.clone()))
}

/// What the generator found wrong with the server.
fn server_failed(load: &Report) -> Option<&Finding> {
    let found = |is: fn(&Rule) -> bool| load.findings.iter().find(move |finding| is(&finding.rule));
    match found(Rule::is_shortage_of_generator) {
        Some(_) => None,
        None => found(Rule::is_fault_of_server),
    }
}

fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
