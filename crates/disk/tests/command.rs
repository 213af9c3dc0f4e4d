//! `archbench disk` as a process: what it prints, how it ends, and what it says of a dead mount.
//!
//! With `disk` as its first argument, this program is the command.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, FromArgMatches};
use disk::cli::Arguments;
use rustix::process::{Pid, Signal, kill_process};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("disk") {
        let command = Arguments::augment_args(clap::Command::new("disk"));
        let matches = command.get_matches_from(std::env::args().skip(1));
        return disk::run(&Arguments::from_arg_matches(&matches).unwrap());
    }
    if let Err(reason) = disk::available() {
        println!("skipped: {reason}");
        return ExitCode::SUCCESS;
    }
    bad_directories_are_explained();
    a_signal_unmounts_and_a_summary_follows();
    a_disk_that_somebody_else_unmounts_ends();
    a_second_signal_ends_at_once();
    a_dead_mount_is_explained();
    println!("the command: all is well");
    ExitCode::SUCCESS
}

struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
    ready: String,
    mountpoint: PathBuf,
    _place: tempfile::TempDir,
}

impl Process {
    fn start(format: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let (root, mountpoint) = (place.path().join("root"), place.path().join("disk"));
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("file"), b"0123456789").unwrap();
        let mut child = command(&root, &mountpoint)
            .args(["--seek", "1ms", "--output-format", format])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        Self {
            child,
            out,
            ready,
            mountpoint,
            _place: place,
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    fn end(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }

    fn file(&self) -> PathBuf {
        self.mountpoint.join("file")
    }
}

fn command(root: &Path, mountpoint: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("disk").arg(root).arg(mountpoint);
    command
}

fn complaint(root: &Path, mountpoint: &Path) -> String {
    let output = command(root, mountpoint).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

fn unmount(mountpoint: &Path) {
    let as_root = rustix::mount::unmount(mountpoint, rustix::mount::UnmountFlags::DETACH);
    if as_root.is_err() {
        let mut helper = Command::new("fusermount3");
        assert!(helper.arg("-u").arg(mountpoint).status().unwrap().success());
    }
}

fn a_signal_unmounts_and_a_summary_follows() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut disk = Process::start("json");
        let ready: serde_json::Value = serde_json::from_str(&disk.ready).unwrap();
        assert_eq!(ready["event"], "ready");
        assert_eq!(std::fs::read(disk.file()).unwrap(), b"0123456789");
        disk.signal(signal);
        let (status, summary) = disk.end();
        assert_eq!(status, Some(0));
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        assert_eq!(summary["event"], "summary");
        assert_eq!(summary["reads"]["count"], 1);
        assert_eq!(summary["reads"]["bytes"], 10);
        assert!(!disk.file().exists());
    }
    let mut disk = Process::start("text");
    assert!(disk.ready.contains("seek 1 ms constant"), "{}", disk.ready);
    disk.signal(Signal::TERM);
    let (status, summary) = disk.end();
    assert_eq!(status, Some(0));
    assert!(summary.contains("arms busy"), "{summary}");
}

fn a_disk_that_somebody_else_unmounts_ends() {
    let mut disk = Process::start("json");
    unmount(&disk.mountpoint);
    let (status, summary) = disk.end();
    assert_eq!(status, Some(0));
    assert!(summary.contains("summary"));
}

fn a_second_signal_ends_at_once() {
    let mut disk = Process::start("json");
    // While it is in use, the first signal is not yet the end.
    let _open = File::open(disk.file()).unwrap();
    disk.signal(Signal::TERM);
    let patience = Instant::now() + Duration::from_secs(20);
    while disk.file().exists() && Instant::now() < patience {
        std::thread::yield_now();
    }
    disk.signal(Signal::INT);
    let (status, _) = disk.end();
    assert_eq!(status, Some(130));
}

fn a_dead_mount_is_explained() {
    let mut disk = Process::start("json");
    disk.signal(Signal::KILL);
    disk.end();
    let root = disk.mountpoint.with_file_name("root");
    let complaint = complaint(&root, &disk.mountpoint);
    assert!(complaint.contains("dead FUSE mount"), "{complaint}");
    assert!(complaint.contains("fusermount3 -u"), "{complaint}");
    unmount(&disk.mountpoint);
}

fn bad_directories_are_explained() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    let complaint = complaint(&path.join("missing"), &path.join("disk"));
    assert!(complaint.contains("contents of the disk"), "{complaint}");
}
