//! `archbench doctor`: what would spoil a measurement here, and what to do about it.

mod checks;

use std::time::{Duration, Instant};

use contracts::doctor::{Diagnoses, Diagnosis, Severity};
use contracts::{Document, Unknown};

use super::Shown;
use crate::{Failure, Status};

/// Look for what would spoil a measurement on this machine
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
ok: fine. note: good to know. warn: figures suffer; what to do is said. fail: something will not work.
Nothing is changed, but that the control groups of version 2 above this process may be told to let those below limit memory, that a
group and two network namespaces are made and removed, and that what killed runs have left in theirs is ended. It takes about a
second, in which the machine should be as idle as in a measurement.

Exit status: 0, or 1 if something fails.")]
pub struct Args {
    /// For whom it is printed
    #[command(flatten)]
    pub shown: Shown,
}

/// Runs it.
///
/// # Errors
/// None but what printing JSON reports.
pub fn run(args: Args) -> Result<Status, Failure> {
    let found = Diagnoses {
        schema: Diagnoses::SCHEMA.into(),
        diagnoses: examine(),
        unknown: Unknown::new(),
    };
    args.shown.print(&found, |found| text(&found.diagnoses))?;
    let fails = |diagnosis: &Diagnosis| diagnosis.level == Severity::Fail;
    Ok(u8::from(found.diagnoses.iter().any(fails)))
}

/// All checks.
pub(crate) fn examine() -> Vec<Diagnosis> {
    let before = crate::trial::watch::processor_ticks();
    let started = Instant::now();
    let mut findings = checks::settings();
    findings.push(checks::wake_ups());
    std::thread::sleep(Duration::from_secs(1).saturating_sub(started.elapsed()));
    findings.extend(checks::disturbance(
        &before,
        &crate::trial::watch::processor_ticks(),
    ));
    findings
}

fn text(findings: &[Diagnosis]) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let level = match finding.level {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warn => "warn",
            Severity::Fail => "FAIL",
        };
        lines.push(format!(
            "{level:<5} {:<14} {}",
            finding.subject, finding.found
        ));
        if !finding.advice.is_empty() {
            lines.push(format!("{:<21}→ {}", "", finding.advice));
        }
    }
    let count = findings
        .iter()
        .filter(|finding| finding.level >= Severity::Warn)
        .count();
    lines.push(match count {
        0 => "\nnothing here would spoil a measurement".to_owned(),
        1 => "\none thing would spoil a measurement".to_owned(),
        count => format!("\n{count} things would spoil a measurement"),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_examined() {
        let findings = examine();
        for subject in [
            "cores",
            "open files",
            "backlog",
            "ports",
            "steal time",
            "cgroups",
            "clock source",
            "timers",
            "hosts",
            "leftovers",
        ] {
            assert!(
                findings.iter().any(|finding| finding.subject == subject),
                "{subject}"
            );
        }
        for finding in &findings {
            assert!(!finding.found.is_empty());
            assert!(
                finding.level < Severity::Warn || !finding.advice.is_empty(),
                "{finding:?}"
            );
        }
        assert!(text(&findings).contains("spoil a measurement"));
    }
}
