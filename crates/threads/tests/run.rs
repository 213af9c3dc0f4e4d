//! A short run of each experiment: every kind of thread does its work, and what it did is in the folder.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::process::Command;

#[test]
fn every_kind_of_thread_passes_something_and_the_folder_says_how_much() {
    let results = tempfile::tempdir().unwrap();
    for (experiment, threads) in [
        ("capriccio-threads", [2, 20, 200]),
        ("capriccio-idle", [1, 100, 100]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_threads"));
        command.args(["run", experiment, "--repeats", "1", "--duration", "20ms"]);
        command
            .args(["--at-most", "200", "--results"])
            .arg(results.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{output:?}");
        let folder = said
            .lines()
            .last()
            .unwrap()
            .strip_prefix("results  ")
            .unwrap();
        let run = results::read(folder.as_ref()).unwrap();
        assert_eq!(run.manifest.name, experiment);
        for kind in ["fibers", "kernel", "tasks"] {
            for threads in threads {
                let is_it = |trial: &&contracts::results::Trial| {
                    trial.level("model") == kind
                        && trial.level("connections") == threads.to_string()
                };
                let trial = run.trials.iter().find(is_it).unwrap();
                let load = trial.load.as_ref().unwrap();
                assert!(load.requests.completed > Some(0), "{kind} {threads}");
            }
        }
    }
}

/// More threads than a process has room for: the trial has no figures, and says at what it ended.
#[test]
fn where_an_axis_ends_is_said() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threads"));
    command.args([
        "trial",
        "--kind",
        "kernel",
        "--workload",
        "token",
        "--threads",
        "1000000000",
    ]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{output:?}");
    assert!(said.contains("vm.max_map_count"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
