//! A lab whose servers and generators are started by launchers, wherever those put them.

use super::hosts::Hosts;
use super::launched::MPIRUN;
use super::{ARCHBENCH, is_there};
use contracts::Validity;
use results::Run;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// An experiment of one trial, on hosts.
fn experiment(home: &Path, duration: &str, hosts: &str) -> Output {
    experiment_with(home, duration, hosts, &[])
}

/// The same with options of the command line.
pub(super) fn experiment_with(home: &Path, duration: &str, hosts: &str, more: &[&str]) -> Output {
    let text = format!(
        "name = 'elsewhere'\nquestion = 'Is it reached?'\nfiles = 'single:1k'\nmodels = ['sped']\nrepeats = 1\nattempts = 1\n\
         duration = '{duration}'\nwarm_up = '0'\ntimeout = '1s'\ncache = 'as-is'\n{hosts}\n\
         [[load]]\nname = 'open'\nconnections = 4\nrate = 200\narrival = 'poisson'\n"
    );
    std::fs::write(home.join("elsewhere.toml"), text).expect("written");
    Command::new(ARCHBENCH)
        .args(["run", "elsewhere.toml", "--results", "results"])
        .args(more)
        .current_dir(home)
        .output()
        .expect("a run")
}

pub(super) fn run(home: &Path, output: &Output) -> Run {
    let folders = std::fs::read_dir(home.join("results"))
        .into_iter()
        .flatten()
        .flatten();
    let folder = folders.map(|folder| folder.path()).next();
    let folder = folder.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    results::read(&folder).expect("a run")
}

/// The least launcher there is: it starts what is behind it.
#[test]
fn a_server_and_a_generator_that_launchers_start_are_measured_as_those_that_are_here() {
    let home = tempfile::tempdir().expect("a directory");
    let hosts = "[hosts.server]\nlaunch = 'env'\naddress = '127.0.0.1'\n[hosts.generators]\nlaunch = ['env', 'ELSEWHERE=1']\n";
    let output = experiment(home.path(), "1s", hosts);
    let run = run(home.path(), &output);
    let trial = &run.trials[0];
    assert_eq!(trial.failure, None);
    let completed = trial.load.as_ref().and_then(|load| load.requests.completed);
    assert!(
        completed.is_some_and(|completed| completed > 100),
        "{completed:?}"
    );
    let served = trial.server.as_ref().and_then(|server| server.requests);
    assert_eq!(served, completed);
    assert!(
        trial.samples.len() > 2 && trial.samples[0].at_s == 0.0,
        "{:?}",
        trial.samples
    );
    assert!(trial.hlog.is_some());
    let roles: Vec<_> = run
        .manifest
        .hosts
        .iter()
        .map(|host| host.role.as_str())
        .collect();
    assert_eq!(roles, ["server", "generators"]);
    assert!(
        run.manifest
            .hosts
            .iter()
            .all(|host| host.machine.kernel.starts_with("Linux "))
    );
    assert_eq!(
        trial.server_command[..2],
        ["env".to_owned(), ARCHBENCH.to_owned()]
    );
}

#[test]
fn launchers_on_the_command_line_stand_in_the_place_of_the_files() {
    let home = tempfile::tempdir().expect("a directory");
    let written = "[hosts.server]\nlaunch = 'archbench-no-such-launcher'\naddress = '127.0.0.1'\n";
    let typed = [
        "--server-launch",
        "env 'WHERE=over there'",
        "--generators-launch",
        "env 'A=b'",
    ];
    let output = experiment_with(home.path(), "1s", written, &typed);
    let run = run(home.path(), &output);
    assert_eq!(run.trials[0].failure, None);
    let launched: Vec<_> = run
        .manifest
        .hosts
        .iter()
        .map(|host| (host.role.as_str(), host.launch.join("|")))
        .collect();
    assert_eq!(
        launched,
        [
            ("server", "env|WHERE=over there".to_owned()),
            ("generators", "env|A=b".to_owned())
        ]
    );
    // The command that repeats it has them too.
    assert_eq!(run.manifest.command[3..], typed);
    let nowhere = experiment_with(home.path(), "1s", "", &["--server-launch", "env"]);
    let said = String::from_utf8_lossy(&nowhere.stderr);
    assert!(said.contains("--server-address"), "{said}");
}

