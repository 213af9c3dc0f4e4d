//! A trial from its beginning to its end.

use std::path::Path;
use std::time::Instant;

use ::network::Role;
use contracts::load::Report;
use contracts::serve::Ready;
use results::{Failure, Validity};
use rustix::process::Signal;
use workload::FileSet;

use super::cache;
use super::commands::At;
use super::ends;
use super::foreign::Foreign;
use super::job::{Job, Measured, Runner, failure};
use super::memory::{Group, Support};
use super::network::{self, Network};
use super::process::{Placement, Process, describe};
use super::process_runner::ProcessRunner;
use super::upstream;
use super::watch::{self, Watcher};
use crate::plan::cells::{Cell, Server};
use crate::spec::Cache;

/// Where the server of a trial is started, and what it has there.
struct Site<'a> {
    set: &'a FileSet,
    root: &'a Path,
    cores: &'a [usize],
    group: Option<&'a Group>,
    network: &'a Network,
    /// Where the server behind it is, if there is one.
    behind: Option<&'a str>,
}

/// A server that is ready.
struct Serving<'a> {
    process: Process,
    address: String,
    /// The file of what it shows, if it speaks TLS.
    certificate: Option<String>,
    /// If it is not ours.
    foreign: Option<Foreign<'a>>,
}

impl Runner for ProcessRunner {
    fn run(&self, job: &Job<'_>) -> Option<Measured> {
        let began = Instant::now();
        let mut measured = Measured::nothing();
        measured.network.description = job.cell.network.to_string();
        if let Err(failure) = self.fill(job, &mut measured) {
            measured.verdict = Validity::Failed;
            measured.failure = Some(failure);
        }
        measured.elapsed_s = began.elapsed().as_secs_f64();
        // What a trial came to that was cut short says nothing.
        (!self.interrupt.came()).then_some(measured)
    }
}

impl ProcessRunner {
    /// Whatever is known of the trial when it ends, or fails, is then in `measured`.
    fn fill(&self, job: &Job<'_>, measured: &mut Measured) -> Result<(), Failure> {
        let set = job.cell.files.file_set(1);
        let root = set
            .cache_dir()
            .map_err(|error| failure("finding the files", error.to_string()))?;
        let group = self.limit(job.cell, measured)?;
        // Declared before the server, so that it is unmounted after the server has ended.
        let mounted = job.cell.disk.as_ref();
        let mounted = mounted
            .map(|flags| self.mount(&set, &root, flags))
            .transpose()?;
        if mounted.is_none() && (job.cache == Cache::Drop || group.is_some()) {
            // Pages that somebody else has read would not count against the limit.
            cache::drop_files(&set, &root)
                .map_err(|error| failure("dropping the page cache", error.to_string()))?;
        }
        let root = mounted
            .as_ref()
            .map_or(root, |mounted| mounted.point.clone());
        let cores = &self.cores.server;
        let cores = &cores[..job.cell.cores.unwrap_or(cores.len()).min(cores.len())];
        // Declared before the server, so that it is there until the server has ended.
        let network = self.network(&job.cell.network, &mut measured.network)?;
        // Likewise.
        let upstream = job
            .upstream
            .map(|model| self.upstream(model, &root, &network))
            .transpose()?;
        let site = Site {
            set: &set,
            root: &root,
            cores,
            group: group.as_ref(),
            network: &network,
            behind: upstream.as_ref().map(|upstream| upstream.address.as_str()),
        };
        let mut server = self.start(job, &site, measured)?;
        if job.cache == Cache::Prefill {
            cache::prefill(&set, &root, group.as_ref())
                .map_err(|error| failure("prefilling the page cache", error.to_string()))?;
        }
        let load = self.put_load(job, &site, &mut server, measured)?;
        let judged = ends::verdict(&load);
        measured.load = Some(load);
        let stopped = match server.foreign {
            Some(foreign) if !foreign.reports() => {
                foreign.stop(&mut server.process, self.patience.stops, measured)
            }
            _ => self
                .stop(&mut server.process)
                .map(|summary| ends::without_start(summary, &measured.samples)),
        };
        network.end(self, &mut measured.network);
        // What went wrong first is what matters.
        let (verdict, reasons) = judged?;
        measured.server = Some(stopped?);
        (measured.verdict, measured.reasons) = (verdict, reasons);
        let link = job.cell.network.link.as_ref();
        if let Some(doubt) = link.and_then(|link| network::doubt(&measured.network, link)) {
            measured.verdict = measured.verdict.max(Validity::Suspect);
            measured.reasons.push(doubt);
        }
        Ok(())
    }

