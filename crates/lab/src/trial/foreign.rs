//! A server that is not ours, for as long as a trial.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use command::descriptors::Descriptors;
use contracts::serve::{self, Summary};
use contracts::{Line, Unknown};
use results::{Failure, Sample};
use sys::usage::{Usage, Who, usage};
use workload::FileSet;

use super::job::{Measured, failure};
use super::network::Network;
use super::process_runner::ProcessRunner;
use super::proof::Proof;
use crate::spec::external::{External, Given, Protocol};
use crate::trial::process::{Process, describe};

const STARTING: &str = "starting the server";
/// How long its first answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Where it runs; dropping this removes its directory.
#[derive(Debug)]
pub(super) struct Foreign<'a> {
    external: &'a External,
    root: PathBuf,
    port: u16,
    address: Ipv4Addr,
    /// A directory of its own.
    work: PathBuf,
    given: Given,
    /// What it shows, if it speaks TLS.
    certificate: Option<PathBuf>,
}

impl<'a> Foreign<'a> {
    /// Makes a place for it: a port that is free and a directory with its configuration. `upstream` is the host and port of whoever is
    /// behind it.
    pub(super) fn prepare(
        external: &'a External,
        (root, upstream): (&Path, Option<&str>),
        cores: usize,
        network: &Network,
    ) -> Result<Self, Failure> {
        let step = |error: io::Error| failure(STARTING, error.to_string());
        // Many servers take the soft limit as they find it, and their children inherit ours. Ours raise it themselves. Where it cannot be
        // raised, a server that runs out says so.
        Descriptors::raise();
        let name = format!("archbench-{}-{}", external.label, std::process::id());
        let work = std::env::temp_dir().join(name);
        let (address, port) = (network.address(), network.free_port().map_err(step)?);
        let mut given = external.given(root, (address, port), cores, &work);
        given.extend(upstream.map(|upstream| ("upstream", upstream.to_owned())));
        let certificate = external.secure(&mut given, address).map_err(step)?;
        fs::create_dir_all(&work).map_err(step)?;
        let foreign = Self {
            external,
            root: root.to_owned(),
            port,
            address,
            work,
            given,
            certificate,
        };
        let written = [
            external.config(&foreign.given),
            external.urls(&foreign.given),
        ];
        for (path, text) in written.into_iter().flatten() {
            fs::write(path, text).map_err(step)?;
        }
        Ok(foreign)
    }

    pub(super) fn command(&self) -> Vec<String> {
        self.external.command(&self.given)
    }

    /// The file of what it is asked for, if that is not the files.
    pub(super) fn urls(&self) -> Option<PathBuf> {
        let (path, _) = self.external.urls(&self.given)?;
        Some(path)
    }

    /// The file of what it shows, if it speaks TLS.
    pub(super) fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// Whether it prints the readiness and the summary line.
    pub(super) fn reports(&self) -> bool {
        self.external.reports()
    }

    /// Waits until it answers, and in that protocol, and right when asked for the smallest file, if it serves the files; gives its address.
    /// One that says when it is ready says where, too.
    pub(super) fn ready(
        &self,
        server: &mut Process,
        runner: &ProcessRunner,
        (set, protocol): (&FileSet, Protocol),
        network: &Network,
    ) -> Result<String, Failure> {
        let (stream, address) = if self.external.reports() {
            let address = runner.address(server)?;
            let wrong =
                |what: String| failure(STARTING, format!("it is ready at '{address}': {what}"));
            let at: SocketAddr = address
                .parse()
                .map_err(|_| wrong("that is no address and port".into()))?;
            if !self.external.serves_files() {
                // It may not even speak TCP there.
                return Ok(address);
            }
            let stream = network.connect(at.port(), ANSWERS_WITHIN);
            (stream.map_err(|error| wrong(error.to_string()))?, at)
        } else {
            let at = SocketAddr::from((self.address, self.port));
            (self.listens(server, runner, network, &at)?, at)
        };
        if !self.external.serves_files() {
            return Ok(address.to_string());
        }
        let smallest = set.files().iter().min_by_key(|file| file.length);
        let path = &smallest
            .ok_or_else(|| failure(STARTING, "there are no files"))?
            .path;
        let proof = Proof {
            protocol,
            certificate: self.certificate.clone(),
            within: ANSWERS_WITHIN,
        };
        proof
            .of(stream, &address, path, &self.root)
            .map_err(|what| failure(STARTING, what))?;
        Ok(address.to_string())
    }

