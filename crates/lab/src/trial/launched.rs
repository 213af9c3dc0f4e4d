//! Servers and generators on other hosts: started by a launcher, watched and ended through its pipes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use command::interrupt::Interrupt;
use contracts::load::{Finding, Report, Rule};
use contracts::results::HostFacts;
use results::Failure;
use workload::FileSet;

use super::job::failure;
use super::process::{NoLine, Placement, Process, describe};
use super::process_runner::ProcessRunner;
use crate::commands::agent;
use crate::spec::{Host, Hosts};

/// How long a launcher may take for a short command.
const SHORT: Duration = Duration::from_secs(60);
/// Generators begin together when the clock next shows a multiple of this.
const START_AT: &str = "next:5s";

/// The two places of a lab across hosts.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Where the server runs, if not here.
    pub server: Option<Place>,
    /// Where the generators do.
    pub generators: Option<Place>,
}

/// A place that is reached by a launcher.
#[derive(Debug, Clone)]
pub struct Place {
    launcher: Vec<String>,
    program: PathBuf,
    /// Where a server listens.
    pub address: Option<IpAddr>,
    /// How many the launcher starts.
    pub shares: u32,
}

impl Places {
    /// Those of an experiment; archbench is there where it is here, if nothing else is said.
    pub fn of(hosts: &Hosts, archbench: &Path) -> Self {
        let place = |host: &Host| Place {
            launcher: host.launcher().to_vec(),
            program: host.program.clone().unwrap_or_else(|| archbench.to_owned()),
            address: host.address.as_ref().map(|address| address.0),
            shares: host.shares.unwrap_or(1),
        };
        Self {
            server: hosts.server.as_ref().map(place),
            generators: hosts.generators.as_ref().map(place),
        }
    }

    /// What machines they are, and the files made where the server is.
    ///
    /// # Errors
    /// When one of them is not reached, in one line.
    pub fn prepare(
        &self,
        sets: &[FileSet],
        interrupt: &Interrupt,
    ) -> Result<Vec<HostFacts>, crate::Failure> {
        let mut facts = Vec::new();
        for (role, place) in [("server", &self.server), ("generators", &self.generators)] {
            let Some(place) = place else { continue };
            let lines = place.short(&["agent", "--machine"], interrupt)?;
            let machines = agent::machines(&lines);
            if machines.len() != place.shares as usize {
                return Err(format!(
                    "{} started {} of {} {role}: see its options, and shares in [hosts.{role}]",
                    place.launcher.join(" "),
                    machines.len(),
                    place.shares
                )
                .into());
            }
            facts.extend(machines.into_iter().map(|machine| HostFacts {
                role: role.to_owned(),
                launch: place.launcher.clone(),
                machine,
                unknown: contracts::Unknown::new(),
            }));
        }
        if let Some(server) = &self.server {
            for set in sets {
                let root = set.cache_dir()?.display().to_string();
                let (preset, seed) = (set.preset().to_string(), set.seed().to_string());
                server.short(&["files", &preset, &root, "--seed", &seed], interrupt)?;
            }
        }
        Ok(facts)
    }
}

impl Place {
    /// A command of archbench there, as words after the launcher's.
    pub(super) fn command(&self, words: &[String]) -> Vec<String> {
        let mut command = self.launcher.clone();
        command.push(self.program.display().to_string());
        command.extend_from_slice(words);
        command
    }

    /// The same under an agent, which ends it when its standard input ends. `command` begins with the archbench that is here.
    pub(super) fn under_agent(&self, command: &[String], sample: bool) -> Vec<String> {
        let mut words = vec!["agent".to_owned()];
        words.extend(sample.then(|| "--sample".to_owned()));
        words.extend(["--".to_owned(), self.program.display().to_string()]);
        words.extend_from_slice(command.get(1..).unwrap_or_default());
        self.command(&words)
    }

    /// What a command prints that takes no time to speak of.
    fn short(&self, words: &[&str], interrupt: &Interrupt) -> Result<Vec<String>, crate::Failure> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let command = self.command(&words);
        let told = |why: String| format!("{}: {why}", command.join(" "));
        let place = Placement::launched(&[]);
        let mut process =
            Process::start(&command, place).map_err(|error| told(error.to_string()))?;
        let lines = process.rest(SHORT, interrupt);
        let status = process.wait(Duration::from_secs(5));
        let errors = process.kill();
        match (lines, status) {
            (Ok(lines), Some(status)) if status.success() => Ok(lines),
            (Err(NoLine::Interrupted), _) => Err(told("interrupted".into()).into()),
            (_, Some(status)) => Err(told(describe(status, &errors)).into()),
            (_, None) => Err(told(format!("it did not end within {SHORT:?}")).into()),
        }
    }
}

impl ProcessRunner {
    /// What generators are told beside their load: that they are parts of one run, and to print what they measure.
    pub(super) fn as_parts(&self, place: &Place, command: &[String]) -> Vec<String> {
        let mut command = command.to_vec();
        if place.shares > 1 {
            command.extend(["--share", "auto", "--start-at", START_AT].map(str::to_owned));
        }
        command.extend(["--output-format", "lines"].map(str::to_owned));
        place.under_agent(&command, false)
    }

    /// Makes one report of the lines that generators have printed, with this archbench.
    pub(super) fn merged(&self, lines: &[String], log: Option<&Path>) -> Result<Report, Failure> {
        use contracts::Document;
        let step = "putting together what the generators measured";
        let failed = |why: String| failure(step, why);
        let home = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
        let printed = home.path().join("printed");
        std::fs::write(&printed, lines.join("\n") + "\n")
            .map_err(|error| failed(error.to_string()))?;
        let mut command = std::process::Command::new(&self.archbench);
        command
            .arg("merge")
            .arg(&printed)
            .args(["--output-format", "json", "--quiet"]);
        if let Some(log) = log {
            command.arg("--hlog").arg(log);
        }
        let output = command
            .output()
            .map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Report::parse(&text).map_err(|_| {
            let errors = String::from_utf8_lossy(&output.stderr);
            failed(describe(output.status, &errors))
        })
    }
}

/// What says that a host went away in the middle of a trial.
pub(super) fn host_gone(load: &Report) -> Option<&Finding> {
    let mut findings = load.findings.iter();
    findings.find(|finding| matches!(finding.rule, Rule::PartMissing | Rule::PartCutShort))
}
