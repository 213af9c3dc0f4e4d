//! A trial from its beginning to its end.

use std::time::Instant;

use ::network::Role;
use contracts::serve::Ready;
use results::{Failure, Validity};
use rustix::process::Signal;

use super::cache;
use super::commands::At;
use super::ends;
use super::foreign::Foreign;
use super::job::{Job, Measured, Runner, failure};
use super::memory::{Group, Support};
use super::network;
use super::process::{Placement, Process, describe};
use super::process_runner::ProcessRunner;
use super::upstream;
use super::watch::{self, Watcher};
use crate::plan::cells::{Cell, Server};
use crate::spec::Cache;

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
        let server_cores = &self.cores.server;
        let server_cores = &server_cores[..job
            .cell
            .cores
            .unwrap_or(server_cores.len())
            .min(server_cores.len())];
        // Declared before the server, so that it is there until the server has ended.
        let network = self.network(&job.cell.network, &mut measured.network)?;
        // Likewise.
        let upstream = job
            .upstream
            .map(|model| self.upstream(model, &root, &network))
            .transpose()?;
        let behind = upstream.as_ref().map(|upstream| upstream.address.as_str());
        let elsewhere = self.places.server.as_ref();
        let start = |last: Signal, command: &[String]| {
            let place = Placement {
                cores: server_cores,
                group: group.as_ref(),
                host: network.host(Role::Server),
                is_launched: elsewhere.is_some(),
            };
            Process::start_until(last, command, place)
                .map_err(|error| failure("starting the server", error.to_string()))
        };
        let (mut server, address, certificate, foreign) = match &job.cell.server {
            Server::Model { model, flags } => {
                let address = elsewhere.and_then(|place| place.address);
                let address = address.unwrap_or(network.address().into());
                let flags = upstream::filled(flags, behind);
                let command = self.server_command(model, &flags, &root, address);
                measured.server_command = match elsewhere {
                    Some(place) => place.under_agent(&command, true),
                    None => command,
                };
                let mut server = start(Signal::KILL, &measured.server_command)?;
                let ready = self.ready::<Ready>(&mut server, "starting the server")?;
                let certificate = ready.tls.and_then(|tls| tls.certificate);
                (server, ready.address, certificate, None)
            }
            Server::External(external) => {
                let foreign =
                    Foreign::prepare(external, (&root, behind), server_cores.len(), &network)?;
                measured.server_command = foreign.command();
                // It has workers to end.
                let mut server = start(Signal::TERM, &measured.server_command)?;
                let asked = (&set, job.cell.load.protocol());
                let address = foreign.ready(&mut server, self, asked, &network)?;
                let certificate = foreign.certificate().map(|path| path.display().to_string());
                (server, address, certificate, Some(foreign))
            }
        };
        if job.cache == Cache::Prefill {
            cache::prefill(&set, &root, group.as_ref())
                .map_err(|error| failure("prefilling the page cache", error.to_string()))?;
        }
        let log = self.scratch.as_ref().map(|home| home.join("trial.hlog"));
        let at = At {
            address: &address,
            certificate,
            root: &root,
            urls: foreign.as_ref().and_then(Foreign::urls),
        };
        measured.generator_command = self.generator_command(job, &set, at, log.as_deref());
        let captures = match job.wire {
            true => self.capture(job, &network, &address)?,
            false => Vec::new(),
        };
        let watcher = elsewhere.is_none().then(|| Watcher::start(server.id()));
        // Of one that is elsewhere, the last that was said of it before.
        let before = server.take_samples().pop();
        let log_of_parts = log.as_deref();
        let reported = self.generate(job, &measured.generator_command, (&network, log_of_parts));
        measured.samples = match watcher {
            Some(watcher) => watcher.stop(),
            None => watch::since(before.into_iter().chain(server.take_samples())),
        };
        if let Some(status) = server.ended() {
            let what = describe(status, &server.kill());
            return Err(failure(
                "serving",
                format!("in the middle of the trial {what}"),
            ));
        }
        let load = reported?;
        for capture in captures {
            measured.captured.push(capture.end(self)?);
        }
        let judged = ends::verdict(&load);
        measured.load = Some(load);
        measured.hlog = log.and_then(|log| {
            let bytes = std::fs::read(&log).ok();
            // Nothing hangs on it once it has been read.
            let _ = std::fs::remove_file(&log);
            bytes
        });
        let stopped = match foreign {
            None => self
                .stop(&mut server)
                .map(|summary| ends::without_start(summary, &measured.samples)),
            Some(foreign) if foreign.reports() => self
                .stop(&mut server)
                .map(|summary| ends::without_start(summary, &measured.samples)),
            Some(foreign) => foreign.stop(&mut server, self.patience.stops, measured),
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
