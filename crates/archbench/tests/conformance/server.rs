//! The built binary, serving.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use contracts::Document;
use contracts::models::Models;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::{Client, PATIENCE};
use crate::hosts;
use crate::room::Room;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_archbench");

/// What the binary says of all models, or of the one that is named.
pub(crate) fn listed(model: &[&str]) -> Vec<contracts::models::Model> {
    let output = Command::new(BINARY)
        .args(["models", "--output-format", "json"])
        .args(model)
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let models = Models::parse(&text).unwrap_or_else(|problem| panic!("{problem}: {text}"));
    models.models
}

/// A user of whom there are no processes, for root: one for each call.
pub(crate) fn stranger() -> Option<u32> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Relaxed);
    rustix::process::getuid()
        .is_root()
        .then(|| 1_000_000 + std::process::id() * 1000 + number)
}

/// A server to be started.
pub(crate) struct Recipe {
    command: Command,
    address: String,
    has_own_stack: bool,
}

impl Recipe {
    pub(crate) fn new(room: &Room, root: &Path) -> Self {
        Self::of(Command::new(BINARY), room, root)
    }

    /// As [`new`](Self::new), with at most so many descriptors (`n`) or threads of its user (`u`), hard limit included.
    pub(crate) fn with_limit(of: char, limit: u32, room: &Room, root: &Path) -> Self {
        // Not every `sh` knows all limits.
        let mut shell = Command::new("bash");
        shell
            .arg("-c")
            .arg(format!("ulimit -{of} {limit}; exec \"$0\" \"$@\""))
            .arg(BINARY);
        Self::of(shell, room, root)
    }

    fn of(mut command: Command, room: &Room, root: &Path) -> Self {
        command.args([
            "serve",
            "--model",
            room.name(),
            "--output-format",
            "json",
            "--root",
        ]);
        command
            .arg(root)
            .args(room.variant())
            // What a defect says is looked at, and where it was would take it longer than to serve on.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            address: hosts::address(),
            has_own_stack: room.has_own_stack(),
        }
    }

    /// Started by another program, which is told the command line behind its own arguments.
    pub(crate) fn started_by(self, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(BINARY)
            .args(self.command.get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command, ..self }
    }

    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        options: impl IntoIterator<Item = S>,
    ) -> Self {
        self.command.args(options);
        self
    }

    /// Serves as somebody who shares nothing with anybody, if whoever tests may arrange that; what is served must be for
    /// all to read.
    pub(crate) fn for_a_stranger(self) -> Self {
        match stranger() {
            Some(stranger) => self.args(["--user", &format!("{stranger}:{stranger}")]),
            None => self,
        }
    }

    /// Serves at another address than the usual one, and not at any port.
    pub(crate) fn at(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// The command line, for a server that may not start.
    pub(crate) fn into_command(mut self) -> Command {
        self.command.args(["--addr", &self.address]);
        hosts::place(&mut self.command);
        self.command
    }

    pub(crate) fn start(self) -> Server {
        let has_own_stack = self.has_own_stack;
        let mut child = self.into_command().spawn().expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut err = child.stderr.take().expect("piped");
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = err.read_to_string(&mut text);
            text
        });
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        if line.is_empty() {
            let status = child.wait();
            panic!(
                "no ready line; {status:?}: {}",
                complaints.join().unwrap_or_default()
            );
        }
        let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let address = ready["address"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("an address");
        Server {
            child,
            out,
            complaints: Some(complaints),
            address,
            has_own_stack,
            ready,
        }
    }
}

/// A server that runs. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<String>>,
    pub(crate) address: SocketAddr,
    has_own_stack: bool,
    pub(crate) ready: Value,
}

