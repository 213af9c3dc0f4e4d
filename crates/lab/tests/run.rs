//! Runs with a stand-in for archbench, a script that serves nothing and loads nothing: what is tested is the lab.

mod executable;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use command::output::Format;
use lab::commands::run::{Args, run};
use results::{Outcome, Run, Validity};

use executable::write_executable;

/// A server that says what servers say; what it does depends on its model. `load` reports half for the model slow.
const STAND_IN: &str = r#"#!/bin/sh
case "$1" in
models)
  echo '{"schema":"archbench.models/1","version":"9.9.9","models":['
  echo '{"name":"good","summary":"does","options":[{"name":"threads","help":""}]},{"name":"slow","summary":"does not"}]}' ;;
serve)
  case "$*" in
  *"--model nobody"*) echo "error: invalid value 'nobody'" >&2; exit 2 ;;
  *--help) case "$*" in *--bad*) echo "error: unexpected argument '--bad' found" >&2; exit 2 ;; esac; exit 0 ;;
  *"--model dies"*) echo "no such directory" >&2; exit 1 ;;
  *"--model garbage"*) echo "hello"; sleep 100 ;;
  *"--model fragile"*) echo '{"event":"ready","address":"127.0.0.1:1"}'; exit 7 ;;
  *"--model silent"*) trap 'exit 0' TERM ;;
  *"--model deaf"*) trap '' TERM ;;
  *) trap 'echo "{\"event\":\"summary\",\"requests\":100,\"cpu\":{\"per_request_us\":10.0}}"; exit 0' TERM ;;
  esac
  echo $$ > "$(dirname "$0")/server"
  case "$*" in *"--model "*) echo "$*" | sed 's/.*--model \([a-z]*\).*/\1/' > "$(dirname "$0")/model" ;; esac
  case "$*" in *"--model slow"*) touch "$(dirname "$0")/slow" ;; *) rm -f "$(dirname "$0")/slow" ;; esac
  echo '{"event":"ready","address":"127.0.0.1:1"}'
  while :; do sleep 0.02; done ;;
load)
  rate=1000; test -e "$(dirname "$0")/slow" && rate=500
  echo x >> "$(dirname "$0")/loads"
  sleep 0.05
  model=$(cat "$(dirname "$0")/model" 2>/dev/null)
  test "$model" = endless && sleep 100
  found=
  test "$model" = hung && found='{"level":"INVALID","rule":"fell_silent","text":"it fell silent"}'
  test "$model" = full && found='{"level":"INVALID","rule":"out_of_descriptors","text":"none left"},{"level":"INVALID","rule":"nothing_answered","text":"nothing"}'
  verdict=VALID; test -n "$found" && verdict=INVALID
  echo "{\"schema\":\"archbench.load/1\",\"verdict\":\"$verdict\",\"reasons\":[],\"findings\":[$found],\"run\":{\"model\":{\"name\":\"closed\"}},"
  echo "\"requests\":{\"completed\":$rate,\"censored\":0,\"errors\":{}},\"throughput\":{\"requests_per_s\":$rate},"
  echo "\"service_time_us\":{\"mean\":100,\"p50\":90,\"p99\":2000,\"p99.9\":9000}}" ;;
esac
"#;

struct Sandbox {
    home: tempfile::TempDir,
}

impl Sandbox {
    fn new(models: &str, more: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let script = home.path().join("archbench");
        write_executable(&script, STAND_IN);
        let sandbox = Self { home };
        sandbox.config(models, more);
        sandbox
    }

    fn config(&self, models: &str, more: &str) {
        let text = format!(
            "name = 'x'\nquestion = 'Is it?'\nfiles = 'single:1k'\nmodels = {models}\nrepeats = 2\nduration = '10ms'\nwarm_up = '0'\n\
             timeout = '1s'\nload = [{{ name = 'closed', connections = 2 }}]\n{more}"
        );
        fs::write(self.home.path().join("x.toml"), text).expect("written");
    }

    fn args(&self) -> Args {
        Args {
            hosts: Default::default(),
            config: self.home.path().join("x.toml"),
            dry_run: false,
            output_format: Format::Text,
            results: self.home.path().join("results"),
            resume: None,
            fresh: false,
            archbench: Some(self.home.path().join("archbench")),
        }
    }

    fn folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.home.path().join("results"));
        let mut all: Vec<_> = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        all.sort();
        all
    }

    fn loads(&self) -> usize {
        fs::read_to_string(self.home.path().join("loads")).map_or(0, |loads| loads.lines().count())
    }

    fn done(&self) -> Run {
        let mut reported = None;
        let status = run(self.args(), |run: &Run| {
            reported = Some(run.clone());
            Ok(None)
        });
        assert!(matches!(status, Ok(0)), "{status:?}");
        reported.expect("a run")
    }
}

