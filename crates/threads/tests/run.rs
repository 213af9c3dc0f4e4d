//! A short run of each experiment: every kind of thread does its work, and what it did is in the folder.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../bench-configs/threads/{name}.toml"))
}

fn threads(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threads"));
    command.args(arguments).output().unwrap()
}

/// Runs an experiment, each cell once and shortly, with so many threads at the most.
fn run(config: &Path, at_most: &str, duration: &str) -> results::Run {
    let folder = tempfile::tempdir().unwrap();
    let output = threads(&[
        "run",
        config.to_str().unwrap(),
        "--repeats",
        "1",
        "--duration",
        duration,
        "--at-most",
        at_most,
        "--results",
        folder.path().to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = said.lines().last().unwrap();
    results::read(Path::new(last.strip_prefix("results  ").unwrap())).unwrap()
}

/// What was done in a cell.
#[track_caller]
fn completed(run: &results::Run, levels: &[(&str, &str)]) -> u64 {
    let is_it = |trial: &&contracts::results::Trial| {
        levels
            .iter()
            .all(|(factor, level)| trial.level(factor) == *level)
    };
    let trial = run.trials.iter().find(is_it);
    let trial = trial.unwrap_or_else(|| panic!("no {levels:?}"));
    let load = trial.load.as_ref();
    let load = load.unwrap_or_else(|| panic!("{:?}", trial.failure));
    load.requests.completed.unwrap()
}

#[test]
fn every_kind_of_thread_passes_something_and_the_folder_says_how_much() {
    for (experiment, loads) in [
        ("capriccio-threads", &["2", "20", "200"][..]),
        ("capriccio-idle", &["1", "100"]),
    ] {
        let run = run(&shipped(experiment), "200", "20ms");
        assert_eq!(run.manifest.name, experiment);
        for kind in ["fibers", "kernel", "tasks"] {
            for load in loads {
                let done = completed(&run, &[("model", kind), ("connections", load)]);
                assert!(done > 0, "{kind} {load}");
            }
        }
    }
}

/// The experiment with only those of its disks that there are here.
fn with_disks(name: &str, folder: &Path) -> (PathBuf, bool) {
    let has_disk = disk::available().is_ok();
    let text = std::fs::read_to_string(shipped(name)).unwrap();
    let options = |line: &&str| has_disk || !line.starts_with("options");
    let path = folder.join(format!("{name}.toml"));
    let text: Vec<_> = text.lines().filter(options).collect();
    // Tasks read as well, though they are no question of the paper's.
    let text = text
        .join("\n")
        .replace("\"kernel\"]", "\"kernel\", \"tasks\"]");
    std::fs::write(&path, text).unwrap();
    if !has_disk {
        eprintln!("in memory only: no disk can be mounted here");
    }
    (path, has_disk)
}

#[test]
fn every_kind_of_thread_reads_from_every_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (config, has_disk) = with_disks("capriccio-disk", folder.path());
    let run = run(&config, "16", "100ms");
    for kind in ["fibers", "fibers-inline", "kernel", "tasks"] {
        let reads = |disk, threads| {
            completed(
                &run,
                &[("model", kind), ("disk", disk), ("connections", threads)],
            )
        };
        for disk in ["memory", "arms-1", "arms-4", "arms-16"] {
            assert!(
                reads(disk, "1") > 0 && reads(disk, "16") > 0,
                "{kind} {disk}"
            );
        }
        if has_disk {
            // Whoever waits for an arm reads less than whoever waits for nobody.
            assert!(reads("memory", "1") > reads("arms-1", "1"), "{kind}");
        }
    }
}

#[test]
fn requests_come_at_a_rate_and_are_answered_refused_or_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = with_disks("capriccio-overload", folder.path());
    let run = run(&config, "250", "200ms");
    for kind in ["fibers", "fibers-resource"] {
        assert!(completed(&run, &[("model", kind), ("rate", "250")]) > 0);
    }
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = shipped("capriccio-disk");
    let results = folder.path().to_str().unwrap();
    let output = threads(&[
        "run",
        config.to_str().unwrap(),
        "--dry-run",
        "--results",
        results,
    ]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(
        said.contains("fibers-inline, 256 threads, arms-4\n"),
        "{said}"
    );
    assert!(said.contains("48 cells, 3 repeats, about 100 s"), "{said}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn what_is_wrong_with_an_experiment_is_said_with_its_file() {
    let output = threads(&["run", "no/such.toml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no/such.toml: cannot be read"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// More threads than a process has room for: the trial has no figures, and says at what it ended.
#[test]
fn where_an_axis_ends_is_said() {
    let output = threads(&[
        "trial",
        "--kind",
        "kernel",
        "--workload",
        "token",
        "--threads",
        "1000000000",
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{output:?}");
    assert!(said.contains("vm.max_map_count"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
