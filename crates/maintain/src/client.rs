//! Clients that run once, pinned to their core, and what they say.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use contracts::Document;
use contracts::load::Report;
use lab::Failure;
use lab::trial::process::{NoLine, Placement, Process, describe};
use sys::usage::{Who, usage};

use crate::testbed::Testbed;

/// How long a bounded load may take.
const LIMIT: Duration = Duration::from_secs(600);

/// What became of the requests of a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answered {
    /// How many were answered, all of them well.
    pub(crate) requests: u64,
}

/// Runs `generator load ARGUMENTS` once.
///
/// # Errors
/// When it fails, or not every request was answered well.
pub(crate) fn load(
    testbed: &Testbed,
    generator: &Path,
    arguments: &[String],
) -> Result<Answered, Failure> {
    let mut command = vec![generator.display().to_string(), "load".into()];
    command.extend(["--quiet", "--output-format", "json"].map(str::to_owned));
    command.extend(arguments.iter().cloned());
    // 4: it judged its own run invalid. What it says of time may not be believed then; its counts may.
    let text = output(testbed, &command, &[0, 4])?;
    answered(&text).map_err(|what| format!("{what}: '{}'", command.join(" ")).into())
}

/// Reads the report of `archbench load`.
pub(crate) fn report(text: &str) -> Result<Report, String> {
    Report::parse(text).map_err(|error| format!("the generator's report cannot be read: {error}"))
}

fn answered(text: &str) -> Result<Answered, String> {
    let requests = report(text)?.requests;
    match (requests.completed, requests.errors_total) {
        (Some(requests @ 1..), Some(0)) => Ok(Answered { requests }),
        (answered, failed) => Err(format!(
            "{} requests were answered and {} failed; a model that serves few connections at a time needs fewer of them, or an option \
             like '--keep-alive off'",
            answered.unwrap_or(0),
            failed.unwrap_or(0)
        )),
    }
}

/// What a command prints that ends with one of these statuses.
fn output(testbed: &Testbed, command: &[String], fine: &[i32]) -> Result<String, Failure> {
    let ended = run(testbed, command)?;
    match ended.status.code().is_some_and(|code| fine.contains(&code)) {
        true => Ok(ended.text),
        false => Err(format!("'{}': {}", command.join(" "), ended.how).into()),
    }
}

/// A client that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What it said on standard output.
    pub(crate) text: String,
    /// The processor time that it took, with its threads and children.
    pub(crate) processor_time: Duration,
    /// How it ended, in words, with the end of what it said on standard error.
    pub(crate) how: String,
    status: ExitStatus,
}

/// Runs a client to its end.
///
/// # Errors
/// When it cannot be started, or does not end.
pub(crate) fn run(testbed: &Testbed, command: &[String]) -> Result<Ended, Failure> {
    let words = command.join(" ");
    let used = || -> Result<Duration, Failure> {
        let ended = usage(Who::EndedChildren)
            .map_err(|error| format!("cannot read what children used: {error}"))?;
        Ok(ended.user + ended.system)
    };
    let before = used()?;
    let mut process =
        Process::start(command, Placement::on(&[testbed.cores.client])).map_err(|error| {
            let program = command.first().map_or("", String::as_str);
            format!(
                "cannot start {program}: {error}; scripts/install-peers installs what is not ours"
            )
        })?;
    let lines = process
        .rest(LIMIT, &testbed.interrupt)
        .map_err(|why| match why {
            NoLine::Interrupted => "interrupted".to_owned(),
            _ => format!("'{words}' did not end within {LIMIT:?}"),
        })?;
    let status = process.wait(Duration::from_secs(5));
    let errors = process.kill();
    let status = status.ok_or_else(|| format!("'{words}' did not end"))?;
    Ok(Ended {
        text: lines.join("\n"),
        processor_time: used()?.saturating_sub(before),
        how: describe(status, &errors),
        status,
    })
}

/// Whether a program is on the path.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// What wrk says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wrk {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// And how many a second.
    pub(crate) requests_per_s: f64,
}

impl Wrk {
    /// Keeps `connections` busy for so many seconds.
    ///
    /// # Errors
    /// When it fails, or any answer was not what it should be.
    pub(crate) fn run(
        testbed: &Testbed,
        connections: u64,
        seconds: u64,
        url: &str,
    ) -> Result<Self, Failure> {
        let command = [
            "wrk".to_owned(),
            "-t1".to_owned(),
            format!("-c{connections}"),
            format!("-d{seconds}s"),
            url.to_owned(),
        ];
        let text = output(testbed, &command, &[0])?;
        Self::parse(&text).map_err(|what| format!("'{}': {what}", command.join(" ")).into())
    }

    /// Reads its summary, of which a part looks like
    ///
    /// ```text
    ///   270190 requests in 2.10s, 338.58MB read
    /// Requests/sec: 128661.31
    /// ```
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = text
            .lines()
            .find(|line| line.contains("Non-2xx") || line.contains("Socket errors"));
        if let Some(wrong) = wrong {
            return Err(format!("not all was answered well: {}", wrong.trim()));
        }
        let requests = text
            .lines()
            .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok());
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok());
        match (requests, rate) {
            (Some(0), _) => Err("nothing was answered".to_owned()),
            (Some(requests), Some(requests_per_s)) => Ok(Self {
                requests,
                requests_per_s,
            }),
            _ => Err(format!("no summary is in '{}'", text.trim())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_answered_if_every_request_was() {
        let text = |completed: u64, failed: u64| {
            format!(
                r#"{{"schema":"archbench.load/1","requests":{{"completed":{completed},"errors_total":{failed}}}}}"#
            )
        };
        assert_eq!(answered(&text(7, 0)), Ok(Answered { requests: 7 }));
        for (completed, failed) in [(7, 1), (0, 0)] {
            let what = answered(&text(completed, failed)).unwrap_err();
            assert!(what.contains("were answered and"), "{what}");
        }
        assert!(
            answered("no report")
                .unwrap_err()
                .contains("cannot be read")
        );
    }

    const WRK: &str = "Running 2s test @ http://127.0.0.1:8601/1k.txt
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   478.02us   80.32us   2.64ms   88.67%
    Req/Sec   129.33k     3.54k  133.97k    80.95%
  270190 requests in 2.10s, 338.58MB read
Requests/sec: 128661.31
Transfer/sec:    161.23MB
";

    #[test]
    fn what_wrk_says_is_read() {
        let wrk = Wrk::parse(WRK).unwrap();
        assert_eq!((wrk.requests, wrk.requests_per_s), (270_190, 128_661.31));
    }

    #[test]
    fn what_wrk_complains_of_is_told() {
        let with = |line: &str| Wrk::parse(&format!("{WRK}{line}\n")).unwrap_err();
        assert!(with("  Non-2xx or 3xx responses: 7").contains("responses: 7"));
        assert!(with("  Socket errors: connect 0, read 3, write 0, timeout 0").contains("read 3"));
        let none = WRK.replace("270190", "0");
        assert!(Wrk::parse(&none).unwrap_err().contains("nothing"));
        assert!(
            Wrk::parse("unable to connect")
                .unwrap_err()
                .contains("unable")
        );
    }
}
