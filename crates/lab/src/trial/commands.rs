//! The command lines of both ends.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use workload::FileSet;

use super::job::Job;
use super::process_runner::ProcessRunner;
use crate::cores;
use crate::spec::external::Given;

/// Whom a generator asks.
pub(super) struct At<'a> {
    pub(super) address: &'a str,
    /// The file of what it shows, if it speaks TLS.
    pub(super) certificate: Option<String>,
    pub(super) root: &'a Path,
    /// A file of what is asked for, if that is not the files.
    pub(super) urls: Option<PathBuf>,
}

impl At<'_> {
    fn url(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.address)
    }
}

impl ProcessRunner {
    pub(super) fn server_command(
        &self,
        model: &str,
        flags: &[String],
        root: &Path,
        address: IpAddr,
    ) -> Vec<String> {
        let mut command = vec![
            self.archbench.display().to_string(),
            "serve".into(),
            "--model".into(),
            model.into(),
            "--addr".into(),
            SocketAddr::new(address, 0).to_string(),
            "--root".into(),
            root.display().to_string(),
            "--output-format".into(),
            "json".into(),
        ];
        command.extend(flags.iter().cloned());
        command
    }

    pub(super) fn generator_command(
        &self,
        job: &Job<'_>,
        set: &FileSet,
        at: At<'_>,
        log: Option<&Path>,
    ) -> Vec<String> {
        let load = &job.cell.load;
        if let Some(generator) = &self.generator {
            return generator.command(&self.given(job, &at));
        }
        let seconds = |time: Duration| format!("{}us", time.as_micros());
        let mut command = vec![self.archbench.display().to_string(), "load".into()];
        if at.urls.is_none() {
            command.push(at.url());
        }
        let mut put = |flag: &str, value: String| command.extend([flag.to_owned(), value]);
        if let Some(certificate) = at.certificate {
            put("--cacert", certificate);
        }
        if let Some(urls) = &at.urls {
            put("--urls-file", urls.display().to_string());
        } else {
            put("--files", set.preset().to_string());
            put("--files-seed", set.seed().to_string());
        }
        put("--connections", load.connections.to_string());
        if let Some(rate) = load.rate {
            put("--rate", rate.to_string());
        }
        if let Some(stages) = &load.stages {
            put("--stages", stages.to_string());
        }
        if let Some(arrival) = &load.arrival {
            put("--arrival", arrival.to_string());
        }
        if let Some(each) = load.session_requests {
            put("--session-requests", each.to_string());
        }
        if let Some(think) = load.think {
            let kind = if load.think_exponential { "exp:" } else { "" };
            put("--think", format!("{kind}{}", seconds(think)));
        }
        put("--seed", job.seed.to_string());
        put("--warmup", seconds(job.warm_up));
        // Stages last as long as they say.
        if load.stages.is_none() {
            put("--duration", seconds(job.length()));
        }
        put("--timeout", seconds(job.timeout));
        // Elsewhere the launcher knows the cores, and what is measured comes through its pipe.
        if self.places.generators.is_none() {
            put("--pin", cores::list(&self.cores.generator));
            put("--output-format", "json".into());
            if let Some(log) = log {
                put("--hlog", log.display().to_string());
            }
        }
        command.push("--quiet".into());
        command.extend(load.flags.iter().cloned());
        match &self.places.generators {
            Some(place) => self.as_parts(place, &command),
            None => command,
        }
    }

    /// What a generator that is not ours is told.
    fn given(&self, job: &Job<'_>, at: &At<'_>) -> Given {
        let load = &job.cell.load;
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        let or_nothing = |value: Option<String>| value.unwrap_or_default();
        Given::from([
            ("url", at.url()),
            ("root", at.root.display().to_string()),
            ("cores", self.cores.generator.len().to_string()),
            ("seed", job.seed.to_string()),
            ("connections", load.connections.to_string()),
            ("rate", or_nothing(load.rate.map(|rate| rate.to_string()))),
            (
                "arrival",
                or_nothing(load.arrival.as_ref().map(ToString::to_string)),
            ),
            (
                "session_requests",
                or_nothing(load.session_requests.map(|each| each.to_string())),
            ),
            ("think_s", or_nothing(load.think.map(seconds))),
            ("warm_up_s", seconds(job.warm_up)),
            ("duration_s", seconds(job.length())),
            ("timeout_s", seconds(job.timeout)),
        ])
    }
}