    /// Waits until somebody listens.
    fn listens(
        &self,
        server: &mut Process,
        runner: &ProcessRunner,
        network: &Network,
        address: &SocketAddr,
    ) -> Result<TcpStream, Failure> {
        let limit = runner.patience.starts;
        let end = Instant::now() + limit;
        loop {
            if let Ok(stream) = network.connect(self.port, ANSWERS_WITHIN) {
                return Ok(stream);
            }
            if let Some(status) = server.ended() {
                return Err(failure(STARTING, describe(status, &server.kill())));
            }
            if runner.interrupt.came() {
                return Err(failure(STARTING, "interrupted"));
            }
            if Instant::now() > end {
                let late = format!("nobody listened at {address} within {limit:?}");
                return Err(failure(STARTING, late));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Has it stop; gives what was seen of it by the names that our own servers use.
    ///
    /// It has used what the kernel accounts to this process for it when it has ended, less what it had used before the load
    /// began, for starting up is not what is compared. One that does not wait for its workers keeps their account from us; then
    /// what was seen of them counts.
    pub(super) fn stop(
        self,
        server: &mut Process,
        within: Duration,
        measured: &Measured,
    ) -> Result<Summary, Failure> {
        let step = "stopping the server";
        let account =
            || usage(Who::EndedChildren).map_err(|error| failure(step, error.to_string()));
        let before = account()?;
        server.terminate();
        let status = server.wait(within);
        let errors = server.kill();
        let Some(status) = status else {
            return Err(failure(
                step,
                format!("it was told to stop and did not within {within:?}"),
            ));
        };
        let told = std::os::unix::process::ExitStatusExt::signal(&status) == Some(TERMINATE);
        if !status.success() && !told {
            return Err(failure(step, describe(status, &errors)));
        }
        Ok(self.summary(&before, &account()?, measured))
    }

    fn summary(&self, before: &Usage, after: &Usage, measured: &Measured) -> Summary {
        let samples = &measured.samples;
        let none = Sample::default();
        let (first, last) = (
            samples.first().unwrap_or(&none),
            samples.last().unwrap_or(&none),
        );
        let seconds = |of: fn(&Usage) -> f64, seen: fn(&Sample) -> f64| {
            (of(after) - of(before)).max(seen(last)) - seen(first)
        };
        let count = |of: fn(&Usage) -> u64, seen: fn(&Sample) -> u64| {
            let used = of(after).saturating_sub(of(before)).max(seen(last));
            Some(used.saturating_sub(seen(first)))
        };
        let user_s = seconds(|usage| usage.user.as_secs_f64(), |seen| seen.cpu_user_s);
        let system_s = seconds(|usage| usage.system.as_secs_f64(), |seen| seen.cpu_system_s);
        let requests = measured.load.as_ref().and_then(|load| load.requests.sent);
        let cost_us = |requests: u64| (user_s + system_s) * 1e6 / requests as f64;
        Summary {
            event: Summary::EVENT.into(),
            schema: Some(serve::SEEN_SCHEMA.into()),
            model: Some(self.external.label.clone()),
            requests,
            cpu: Some(serve::Cpu {
                user_s: Some(user_s),
                system_s: Some(system_s),
                per_request_us: requests.filter(|requests| *requests > 0).map(cost_us),
                unknown: Unknown::new(),
            }),
            context_switches: Some(serve::ContextSwitches {
                voluntary: count(
                    |usage| usage.voluntary_switches,
                    |seen| seen.voluntary_switches,
                ),
                involuntary: count(
                    |usage| usage.involuntary_switches,
                    |seen| seen.involuntary_switches,
                ),
                unknown: Unknown::new(),
            }),
            faults: Some(serve::PageFaults {
                minor: count(|usage| usage.minor_faults, |seen| seen.minor_faults),
                major: count(|usage| usage.major_faults, |seen| seen.major_faults),
                unknown: Unknown::new(),
            }),
            peak_threads: samples.iter().map(|sample| sample.threads).max(),
            peak_processes: samples.iter().map(|sample| sample.processes).max(),
            ..Default::default()
        }
    }
}

/// SIGTERM, by which a server may end that does nothing about it.
const TERMINATE: i32 = rustix::process::Signal::TERM.as_raw();

impl Drop for Foreign<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.work);
    }
}
