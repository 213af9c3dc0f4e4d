//! One run of several processes, as launchers start them: by hand, by Open MPI's mpirun, by Slurm's srun, by ssh, and each on a host of its own.
//!
//! Whether figures may be believed depends on who else uses the machine; what is held here does not: who answered what, and what is said of
//! which part.

mod elsewhere;
mod hosts;
mod launched;
mod processes;
mod slurm;
mod ssh;

use contracts::load::{Finding, PartState, Report, Rule};
use contracts::{Document, Line, serve};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// Starts part `number` of four of the run `a`, by a command that may begin with a launcher.
fn start_part(launcher: &[&str], url: &str, home: &Path, number: u32, more: &[&str]) -> Child {
    let share = format!("{number}/4");
    let home = home.display().to_string();
    let own = ["--share", &share, "--run-id", "a", "--out-dir", &home];
    let words = load(url, &[&own, more].concat());
    let launcher = launcher.iter().map(|word| (*word).to_owned());
    let words: Vec<_> = launcher.chain(words).collect();
    Command::new(&words[0])
        .args(&words[1..])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a part")
}

/// Waits until a part of the run `a` has written its first second, or a minute.
fn wait_for_first_second(home: &Path, number: u32) {
    let file = home.join(format!("a.{number}-of-4.running"));
    let written = || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("\"second\""));
    let end = Instant::now() + Duration::from_secs(60);
    while !written() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the clock shows, in seconds since 1970.
fn unix_s() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a date").as_secs_f64()
}

/// Everything that was due was answered, and of parts nothing is said but that they were late, as on a machine that has time for nobody.
fn assert_whole(merged: &Report) {
    let told = of_parts(merged);
    let is_whole = |part: &contracts::load::Part| part.state == PartState::Whole;
    assert_eq!(merged.parts.len(), 4);
    assert!(merged.parts.iter().all(is_whole), "{told:?}");
    assert!(told.iter().all(|finding| finding.rule == Rule::PartLate));
    assert_eq!(merged.requests.completed, merged.requests.scheduled);
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
