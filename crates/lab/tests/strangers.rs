//! A server and a generator of somebody else's, forty lines each, take part by the contracts alone.

mod executable;
mod experiment;

use std::fs;
use std::path::{Path, PathBuf};

use contracts::models::{Model, Models};
use contracts::{Document, Unknown, serve};
use lab::commands::run::run;
use results::{Figure, Run, Validity};

use executable::write_executable;

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    folder.join(name)
}

/// An experiment with both of them, of which the server's definition says `of_server` too, and a load with `more`.
fn write_experiment(home: &Path, of_server: &str, more: &str) -> PathBuf {
    let external = home.join("external");
    fs::create_dir(&external).expect("made");
    let define = |name: &str, told: &str| {
        let program = fixture(&format!("{name}.py"));
        let text = format!(
            "package = 'python3'\ncommand = ['python3', '{}', {told}]\nversion = 'python3 --version'\n",
            program.display()
        );
        fs::write(external.join(format!("{name}.toml")), text).expect("written");
    };
    define(
        "generator",
        "'@url@', '@root@', '@connections@', '@warm_up_s@', '@duration_s@'",
    );
    define(
        "server",
        &format!("'@root@', '@address@', '@port@']\nreports = true\n{of_server}\n#"),
    );
    let config = home.join("experiment.toml");
    let text = format!(
        "name = 'strangers'\nquestion = 'Do they take part?'\nfiles = 'single:1k'\nrepeats = 1\nwarm_up = '50ms'\nduration = '250ms'\n\
         server = [{{ external = 'server' }}]\ngenerator = 'generator'\n\n[[load]]\nname = 'closed'\nconnections = 2\n{more}\n"
    );
    fs::write(&config, text).expect("written");
    config
}

/// Neither end is ours: this one knows which models there would be, and can do nothing.
fn archbench(home: &Path) -> PathBuf {
    let path = home.join("archbench");
    let models = Models {
        schema: Models::SCHEMA.into(),
        version: "9.9.9".into(),
        models: vec![Model::default()],
        unknown: Unknown::new(),
    };
    let text = serde_json::to_string(&models).expect("JSON");
    let script = format!("#!/bin/sh\ntest $1 = models && echo '{text}'\n");
    write_executable(&path, &script);
    path
}

/// What came of an experiment whose server has this in its definition, too.
fn measured(home: &Path, more: &str) -> Run {
    let config = write_experiment(home, more, "");
    experiment::done(experiment::args(&config, archbench(home)))
}

#[test]
fn they_are_measured_by_what_they_say() {
    let home = tempfile::tempdir().expect("a directory");
    let run = measured(home.path(), "");
    let trial = &run.trials[0];
    assert_eq!(trial.verdict, Validity::Valid, "{:?}", trial.failure);
    let (load, summary) = (
        trial.load.as_ref().expect("a report"),
        trial.server.as_ref().expect("a summary"),
    );
    // Its own figures, not what was seen of it.
    assert_eq!(summary.schema.as_deref(), Some(serve::SCHEMA));
    let sent = load.requests.sent.expect("counted");
    assert!(sent > 0, "{load:?}");
    // Beside those of the generator, the server has been asked once whether it answers right.
    assert_eq!(summary.requests, Some(sent + 1));
    for figure in [
        "throughput",
        "p(50)",
        "p(99)",
        "completed",
        "errors",
        "cpu_per_request",
    ] {
        let figure: Figure = figure.parse().expect("a figure");
        assert!(figure.of(trial).is_some(), "{figure}");
    }
    assert!(
        load.unknown.contains_key("python"),
        "what only it says is kept"
    );
    assert!(run.manifest.versions["generator"].starts_with("Python "));
    let configs: Vec<_> = run.manifest.configs.keys().collect();
    assert!(
        configs.iter().any(|path| path.ends_with("generator.toml")),
        "{configs:?}"
    );
}

/// Whether it answers right is not for the lab to say.
#[test]
fn a_server_that_serves_other_than_the_files_is_asked_for_none_before() {
    let home = tempfile::tempdir().expect("a directory");
    let run = measured(home.path(), "files = false");
    let trial = &run.trials[0];
    let sent = trial.load.as_ref().and_then(|load| load.requests.sent);
    let answered = trial.server.as_ref().and_then(|server| server.requests);
    assert!(sent.is_some() && sent == answered, "{sent:?} {answered:?}");
}

#[test]
fn a_load_that_a_generator_cannot_be_told_is_refused() {
    for (more, expected) in [
        ("rate = 100", "has no @rate@"),
        ("think = '1ms'", "has no @think_s@"),
        ("verify = true", "verify is of our generator alone"),
        ("pipeline = 4", "pipeline is of our generator alone"),
        // Nor does the server speak it.
        ("http2 = true", "in HTTP/2, which it does not speak"),
    ] {
        let home = tempfile::tempdir().expect("a directory");
        let config = write_experiment(home.path(), "", more);
        let error = run(experiment::args(&config, archbench(home.path())), |_| {
            Ok(None)
        })
        .expect_err(more);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn they_are_short() {
    for name in ["server.py", "generator.py"] {
        let lines = fs::read_to_string(fixture(name))
            .expect("there")
            .lines()
            .count();
        assert!(lines <= 40, "{name} has {lines} lines");
    }
}
