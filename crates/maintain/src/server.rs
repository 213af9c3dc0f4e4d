//! A server that runs, pinned to its core.

use std::path::Path;
use std::time::Duration;

use lab::Failure;
use lab::trial::process::{NoLine, Placement, Process, describe};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use sys::usage::{Who, usage};

use crate::account::Account;
use crate::testbed::Testbed;

/// How long a server may take to start, and to stop.
const LIMIT: Duration = Duration::from_secs(20);

/// A server that is ready; it ends with this at the latest.
#[derive(Debug)]
pub(crate) struct Server {
    /// What messages and tables call it.
    pub(crate) name: String,
    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    process: Process,
    when_ready: Account,
}

/// The line by which `archbench serve` says that it is ready; what else it holds is not needed here.
#[derive(Debug, Deserialize)]
struct Ready {
    url: String,
}

impl Server {
    /// Starts `archbench serve --model MODEL`, where the words after the model are its options, and waits until it is ready.
    ///
    /// # Errors
    /// What it said when it did not become so.
    pub(crate) fn ours(
        testbed: &Testbed,
        archbench: &Path,
        model: &str,
        root: &Path,
    ) -> Result<Self, Failure> {
        let mut command = vec![
            archbench.display().to_string(),
            "serve".into(),
            "--model".into(),
        ];
        command.extend(model.split_whitespace().map(str::to_owned));
        command.extend(
            ["--addr", "127.0.0.1:0", "--output-format", "json", "--root"].map(str::to_owned),
        );
        command.push(root.display().to_string());
        let name = model.to_owned();
        let mut process = Process::start_until(
            Signal::TERM,
            &command,
            Placement::on(&[testbed.cores.server]),
        )
        .map_err(|error| format!("cannot start {}: {error}", archbench.display()))?;
        let line = process.line(LIMIT, &testbed.interrupt);
        let line = line.map_err(|why| not_ready(&name, why, &mut process))?;
        let ready: Ready = serde_json::from_str(&line)
            .map_err(|_| format!("{name} should say that it is ready, and said '{line}'"))?;
        Ok(Self {
            name,
            url: ready.url.trim_end_matches('/').to_owned(),
            when_ready: Account::of(process.id()),
            process,
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to stop, and does not look whether it has.
    pub(crate) fn terminate(&self) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        // It is waited for elsewhere if it has ended already.
        let _ = id.map(|id| kill_process(id, Signal::TERM));
    }

    /// Has it stop; gives the processor time that it, its threads and its children have used since it was ready.
    ///
    /// It is what the kernel accounts to this process when the server has ended (getrusage(2)), so nothing is rounded to clock
    /// ticks and nothing is lost of those that ended before.
    ///
    /// # Errors
    /// When it does not stop, or fails.
    pub(crate) fn stop(mut self) -> Result<Duration, Failure> {
        let name = &self.name;
        let account = || -> Result<Duration, Failure> {
            let ended = usage(Who::EndedChildren)
                .map_err(|error| format!("cannot read what children used: {error}"))?;
            Ok(ended.user + ended.system)
        };
        let before = account()?;
        self.process.terminate();
        let status = self
            .process
            .wait(LIMIT)
            .ok_or_else(|| format!("{name} was told to stop and did not within {LIMIT:?}"))?;
        let errors = self.process.kill();
        if !status.success() {
            return Err(format!("{name}: {}", describe(status, &errors)).into());
        }
        let used = account()?.saturating_sub(before);
        Ok(used.saturating_sub(self.when_ready.processor_time))
    }
}

fn not_ready(name: &str, why: NoLine, process: &mut Process) -> Failure {
    match why {
        NoLine::Interrupted => "interrupted".into(),
        NoLine::Late => format!("{name} was not ready within {LIMIT:?}").into(),
        NoLine::Ended => {
            let status = process.wait(Duration::from_secs(2));
            let errors = process.kill();
            let how = status.map_or("it closed its output".into(), |status| {
                describe(status, &errors)
            });
            format!("{name} did not become ready: {how}").into()
        }
    }
}
