//! A run that is stopped at any moment, in any way, goes on from there.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::{ARCHBENCH, STAND_IN, Sandbox, signal, wait, wait_until};

/// Stops a run over and over, each time a little later, and then lets it end.
fn stopped_over_and_over(how: &[Signal]) {
    let sandbox = Sandbox::new();
    let mut trials = 0;
    for number in 0..12 {
        let mut child = sandbox.start();
        std::thread::sleep(Duration::from_millis(number * 37 % 400));
        for one in how {
            signal(&child, *one);
            std::thread::sleep(Duration::from_millis(5));
        }
        wait(&mut child);
        sandbox.check_servers();
        // What there is can be read, and nothing of it is lost again.
        for folder in sandbox.folders() {
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
    let output = sandbox.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", crate::said(&output));
    let folders = sandbox.folders();
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
fn ctrl_c_is_heard_by_all_though_a_shell_had_it_ignored() {
    let sandbox = Sandbox::new();
    sandbox.script(
        "serve",
        r#"grep SigIgn: /proc/$$/status >> "$home/ignored""#,
    );
    let mut child = started_by_a_shell_that_ignores_it(&sandbox);
    sandbox.wait_for("loads", 1);
    signal(&child, Signal::INT);
    assert_eq!(wait(&mut child).code(), Some(130));
    sandbox.check_servers();
    let ignored = sandbox.lines("ignored").remove(0);
    let ignored = u64::from_str_radix(ignored["SigIgn:".len()..].trim(), 16).expect("a mask");
    assert_eq!(ignored & 1 << (Signal::INT.as_raw() - 1), 0, "{ignored:x}");
}

#[test]
fn by_a_kill() {
    stopped_over_and_over(&[Signal::KILL]);
}

/// As a shell that is no terminal's starts what is in its background.
fn started_by_a_shell_that_ignores_it(sandbox: &Sandbox) -> Child {
    let run = sandbox.command(&[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", r#"trap '' INT; exec "$0" "$@""#])
        .arg(run.get_program())
        .args(run.get_args())
        .env("XDG_CACHE_HOME", sandbox.at("cache"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    shell.spawn().expect("it runs")
}

#[test]
fn ctrl_c_is_heard_while_files_are_made() {
    stopped_while_files_are_made(Sandbox::start);
    stopped_while_files_are_made(started_by_a_shell_that_ignores_it);
}

fn stopped_while_files_are_made(start: impl Fn(&Sandbox) -> Child) {
    let sandbox = Sandbox::new();
    // So many that nobody has made them before the signal comes.
    let text = std::fs::read_to_string(sandbox.at("x.toml")).expect("there");
    std::fs::write(
        sandbox.at("x.toml"),
        text.replace("single:1k", "uniform:200000:1"),
    )
    .expect("written");
    let mut child = start(&sandbox);
    let made = || {
        let sets = std::fs::read_dir(sandbox.at("cache").join("archbench"));
        let set = sets.into_iter().flatten().flatten().next()?;
        set.path()
            .join(".archbench-files.partial")
            .exists()
            .then(|| set.path())
    };
    wait_until("the first files", || made().is_some());
    signal(&child, Signal::INT);
    wait(&mut child);
    assert!(made().is_some(), "it ended before they were all made");
    assert!(sandbox.folders().is_empty());
}

#[test]
fn it_says_where_it_was_and_how_to_go_on() {
    let sandbox = Sandbox::new();
    let child = sandbox
        .command(&[])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    sandbox.wait_for("loads", 2);
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("of 6 trials") && said.contains("the same command goes on"),
        "{said}"
    );
    sandbox.check_servers();
    // Of another build it is not gone on with, and that is said.
    sandbox.script("archbench", &format!("{STAND_IN}\n"));
    let output = sandbox.run(&[]);
    assert_eq!(output.status.code(), Some(0));
    let said = crate::said(&output);
    assert!(
        said.contains("a new run begins, as") && said.contains("are others than they were"),
        "{said}"
    );
    assert!(said.contains("[1/6]") && said.contains("[6/6]"), "{said}");
}

#[test]
fn what_is_counted_is_trials_and_not_attempts() {
    let sandbox = Sandbox::new();
    // The second to come is disturbed, and made again; then comes Ctrl-C.
    sandbox.script(
        "load",
        "count=$(wc -l < \"$home/loads\")\n\
         test $count = 2 && { echo '{\"schema\":\"archbench.load/1\",\"verdict\":\"INVALID\",\"reasons\":[]}'; exit 4; }\n\
         test $count = 4 && sleep 100\n",
    );
    let mut command = sandbox.command(&["--fresh"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it runs");
    sandbox.wait_for("loads", 4);
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    let lines: Vec<_> = crate::said(&output)
        .lines()
        .filter_map(|line| line.split_once(' ').map(|(number, _)| number.to_owned()))
        .collect();
    assert_eq!(lines, ["[1/6]", "[2/6]", "[2/6]"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("stopped after 2 of 6 trials") && said.contains("without --fresh goes on"),
        "{said}"
    );
}

#[test]
fn a_server_of_a_killed_run_is_a_real_one_that_ends_too() {
    let sandbox = Sandbox::new();
    // Told to serve for real, in place of the script.
    sandbox.script("serve", &format!("exec {ARCHBENCH} \"$@\"\n"));
    sandbox.script("load", "sleep 100\n");
    let text = std::fs::read_to_string(sandbox.at("x.toml")).expect("there");
    std::fs::write(
        sandbox.at("x.toml"),
        text.replace("['one', 'two', 'three']", "['mp']"),
    )
    .expect("written");
    let mut child = sandbox.start();
    sandbox.wait_for("loads", 1);
    signal(&child, Signal::KILL);
    wait(&mut child);
    sandbox.check_servers();
}

#[test]
fn what_a_killed_run_leaves_on_its_hosts_is_found_and_ended() {
    if let Err(why) = network::available() {
        return println!("skipped: {why}");
    }
    let sandbox = Sandbox::new();
    sandbox.script("serve", &format!("exec {ARCHBENCH} \"$@\"\n"));
    // It is killed along with the run, and whoever it has started is not.
    sandbox.script("load", "sleep 100 &\nwait\n");
    let text = std::fs::read_to_string(sandbox.at("x.toml")).expect("there");
    let on_hosts = "['mp']\nnetwork = { kind = 'veth' }";
    std::fs::write(
        sandbox.at("x.toml"),
        text.replace("['one', 'two', 'three']", on_hosts),
    )
    .expect("written");
    let mut child = sandbox.start();
    sandbox.wait_for("loads", 1);
    let maker = child.id();
    let left = || {
        network::leftovers()
            .into_iter()
            .find(|left| left.maker == maker)
    };
    assert_eq!(left(), None, "it is still at work");
    signal(&child, Signal::KILL);
    wait(&mut child);
    sandbox.check_servers();
    wait_until("what was started ends not", || {
        left().is_some_and(|left| left.processes.len() == 1)
    });
    let doctor = std::process::Command::new(ARCHBENCH).arg("doctor").output();
    let doctor = doctor.expect("it runs");
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(said.contains(&format!("(process {maker})")), "{said}");
    assert!(said.contains("it is removed"), "{said}");
    assert_eq!(left(), None);
}
