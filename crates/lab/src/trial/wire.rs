//! Captures of a trial's packets: one at the server, and one at the client where that is another host.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use contracts::wire::{Ready, Summary};
use contracts::{Line, Unknown};
use network::Role;
use results::{Failure, Wire};
use rustix::process::Signal;

use super::job::{Job, failure, trace_name};
use super::network::Network;
use super::process::{NoLine, Placement, Process, describe};
use super::process_runner::ProcessRunner;

const STEP: &str = "capturing packets";

/// Bytes of packets that a capture keeps; all count in its figures.
const MOST_KEPT: &str = "16m";

/// A capture that is under way.
#[derive(Debug)]
pub(super) struct Capture {
    /// At whose interface.
    role: Role,
    process: Process,
    /// Where the packets are kept meanwhile.
    file: Option<PathBuf>,
}

impl ProcessRunner {
    /// Begins to capture what passes to and from `address`. Server and client on one host share one interface.
    pub(super) fn capture(
        &self,
        job: &Job<'_>,
        network: &Network,
        address: &str,
    ) -> Result<Vec<Capture>, Failure> {
        let address: SocketAddr = address
            .parse()
            .map_err(|error| failure(STEP, format!("'{address}' is no address: {error}")))?;
        let roles: &[Role] = match network.host(Role::Client) {
            None => &[Role::Server],
            Some(_) => &Role::BOTH,
        };
        let begin = |role: &Role| self.capture_at(*role, job, network, address.port());
        roles.iter().map(begin).collect()
    }

    fn capture_at(
        &self,
        role: Role,
        job: &Job<'_>,
        network: &Network,
        port: u16,
    ) -> Result<Capture, Failure> {
        let name = trace_name("trial", role.name());
        let file = self.scratch.as_ref().map(|home| home.join(name));
        let mut command: Vec<String> = vec![
            self.archbench.display().to_string(),
            "wire".into(),
            "--interface".into(),
            network.interface().into(),
            "--port".into(),
            port.to_string(),
            "--warmup".into(),
            format!("{}us", job.warm_up.as_micros()),
            "--output-format".into(),
            "json".into(),
        ];
        if let Some(file) = &file {
            command.extend(["--output".into(), file.display().to_string()]);
            command.extend(["--most".into(), MOST_KEPT.into()]);
        }
        // Reading packets is no work of the server's.
        let place = Placement {
            host: network.host(role),
            ..Placement::on(&self.cores.generator)
        };
        let mut process = Process::start_until(Signal::TERM, &command, place)
            .map_err(|error| failure(STEP, error.to_string()))?;
        self.ready::<Ready>(&mut process, STEP)?;
        Ok(Capture {
            role,
            process,
            file,
        })
    }
}

impl Capture {
    /// Ends it; gives what was seen, and the packets, if they were kept.
    pub(super) fn end(
        mut self,
        runner: &ProcessRunner,
    ) -> Result<(Wire, Option<Vec<u8>>), Failure> {
        self.process.terminate();
        let limit = runner.patience.stops;
        let lines = match self.process.rest(limit, &runner.interrupt) {
            Ok(lines) => lines,
            Err(NoLine::Interrupted) => return Err(failure(STEP, "interrupted")),
            Err(_) => return Err(failure(STEP, format!("it did not end within {limit:?}"))),
        };
        let summary = lines.iter().find_map(|line| Summary::parse(line).ok());
        let summary = summary.ok_or_else(|| {
            let status = self.process.wait(limit);
            let errors = self.process.kill();
            let told = status.map(|status| describe(status, &errors));
            failure(STEP, told.unwrap_or_else(|| "it did not end".into()))
        })?;
        let wire = Wire {
            at: self.role.name().into(),
            summary,
            trace: None,
            unknown: Unknown::new(),
        };
        let packets = self.file.as_deref().map(take).transpose();
        Ok((wire, packets.map_err(|error| failure(STEP, error))?))
    }
}

/// What is in a file, on which nothing hangs afterwards.
fn take(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(path)
        .map_err(|error| format!("cannot read the packets in {}: {error}", path.display()))?;
    let _ = std::fs::remove_file(path);
    Ok(bytes)
}
