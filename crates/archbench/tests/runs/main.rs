//! Runs in which something goes wrong: the server, the disk, or the patience of whoever started them.
//!
//! `archbench run` is the real one. What it serves and loads with is a script, which is as fast or as slow, as dead or as deaf as a
//! test needs it; where it matters, the script hands over to the real one.

mod documents;
#[path = "../../../lab/tests/executable/mod.rs"]
mod executable;
mod faults;
mod folder;
mod stopped;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use executable::write_executable;

const ARCHBENCH: &str = env!("CARGO_BIN_EXE_archbench");

/// How long anything may take before a test gives it up.
const LONG: Duration = Duration::from_secs(60);

/// Serves nothing and loads nothing, a tenth of a second a trial. `$home/serve` and `$home/load`, if there are such scripts, say what
/// else is done.
const STAND_IN: &str = r#"#!/bin/sh
home=$(dirname "$0")
case "$1" in
models) echo '{"schema":"archbench.models/1","version":"9.9.9","models":[{"name":"one","summary":"serves nothing"}]}' ;;
serve)
  case "$*" in *--help*) exit 0 ;; esac
  trap 'echo "{\"event\":\"summary\",\"requests\":100}"; exit 0' TERM
  echo $$ >> "$home/servers"
  test -e "$home/serve" && . "$home/serve"
  echo '{"event":"ready","address":"127.0.0.1:1"}'
  while :; do sleep 0.02; done ;;
load)
  echo x >> "$home/loads"
  test -e "$home/load" && . "$home/load"
  sleep 0.1
  echo '{"schema":"archbench.load/1","verdict":"VALID","reasons":[],"run":{"model":{"name":"closed"}},'
  echo '"requests":{"completed":9,"censored":0,"errors_total":0,"error_percent":0},"throughput":{"requests_per_s":9},"service_time_us":{"p99":9}}' ;;
esac
"#;

/// A place with an experiment of six trials and a stand-in for what it drives.
struct Sandbox {
    home: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        Self::of(
            "['one', 'two', 'three']",
            "duration = '10ms'\nwarm_up = '0'\nrepeats = 2\n",
        )
    }

    fn of(models: &str, more: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let sandbox = Self { home };
        sandbox.script("archbench", STAND_IN);
        let text = format!(
            "name = 'x'\nquestion = 'Is it?'\nfiles = 'single:1k'\nmodels = {models}\ntimeout = '1s'\n{more}\
             load = [{{ name = 'closed', connections = 2 }}]\n"
        );
        fs::write(sandbox.at("x.toml"), text).expect("written");
        sandbox
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn script(&self, name: &str, text: &str) {
        write_executable(&self.at(name), text);
    }

    /// `archbench run` of it, with these arguments too.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(ARCHBENCH);
        command
            .arg("run")
            .arg(self.at("x.toml"))
            .arg("--results")
            .arg(self.at("results"))
            .arg("--archbench")
            .arg(self.at("archbench"))
            .args(arguments)
            .env("XDG_CACHE_HOME", self.at("cache"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    fn start(&self) -> Child {
        let command = &mut self.command(&[]);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs")
    }

    /// The folders that are of results.
    fn folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.at("results"))
            .into_iter()
            .flatten()
            .flatten();
        let folders = entries.map(|entry| entry.path());
        folders
            .filter(|path| path.join("manifest.json").exists())
            .collect()
    }

    /// The lines of a file that the stand-in writes.
    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.at(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until a server or a generator has been started so often.
    fn wait_for(&self, name: &str, lines: usize) {
        wait_until(&format!("{lines} {name}"), || {
            self.lines(name).len() >= lines
        });
    }

    /// No server is left behind, at the latest a moment after.
    fn check_servers(&self) {
        for server in self.lines("servers") {
            let stat = Path::new("/proc").join(&server).join("stat");
            let is_gone = || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z"));
            wait_until(&format!("server {server} ends"), is_gone);
        }
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within {LONG:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let end = Instant::now() + LONG;
    loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return status;
        }
        assert!(Instant::now() < end, "it does not end within {LONG:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    // It may have ended just now.
    let _ = rustix::process::kill_process(pid, signal);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