#[test]
fn an_experiment_is_run_and_judged() {
    let expect = "expect = [{ text = 'slow is slow', ratio = 'slow / good <= 0.6' }, { text = 'no', ratio = 'slow / good > 1' }]\n\
        slo = ['p(99)<1ms']\n";
    let run = Sandbox::new("'all'", expect).done();
    assert_eq!((run.trials.len(), run.manifest.cells), (4, 2));
    assert!(
        run.trials
            .iter()
            .all(|trial| trial.verdict == Validity::Valid)
    );
    let blocks: Vec<_> = run
        .trials
        .iter()
        .map(|trial| (trial.order, trial.block))
        .collect();
    assert_eq!(blocks, [(1, 1), (2, 1), (3, 2), (4, 2)]);
    let verdicts = run.verdicts.as_ref().expect("judged");
    let outcomes: Vec<_> = verdicts
        .expectations
        .iter()
        .map(|judged| judged.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Met, Outcome::Missed]);
    assert!(
        verdicts
            .slo
            .iter()
            .all(|slo| slo.outcome == Outcome::Missed)
    );
    let trial = &run.trials[0];
    assert!(!trial.samples.is_empty() && trial.server.is_some());
    let version = &run.manifest.versions["archbench"];
    assert!(version.starts_with("9.9.9 ("), "{version}");
    assert!(run.manifest.experiment.contains("Is it?"));
    let command = trial.generator_command.join(" ");
    assert!(
        command.contains("load http://127.0.0.1:1 --files single:1k"),
        "{command}"
    );
}

#[test]
fn a_server_that_fails_fails_its_trial_and_not_the_run() {
    let sandbox = Sandbox::new("['good', 'dies', 'garbage', 'fragile', 'silent']", "");
    let run = sandbox.done();
    let reason = |model: &str| {
        let trial = run
            .trials
            .iter()
            .find(|trial| trial.level("model") == model)
            .expect(model);
        let failure = trial.failure.as_ref();
        failure.map_or(String::new(), |failure| {
            format!("{}: {}", failure.step, failure.reason)
        })
    };
    assert_eq!(reason("good"), "");
    assert_eq!(
        reason("dies"),
        "starting the server: it ended with status 1 and said: no such directory"
    );
    assert!(
        reason("garbage").contains("and said 'hello'"),
        "{}",
        reason("garbage")
    );
    assert!(
        reason("fragile").contains("in the middle of the trial it ended with status 7"),
        "{}",
        reason("fragile")
    );
    assert!(
        reason("silent").contains("printed no summary"),
        "{}",
        reason("silent")
    );
    let server = fs::read_to_string(sandbox.home.path().join("server")).expect("its id");
    assert!(
        !Path::new("/proc").join(server.trim()).exists(),
        "no server is left behind"
    );
}

#[test]
fn a_run_that_was_stopped_goes_on_where_it_was() {
    let sandbox = Sandbox::new("['good', 'slow']", "");
    let run = sandbox.done();
    // As if it had been stopped after the first trial.
    fs::remove_file(run.path.join("verdicts.json")).expect("there");
    for trial in &run.trials[1..] {
        fs::remove_file(run.path.join("trials").join(format!("{}.json", trial.id))).expect("there");
    }
    let before = sandbox.loads();
    let again = sandbox.done();
    assert_eq!(
        (again.path, sandbox.loads() - before),
        (run.path.clone(), 3)
    );
    assert_eq!(again.trials[0], run.trials[0]);
    // Of another build, what is missing may not be measured.
    let trial = run.trials.last().expect("a trial");
    fs::remove_file(run.path.join("trials").join(format!("{}.json", trial.id))).expect("there");
    let mut args = sandbox.args();
    args.resume = Some(run.path.clone());
    let rebuilt = fs::File::options()
        .append(true)
        .open(args.archbench.as_ref().expect("given"));
    let later = SystemTime::now() + Duration::from_secs(60);
    rebuilt.expect("a file").set_modified(later).expect("set");
    let error = lab::commands::run::run(args, |_| Ok(None))
        .expect_err("another build")
        .to_string();
    assert!(error.contains("are others than they were"), "{error}");
    // A finished one is left alone, and so is that of another experiment.
    assert_ne!(sandbox.done().path, run.path);
    sandbox.config("['good', 'slow']", "seed = 7\n");
    sandbox.done();
    assert_eq!(sandbox.folders().len(), 3);
    let mut args = sandbox.args();
    args.resume = Some(run.path);
    let error = lab::commands::run::run(args, |_| Ok(None))
        .expect_err("another experiment")
        .to_string();
    assert!(error.contains("has been changed since"), "{error}");
}

