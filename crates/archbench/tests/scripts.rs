//! The helpers in `scripts/`: each says what it is, and ends at once, with a reason, where it cannot do its work.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts")
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(scripts()).expect("scripts");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name"));
    // What the others source or install is no script of its own.
    names.filter(|name| !name.contains('.')).collect()
}

/// A script with only what every system has, so that one that went on to its work would not get far.
fn run(name: &str, arguments: &[&str]) -> Output {
    let tools = tempfile::tempdir().expect("a directory");
    for tool in ["bash", "dirname", "ls", "nproc", "realpath", "sed"] {
        let path = std::env::var_os("PATH").expect("a path");
        let mut places = std::env::split_paths(&path).map(|place| place.join(tool));
        let place = places.find(|place| place.exists()).expect(tool);
        std::os::unix::fs::symlink(place, tools.path().join(tool)).expect("a link");
    }
    let mut command = Command::new(tools.path().join("bash"));
    command.arg(scripts().join(name)).args(arguments);
    command.env("PATH", tools.path()).env_remove("ARCHBENCH");
    command.output().expect("bash")
}

#[track_caller]
fn says(output: &Output, status: i32, words: &str) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains(words), "not '{words}': {text}");
    assert_eq!(output.status.code(), Some(status), "{text}");
}

#[test]
fn every_script_says_how_it_is_called() {
    for name in names() {
        for help in ["--help", "-h"] {
            says(&run(&name, &[help]), 0, &format!("usage: scripts/{name}"));
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    for name in names() {
        let arguments: &[&str] = match name.as_str() {
            "record-outcome" => &["some.toml"],
            // It needs what the commands need that the README names.
            "readme-figures" => continue,
            _ => &[],
        };
        says(
            &run(&name, arguments),
            1,
            "is missing; try: apt-get install",
        );
    }
}

#[test]
fn nonsense_is_refused() {
    for (script, arguments, why) in [
        (
            "bench-data-path",
            &["x"][..],
            "ROUNDS must be a whole number",
        ),
        ("bench-engines", &["1", "1", "0"], "CONNECTIONS must be"),
        ("bench-idle", &["10", "1", "1.5"], "SECONDS must be"),
        ("bench-load", &["--rounds", "many"], "--rounds takes"),
        ("bench-load", &["--rounds"], "--rounds takes"),
        ("bench-load", &["--rounds", "0"], "--rounds must be"),
        ("bench-load", &["--turns", "1"], "no option '--turns'"),
        ("bench-merge", &["64"], "PARTSxSECONDS must be"),
        ("bench-merge", &["0x60"], "PARTSxSECONDS must be"),
        ("bench-peers", &["-1"], "ROUNDS must be"),
        ("bench-staging", &["1", "x"], "SECONDS must be"),
        ("compare-parts", &["--parts", "x"], "--parts must be"),
        ("compare-parts", &["--turns", "1"], "no option '--turns'"),
        ("compare-parts", &["--model"], "--model takes"),
        ("fuzz", &["request"], "SECONDS must be"),
        ("fuzz", &["1", "nothing"], "no target 'nothing', but answer"),
        ("interoperate", &["none"], "REQUESTS must be"),
        ("record-outcome", &[], "which experiment?"),
        ("soak", &["all"], "REQUESTS must be"),
    ] {
        says(&run(script, arguments), 2, why);
    }
}