#[test]
fn a_host_that_goes_away_fails_its_trial_with_the_reason() {
    let server =
        |launch: &str| format!("[hosts.server]\nlaunch = {launch}\naddress = '127.0.0.1'\n");
    let generators = |launch: &str| format!("[hosts.generators]\nlaunch = {launch}\n");
    // Each is ended after some seconds, with whatever it has started.
    let ended = "['timeout', '-s', 'KILL', '4']";
    for (hosts, step) in [
        (
            [server("'env'"), generators(ended)].concat(),
            "generating load",
        ),
        ([server(ended), generators("'env'")].concat(), "serving"),
    ] {
        let home = tempfile::tempdir().expect("a directory");
        let output = experiment(home.path(), "8s", &hosts);
        let run = run(home.path(), &output);
        let failure = run.trials[0].failure.as_ref().expect("it failed");
        assert_eq!(
            (failure.step.as_str(), run.trials[0].verdict),
            (step, Validity::Failed),
            "{failure:?}"
        );
        assert!(!failure.reason.is_empty());
    }
}

#[test]
fn a_host_that_is_not_reached_is_said_before_anything_is_measured() {
    let home = tempfile::tempdir().expect("a directory");
    for (launch, words) in [
        (
            "['archbench-no-such-launcher']",
            "archbench-no-such-launcher",
        ),
        ("['false']", "ended with status 1"),
    ] {
        let output = experiment(
            home.path(),
            "1s",
            &format!("[hosts.generators]\nlaunch = {launch}\n"),
        );
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!home.path().join("results").exists());
    }
}

#[test]
fn what_an_agent_has_started_ends_when_its_input_does() {
    let mut agent = Command::new(ARCHBENCH)
        .args([
            "agent",
            "--sample",
            "--",
            "sh",
            "-c",
            "echo $$; exec sleep 1000",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("an agent");
    let mut lines = BufReader::new(agent.stdout.take().expect("its output")).lines();
    let mut process = None;
    let mut sampled = false;
    while process.is_none() || !sampled {
        let line = lines.next().expect("a line").expect("text");
        match line.parse::<u32>() {
            Ok(id) => process = Some(id),
            Err(_) => sampled |= line.contains("\"event\":\"agent_sample\""),
        }
    }
    drop(agent.stdin.take());
    // 128 and SIGTERM.
    assert_eq!(agent.wait().expect("its end").code(), Some(143));
    let process = format!("/proc/{}", process.expect("an id"));
    let end = Instant::now() + Duration::from_secs(10);
    while Path::new(&process).exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!Path::new(&process).exists());
}

/// Two generators by one mpirun on one host, the server on another.
#[test]
fn generators_that_mpirun_starts_on_another_host_make_one_load() {
    if !is_there("mpirun") || !is_there("ip") {
        println!("skipped: it takes mpirun (openmpi-bin) and ip (iproute2)");
        return;
    }
    let Some(hosts) = Hosts::new() else { return };
    let there = |host: &str| ["ip", "netns", "exec", host].map(str::to_owned);
    // mpirun gives its input to the first process alone, if it is not told to.
    let by = ["--stdin", "all", "-n", "2"].map(str::to_owned);
    let launch: Vec<_> = MPIRUN
        .map(str::to_owned)
        .into_iter()
        .chain(by)
        .chain(there(&hosts.host(1)))
        .collect();
    let hosts = format!(
        "[hosts.server]\nlaunch = {:?}\naddress = '198.19.1.1'\n[hosts.generators]\nlaunch = {launch:?}\nshares = 2\n",
        there(&hosts.server())
    );
    let home = tempfile::tempdir().expect("a directory");
    let output = experiment(home.path(), "1s", &hosts);
    let run = run(home.path(), &output);
    let trial = &run.trials[0];
    if let Some(failure) = &trial.failure {
        // See the test of what mpirun gathers.
        assert!(
            failure.reason.contains("lost, and its figures with"),
            "{failure:?}"
        );
        println!("not shown, for mpirun had no time: {}", failure.reason);
        return;
    }
    let load = trial.load.as_ref().expect("a report");
    assert_eq!(load.parts.len(), 2);
    assert_eq!(
        load.requests.completed,
        trial.server.as_ref().and_then(|server| server.requests)
    );
    assert_eq!(run.manifest.hosts.len(), 3);
}