#[test]
fn what_cannot_be_right_is_refused_before_the_first_trial() {
    for (models, more, expected) in [
        (
            "['good']",
            "options = '--bad 1'",
            "unexpected argument '--bad'",
        ),
        (
            "['good']",
            "model_options.godo = '--x'",
            "did you mean 'good'?",
        ),
        (
            "['good']",
            "expect = [{ text = 'a', ratio = 'slow < 1' }]",
            "there is no cell slow",
        ),
        (
            "['nobody']",
            "expect = [{ text = 'a', ratio = 'good < 1' }]",
            "model 'nobody': invalid value",
        ),
        ("['good']", "server_cores = [999]", "core 999"),
        ("['good']", "repeat = 1", "did you mean 'repeats'?"),
    ] {
        let sandbox = Sandbox::new(models, more);
        let error = run(sandbox.args(), |_| Ok(None))
            .expect_err(more)
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert!(sandbox.folders().is_empty());
    }
}

#[test]
fn a_dry_run_does_nothing() {
    let sandbox = Sandbox::new("'all'", "");
    let mut args = sandbox.args();
    args.dry_run = true;
    assert!(matches!(run(args, |_| Ok(None)), Ok(0)));
    assert_eq!((sandbox.folders().len(), sandbox.loads()), (0, 0));
}

#[test]
fn a_search_in_which_nothing_can_be_tried_has_failed() {
    for (models, expected) in [(&["good"][..], 0), (&["dies"], 1), (&["dies", "good"], 0)] {
        let sandbox = Sandbox::new("'all'", "");
        let status = lab::commands::search::run(lab::commands::search::Args {
            model: models.iter().map(|model| (*model).to_owned()).collect(),
            options: String::new(),
            slo: vec!["p(99)<1s".parse().expect("an objective")],
            slo_file: None,
            files: "single:1k".parse().expect("a preset"),
            connections: 1,
            duration: Duration::from_millis(10),
            precision: 0.1,
            warm_up: Duration::ZERO,
            repeats: 1,
            resolution: 50.0,
            seed: 1,
            shown: lab::commands::Shown::default(),
            archbench: sandbox.args().archbench,
        });
        assert_eq!(status.expect("tried"), expected, "{models:?}");
    }
}

/// One trial of a model, with little patience.
fn trial(sandbox: &Sandbox, model: &str) -> lab::trial::Measured {
    let (experiment, _) = lab::spec::Experiment::read(&sandbox.args().config).expect("sound");
    let archbench = sandbox.home.path().join("archbench");
    let plan =
        lab::plan::Plan::new(&experiment, &sandbox.args().config, &archbench).expect("a plan");
    let cell = plan
        .cells
        .iter()
        .find(|cell| cell.factors["model"] == model.into());
    let soon = std::time::Duration::from_millis(300);
    let runner = lab::trial::ProcessRunner {
        archbench,
        generator: None,
        cores: plan.cores.clone(),
        places: lab::trial::launched::Places::default(),
        memory: lab::trial::memory::Support::None("not asked for".into()),
        scratch: None,
        patience: lab::trial::Patience {
            stops: soon,
            slack: soon,
            ..Default::default()
        },
        interrupt: command::interrupt::Interrupt::default(),
    };
    let measured = lab::trial::Runner::run(
        &runner,
        &lab::trial::Job {
            cell: cell.expect(model),
            seed: 1,
            warm_up: std::time::Duration::ZERO,
            duration: soon,
            timeout: soon,
            cache: experiment.cache,
            wire: false,
            upstream: None,
        },
    );
    measured.expect("nobody stopped it")
}

#[test]
fn a_server_that_does_not_stop_and_a_generator_that_does_not_end_are_ended() {
    let sandbox = Sandbox::new("['deaf', 'endless']", "");
    for (model, expected) in [
        (
            "deaf",
            "stopping the server: it was told to stop and did not within 300ms",
        ),
        (
            "endless",
            "generating load: the generator did not end within 1.2s",
        ),
    ] {
        let measured = trial(&sandbox, model);
        let failure = measured.failure.expect("it failed");
        assert_eq!(format!("{}: {}", failure.step, failure.reason), expected);
        let server = fs::read_to_string(sandbox.home.path().join("server")).expect("its id");
        assert!(
            !Path::new("/proc").join(server.trim()).exists(),
            "{model} is left behind"
        );
    }
}

