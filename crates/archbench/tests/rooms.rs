//! A new architecture is a crate, a line in the catalogue, and the manifests' word for that crate: nothing else knows one by name.

use std::path::{Path, PathBuf};
use std::process::Command;

use contracts::Document;
use contracts::models::Models;

/// Where an architecture is named, outside its own crate.
const NAMED_IN: [&str; 3] = [
    "Cargo.toml",
    "crates/archbench/Cargo.toml",
    "crates/archbench/src/catalogue.rs",
];

/// Names that mean something else too, and where that is meant: what a request takes once it is sent is its service time; a command
/// compiles the language that a server is written in.
const HOMONYMS: [(&str, &[&str]); 3] = [
    (
        "service",
        &[
            "crates/fuzz/src/histogram.rs",
            "crates/lab/src/analysis/",
            "crates/load/src/",
            "crates/report/src/",
            "crates/results/src/",
        ],
    ),
    ("flux", &["crates/archbench/src/commands.rs"]),
    // Threads of a simulated machine.
    ("pool", &["crates/flux-simulator/src/"]),
];

fn workspace() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    above.canonicalize().expect("the workspace")
}

/// Sources, manifests and scripts: path from the workspace on, and text.
fn files() -> Vec<(String, String)> {
    fn collect(directory: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => collect(&path, into),
                false => into.push(path),
            }
        }
    }
    let workspace = workspace();
    let mut paths = vec![workspace.join("Cargo.toml")];
    for directory in ["crates", "scripts", ".ci"] {
        collect(&workspace.join(directory), &mut paths);
    }
    let read = |path: PathBuf| {
        let below = path.strip_prefix(&workspace).ok()?.to_str()?.to_owned();
        // What is no text names nobody.
        Some((below, std::fs::read_to_string(&path).ok()?))
    };
    paths.into_iter().filter_map(read).collect()
}

/// The crates of the architectures.
fn rooms() -> Vec<String> {
    let entries = std::fs::read_dir(workspace().join("crates")).expect("crates");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    names.filter(|name| name.starts_with("arch-")).collect()
}

/// What `--model` calls them.
fn models() -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_archbench"))
        .args(["models", "--output-format", "json"])
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let listed = Models::parse(&text).unwrap_or_else(|problem| panic!("{problem}"));
    listed.models.into_iter().map(|model| model.name).collect()
}

/// Whether `word` stands in `text` and is no part of a longer name.
fn names(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The code of a source, without its comments and the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_crate_of_an_architecture_is_named_in_the_catalogue_alone() {
    let (rooms, files) = (rooms(), files());
    assert_eq!(rooms.len(), models().len(), "{rooms:?}");
    for room in rooms {
        let own = format!("crates/{room}/");
        let others = files.iter().filter(|(path, _)| !path.starts_with(&own));
        let naming =
            others.filter(|(_, text)| names(text, &room) || names(text, &room.replace('-', "_")));
        let mut naming: Vec<_> = naming.map(|(path, _)| path.as_str()).collect();
        naming.sort_unstable();
        assert_eq!(naming, NAMED_IN, "{room}");
    }
}

/// As the subject of a measurement or an example it may be named: by scripts and what they call (`maintain`), experiments, comments,
/// and tests of what experiments and reports make of names.
#[test]
fn no_shared_code_and_no_case_of_the_battery_knows_an_architecture_by_its_name() {
    let models = models();
    let mut seen = 0;
    for (path, text) in files() {
        let measures = path.starts_with("crates/maintain/");
        let is_of_a_room = path.starts_with("crates/arch-");
        let is_shared =
            path.contains("/src/") && !path.ends_with("fixture.rs") && !path.ends_with("/tests.rs");
        let is_of_the_battery = path.starts_with("crates/archbench/tests/conformance/");
        if measures || is_of_a_room || !path.ends_with(".rs") || !(is_shared || is_of_the_battery) {
            continue;
        }
        seen += 1;
        let code = code(&text);
        for model in &models {
            let means_another = HOMONYMS.iter().any(|(name, places)| {
                name == model && places.iter().any(|place| path.starts_with(place))
            });
            assert!(
                means_another || !code.contains(&format!("\"{model}\"")),
                "{path} knows {model}"
            );
        }
    }
    assert!(seen > 100, "{seen} files");
}
