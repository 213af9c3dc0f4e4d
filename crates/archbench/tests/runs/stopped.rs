//! A run that is stopped at any moment, in any way, goes on from there.

use std::time::Duration;

use rustix::process::Signal;

use crate::{ARCHBENCH, Stage, signal, wait};

/// Stops a run over and over, each time a little later, and then lets it end.
fn stopped_over_and_over(how: &[Signal]) {
    let stage = Stage::new();
    let mut trials = 0;
    for number in 0..12 {
        let mut child = stage.start();
        std::thread::sleep(Duration::from_millis(number * 37 % 400));
        for one in how {
            signal(&child, *one);
            std::thread::sleep(Duration::from_millis(5));
        }
        wait(&mut child);
        stage.check_servers();
        // What there is can be read, and nothing of it is lost again.
        for folder in stage.folders() {
            let run = results::read(&folder).unwrap_or_else(|error| panic!("{error}"));
            assert!(
                run.trials.len() >= trials,
                "{} trials, and there were {trials}",
                run.trials.len()
            );
            assert!(
                run.trials.iter().all(|trial| trial.failure.is_none()),
                "a stopped trial is none"
            );
            trials = run.trials.len();
            if run.verdicts.is_some() {
                return;
            }
        }
    }
    let output = stage.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", crate::said(&output));
    let folders = stage.folders();
    assert_eq!(folders.len(), 1, "it went on where it was");
    let run = results::read(&folders[0]).expect("readable");
    assert_eq!((run.trials.len(), run.is_complete()), (6, true));
    assert!(run.verdicts.is_some());
}

#[test]
fn by_ctrl_c() {
    stopped_over_and_over(&[Signal::INT]);
}

#[test]
fn by_ctrl_c_twice() {
    stopped_over_and_over(&[Signal::INT, Signal::INT]);
}

#[test]
fn by_a_kill() {
    stopped_over_and_over(&[Signal::KILL]);
}

#[test]
fn it_says_where_it_was_and_how_to_go_on() {
    let stage = Stage::new();
    let child = stage
        .command(&[])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    stage.wait_for("loads", 2);
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("of 6 trials") && said.contains("the same command goes on"),
        "{said}"
    );
    stage.check_servers();
}

#[test]
fn a_server_of_a_killed_run_is_a_real_one_that_ends_too() {
    let stage = Stage::new();
    // Told to serve for real, in place of the script.
    stage.script("serve", &format!("exec {ARCHBENCH} \"$@\"\n"));
    stage.script("load", "sleep 100\n");
    let text = std::fs::read_to_string(stage.at("x.toml")).expect("there");
    std::fs::write(
        stage.at("x.toml"),
        text.replace("['one', 'two', 'three']", "['mp']"),
    )
    .expect("written");
    let mut child = stage.start();
    stage.wait_for("loads", 1);
    signal(&child, Signal::KILL);
    wait(&mut child);
    stage.check_servers();
}