impl Server {
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the server is there");
    }

    pub(crate) fn signal_all(&self, signal: Signal) {
        for process in self.processes() {
            // It may be gone by now.
            let _ = kill_process(process, signal);
        }
    }

    /// Its own process and the ones that it has made.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let own = self.pid();
        let children =
            std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", own.as_raw_nonzero()));
        let children = children.unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
        std::iter::once(own).chain(children).collect()
    }

    /// Resident memory in bytes that is no file's, of the largest of its processes.
    pub(crate) fn memory(&self) -> u64 {
        let of = |pid: &Pid| -> u64 {
            let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))
                .unwrap_or_default();
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("RssAnon:"));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok())
                .unwrap_or(0_u64)
        };
        self.processes().iter().map(of).max().unwrap_or(0) << 10
    }

    /// Processor time so far, of all its processes.
    pub(crate) fn cpu(&self) -> Duration {
        let ticks = |pid: &Pid| -> u64 {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
                .unwrap_or_default();
            let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            fields
                .skip(11)
                .take(2)
                .filter_map(|field| field.parse::<u64>().ok())
                .sum()
        };
        let per_second = rustix::param::clock_ticks_per_second();
        Duration::from_millis(self.processes().iter().map(ticks).sum::<u64>() * 1000 / per_second)
    }

    /// Open descriptors of its own process.
    pub(crate) fn descriptors(&self) -> usize {
        descriptors(self.pid())
    }

    /// Open descriptors, of all its processes.
    pub(crate) fn all_descriptors(&self) -> usize {
        self.processes().into_iter().map(descriptors).sum()
    }

    /// Open sockets, of all its processes; where they are none of the kernel's, what its clients' kernel takes for such.
    pub(crate) fn sockets(&self) -> usize {
        if self.has_own_stack {
            return hosts::connections(self.address);
        }
        let of = |pid: &Pid| -> usize {
            let open = std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()));
            let links = open
                .into_iter()
                .flatten()
                .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
            links
                .filter(|link| link.to_string_lossy().starts_with("socket:"))
                .count()
        };
        self.processes().iter().map(of).sum()
    }

    /// Open sockets, once there are no more and no fewer for a while: workers may still be on their way.
    pub(crate) fn sockets_at_rest(&self) -> usize {
        let mut last = (self.sockets(), Instant::now());
        while last.1.elapsed() < Duration::from_millis(100) {
            std::thread::sleep(Duration::from_millis(5));
            let now = self.sockets();
            if now != last.0 {
                last = (now, Instant::now());
            }
        }
        last.0
    }

    /// Tells it to stop, and returns its summary.
    pub(crate) fn stop(self) -> Value {
        self.signal(Signal::TERM);
        self.summary()
    }

    /// Waits for it to end in good order, and returns its summary.
    pub(crate) fn summary(self) -> Value {
        let (status, out) = self.end();
        assert_eq!(status.code(), Some(0), "{out}");
        summary_in(&out)
    }

    /// Waits for it to end, and returns its status and what it printed since it was ready.
    pub(crate) fn end(self) -> (ExitStatus, String) {
        let (status, out, complaints) = self.end_with_complaints();
        assert!(!complaints.contains("panicked"), "{complaints}");
        (status, out)
    }

    /// Tells it to stop, though something in it has panicked, and returns its summary.
    pub(crate) fn stop_after_panics(self) -> Value {
        self.signal(Signal::TERM);
        let (status, out, complaints) = self.end_with_complaints();
        assert_eq!(status.code(), Some(0), "{out}{complaints}");
        summary_in(&out)
    }

    /// Waits for it to end, and returns its status, what it printed since it was ready, and what it complained of.
    pub(crate) fn end_with_complaints(mut self) -> (ExitStatus, String, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(Instant::now() < deadline, "the server has not ended");
            std::thread::sleep(Duration::from_millis(2));
        };
        let mut out = String::new();
        self.out.read_to_string(&mut out).expect("text");
        let complaints = self.complaints.take().map(JoinHandle::join);
        let complaints = complaints.and_then(Result::ok).unwrap_or_default();
        (status, out, complaints)
    }
}

fn descriptors(process: Pid) -> usize {
    let directory = format!("/proc/{}/fd", process.as_raw_nonzero());
    std::fs::read_dir(directory)
        .map(Iterator::count)
        .unwrap_or(0)
}

fn summary_in(out: &str) -> Value {
    let line = out.lines().last().unwrap_or_else(|| panic!("no summary"));
    let summary: Value = serde_json::from_str(line).expect("the summary is JSON");
    assert_eq!(summary["event"], "summary");
    summary
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // Workers first: whoever is killed cannot tell his own.
        for process in self.processes().into_iter().rev() {
            let _ = kill_process(process, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