    /// Starts the server and waits until it is ready.
    fn start<'a>(
        &self,
        job: &Job<'a>,
        site: &Site<'_>,
        measured: &mut Measured,
    ) -> Result<Serving<'a>, Failure> {
        let elsewhere = self.places.server.as_ref();
        let start = |last: Signal, command: &[String]| {
            let place = Placement {
                cores: site.cores,
                group: site.group,
                host: site.network.host(Role::Server),
                is_launched: elsewhere.is_some(),
            };
            Process::start_until(last, command, place)
                .map_err(|error| failure("starting the server", error.to_string()))
        };
        match &job.cell.server {
            Server::Model { model, flags } => {
                let address = elsewhere.and_then(|place| place.address);
                let address = address.unwrap_or(site.network.address().into());
                let flags = upstream::filled(flags, site.behind);
                let command = self.server_command(model, &flags, site.root, address);
                measured.server_command = match elsewhere {
                    Some(place) => place.under_agent(&command, true),
                    None => command,
                };
                let mut process = start(Signal::KILL, &measured.server_command)?;
                let ready = self.ready::<Ready>(&mut process, "starting the server")?;
                Ok(Serving {
                    process,
                    address: ready.address,
                    certificate: ready.tls.and_then(|tls| tls.certificate),
                    foreign: None,
                })
            }
            Server::External(external) => {
                let given = (site.root, site.behind);
                let foreign = Foreign::prepare(external, given, site.cores.len(), site.network)?;
                measured.server_command = foreign.command();
                // It has workers to end.
                let mut process = start(Signal::TERM, &measured.server_command)?;
                let asked = (site.set, job.cell.load.protocol());
                let address = foreign.ready(&mut process, self, asked, site.network)?;
                let certificate = foreign.certificate();
                Ok(Serving {
                    process,
                    address,
                    certificate: certificate.map(|path| path.display().to_string()),
                    foreign: Some(foreign),
                })
            }
        }
    }

    /// Has the generator put load on the server, and looks on.
    fn put_load(
        &self,
        job: &Job<'_>,
        site: &Site<'_>,
        server: &mut Serving<'_>,
        measured: &mut Measured,
    ) -> Result<Report, Failure> {
        let log = self.scratch.as_ref().map(|home| home.join("trial.hlog"));
        let at = At {
            address: &server.address,
            certificate: server.certificate.clone(),
            root: site.root,
            urls: server.foreign.as_ref().and_then(Foreign::urls),
        };
        measured.generator_command = self.generator_command(job, site.set, at, log.as_deref());
        let captures = match job.wire {
            true => self.capture(job, site.network, &server.address)?,
            false => Vec::new(),
        };
        let process = &mut server.process;
        let is_here = self.places.server.is_none();
        let watcher = is_here.then(|| Watcher::start(process.id()));
        // Of one that is elsewhere, the last that was said of it before.
        let before = process.take_samples().pop();
        let through = (site.network, log.as_deref());
        let reported = self.generate(job, &measured.generator_command, through);
        measured.samples = match watcher {
            Some(watcher) => watcher.stop(),
            None => watch::since(before.into_iter().chain(process.take_samples())),
        };
        if let Some(status) = process.ended() {
            let what = describe(status, &process.kill());
            return Err(failure(
                "serving",
                format!("in the middle of the trial {what}"),
            ));
        }
        let load = reported?;
        for capture in captures {
            measured.captured.push(capture.end(self)?);
        }
        measured.hlog = log.and_then(|log| {
            let bytes = std::fs::read(&log).ok();
            // Nothing hangs on it once it has been read.
            let _ = std::fs::remove_file(&log);
            bytes
        });
        Ok(load)
    }

    fn limit(&self, cell: &Cell, measured: &mut Measured) -> Result<Option<Group>, Failure> {
        let Some(bytes) = cell.memory_limit else {
            return Ok(None);
        };
        if let Support::None(why) = &self.memory {
            measured.memory_limit = Some(format!("skipped: {why}"));
            return Ok(None);
        }
        let group = self
            .memory
            .group(bytes, "trial")
            .map_err(|error| failure("limiting memory", error.to_string()))?;
        measured.memory_limit = Some(format!("cgroup {}", self.memory.name()));
        Ok(Some(group))
    }
}