#[test]
fn what_the_generator_found_wrong_with_the_server_fails_the_trial() {
    let sandbox = Sandbox::new("['good', 'hung', 'full']", "");
    let run = sandbox.done();
    let of = |model: &str| {
        run.trials
            .iter()
            .find(|trial| trial.level("model") == model)
            .expect(model)
    };
    let failure = of("hung").failure.as_ref().expect("it failed");
    assert_eq!(
        (failure.step.as_str(), failure.reason.as_str()),
        ("serving", "it fell silent")
    );
    assert_eq!(of("hung").verdict, Validity::Failed);
    // What it reported is kept, and so is the server's own summary.
    assert!(of("hung").load.is_some() && of("good").failure.is_none());
    // One without descriptors is no witness.
    assert!(of("full").failure.is_none() && of("full").verdict == Validity::Invalid);
}

/// A server that is not ours, as a process. Answers what it is told to, until it is ended; a child of its own lives as long.
fn serve_as_somebody_else() {
    let variable = |name: &str| std::env::var(name).expect("set by the test");
    let port: u16 = variable("PORT").parse().expect("a port");
    let file = Path::new(&variable("ROOT")).join("file.txt");
    let body = fs::read(file).expect("the file");
    let head = format!(
        "HTTP/1.1 {} OK\r\nContent-Length: {}\r\n\r\n",
        variable("STATUS"),
        body.len()
    );
    let mut child = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .expect("sleep");
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(&[head.as_bytes(), &body].concat());
    }
    let _ = child.wait();
}

#[test]
fn a_server_that_is_not_ours_is_measured_beside_ours() {
    // The experiment below starts this very program, and this test alone, as that server.
    if std::env::var_os("STATUS").is_some() {
        return serve_as_somebody_else();
    }
    let servers = "[[server]]\nexternal = 'theirs'\n[[server]]\nexternal = 'theirs'\nname = 'refusing'\nvalues.status = 403\n\
        [[server]]\nexternal = 'absent'\n[[expect]]\ntext = 'a'\nratio = 'good / theirs <= 2'\n\
        [[expect]]\ntext = 'b'\nratio = 'good / absent <= 2'\n";
    let sandbox = Sandbox::new("['good']", servers);
    let external = sandbox.home.path().join("external");
    fs::create_dir(&external).expect("made");
    let exe = std::env::current_exe().expect("this program");
    let exe = exe.display();
    let theirs = "package = 'theirs'\nconfig = 'theirs.sh'\ncommand = 'sh @config@'\nversion = 'echo 1.2'\nvalues.status = 200\n";
    let script = format!(
        "PORT=@port@ ROOT='@root@' STATUS=@status@ exec {exe} --exact a_server_that_is_not_ours_is_measured_beside_ours\n"
    );
    fs::write(external.join("theirs.toml"), theirs).expect("written");
    fs::write(external.join("theirs.sh"), script).expect("written");
    let absent = "package = 'absent-server'\ncommand = 'no-such-server-anywhere'\n";
    fs::write(external.join("absent.toml"), absent).expect("written");

    let run = sandbox.done();
    let of = |name: &str| run.trials.iter().find(|trial| trial.level("model") == name);
    let theirs = of("theirs").expect("measured");
    assert_eq!(theirs.verdict, Validity::Valid, "{:?}", theirs.failure);
    let seen = theirs.server.as_ref().expect("a summary");
    assert!(
        seen.requests.is_none(),
        "the stand-in tells nobody how many it sent"
    );
    let last = theirs.samples.last().expect("watched");
    assert_eq!(last.processes, 2, "with its child");
    assert_eq!(seen.peak_processes, Some(2));
    let refusing = of("refusing")
        .and_then(|trial| trial.failure.as_ref())
        .expect("failed");
    assert!(
        refusing.reason.contains("said 'HTTP/1.1 403 OK'"),
        "{refusing:?}"
    );
    assert!(of("absent").is_none());
    let manifest = &run.manifest;
    assert!(
        manifest.notices[0].contains("apt-get install absent-server"),
        "{:?}",
        manifest.notices
    );
    assert_eq!(manifest.versions["theirs"], "1.2");
    assert!(
        manifest
            .configs
            .values()
            .any(|text| text.contains("ROOT='@root@'"))
    );
    let verdicts = run.verdicts.as_ref().expect("judged");
    assert_eq!(verdicts.expectations[0].outcome, Outcome::Met);
    assert_eq!(verdicts.expectations[1].outcome, Outcome::Undecided);
    let port = |word: &String| word.contains("archbench-theirs-");
    let work = theirs
        .server_command
        .iter()
        .find(|word| port(word))
        .expect("its configuration");
    assert!(!Path::new(work).exists(), "its directory is gone");
}
