//! One run of several processes, as launchers start them: by hand, by Open MPI's mpirun, and each on a host of its own.
//!
//! Whether figures may be believed depends on who else uses the machine; what is held here does not: who answered what, and what is said of
//! which part.

mod elsewhere;
mod hosts;
mod launched;
mod processes;

use contracts::load::{Finding, Report};
use contracts::{Document, Line, serve};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const ARCHBENCH: &str = env!("CARGO_BIN_EXE_archbench");

/// A server that ends with this value.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// A server at an address, started by a command that may begin with a launcher.
    fn start(launcher: &[&str], address: &str) -> Self {
        let words = [
            launcher,
            &[
                ARCHBENCH,
                "serve",
                "--model",
                "sped",
                "--addr",
                address,
                "--output-format",
                "json",
            ],
        ]
        .concat();
        let mut process = Command::new(words[0])
            .args(&words[1..])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let ready = serve::Ready::parse(&line).expect("a readiness line");
        Self {
            process,
            url: format!("http://{}", ready.address),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What every part is asked for: the same in every test.
fn load(url: &str, more: &[&str]) -> Vec<String> {
    let words = [
        ARCHBENCH,
        "load",
        url,
        "--files",
        "specweb99:4",
        "--quiet",
        "-c",
        "8",
    ];
    words
        .iter()
        .chain(more)
        .map(|word| (*word).to_owned())
        .collect()
}

/// What `archbench merge` makes of what is in a directory.
fn merge(directory: &Path) -> (Report, Option<i32>) {
    let output = Command::new(ARCHBENCH)
        .arg("merge")
        .arg(directory)
        .args(["--output-format", "json"])
        .output()
        .expect("merged");
    (report(&output), output.status.code())
}

fn report(output: &Output) -> Report {
    let text = String::from_utf8_lossy(&output.stdout);
    Report::parse(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// What is said of parts.
fn of_parts(report: &Report) -> Vec<&Finding> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| finding.rule.is_of_parts())
        .collect()
}

/// Whether a program is there.
fn is_there(program: &str) -> bool {
    let found = Command::new("sh")
        .args([
            "-c",
            &format!("PATH=$PATH:/usr/sbin:/sbin command -v {program}"),
        ])
        .stdout(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}
