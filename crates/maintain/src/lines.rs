//! `lines`: lines of code of the servers that are written in Flux, beside those of rooms that are written by hand.

use std::fs;
use std::path::Path;

use lab::Failure;

/// Count the lines of code of servers written in Flux, and of rooms written by hand
///
/// What is empty or a comment does not count, nor do tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// A server in Flux: its name, its program, its nodes, and where all is that only it has.
struct Server {
    name: String,
    program: String,
    nodes: String,
    sources: Vec<String>,
}

/// A server whose program is a room.
const ROOM: (&str, &str, &str) = ("static files", "flux", "web");
/// The other servers, by the names of their modules.
const SERVERS: [(&str, &str); 4] = [
    ("images", "image"),
    ("game", "game"),
    ("BitTorrent peer", "torrent"),
    ("BitTorrent tracker", "tracker"),
];
/// Rooms that serve files as the first of the servers does, each in one architecture.
const BY_HAND: [&str; 4] = ["mt", "pool", "amped", "seda"];

/// The sources of a room.
fn room(model: &str) -> String {
    format!("crates/arch-{model}/src")
}

fn servers() -> Vec<Server> {
    let (name, model, program) = ROOM;
    let of_room = Server {
        name: name.into(),
        program: format!("{}/../{program}.flux", room(model)),
        nodes: format!("{}/nodes.rs", room(model)),
        sources: vec![room(model)],
    };
    let others = SERVERS.map(|(name, module)| {
        let source = format!("crates/flux-servers/src/{module}");
        Server {
            name: name.into(),
            program: format!("crates/flux-servers/programs/{module}.flux"),
            nodes: format!("{source}/nodes.rs"),
            sources: vec![format!("{source}.rs"), source],
        }
    });
    [of_room].into_iter().chain(others).collect()
}

/// Counts, and prints a line for each.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn run(_: &Arguments) -> Result<u8, Failure> {
    println!("{:<20} {:>7} {:>7} {:>7}", "", "program", "nodes", "rest");
    for server in servers() {
        let program = of_file(Path::new(&server.program))?;
        let nodes = of_file(Path::new(&server.nodes))?;
        let mut all = 0;
        for folder in &server.sources {
            all += of(Path::new(folder))?;
        }
        println!(
            "{:<20} {program:>7} {nodes:>7} {:>7}",
            server.name,
            all - nodes
        );
    }
    for model in BY_HAND {
        let lines = of(Path::new(&room(model)))?;
        println!(
            "{:<20} {:>7} {:>7} {lines:>7}",
            format!("{model}, by hand"),
            "-",
            "-"
        );
    }
    Ok(0)
}

/// Lines of code of a file of Rust, or of all of a folder.
fn of(path: &Path) -> Result<usize, Failure> {
    if !path.is_dir() {
        return of_file(path);
    }
    let cannot_read = |error| format!("cannot read {}: {error}", path.display());
    let mut lines = 0;
    for entry in fs::read_dir(path).map_err(cannot_read)? {
        let entry = entry.map_err(cannot_read)?.path();
        let is_of_tests = entry.file_stem().is_some_and(|name| name == "tests");
        let is_rust = entry.extension().is_some_and(|extension| extension == "rs");
        if !is_of_tests && (is_rust || entry.is_dir()) {
            lines += of(&entry)?;
        }
    }
    Ok(lines)
}

fn of_file(path: &Path) -> Result<usize, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(code(&text))
}

/// Lines that are neither empty nor comments, but for the tests at the end.
fn code(text: &str) -> usize {
    let lines = text.lines().map(str::trim);
    let lines = lines.take_while(|line| *line != "#[cfg(test)]" || has_more(text));
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

/// Whether a text's tests are in files of their own, so that what comes behind their mention is code.
fn has_more(text: &str) -> bool {
    let after = text
        .split_once("#[cfg(test)]\n")
        .map_or("", |(_, after)| after);
    after.trim_start().starts_with("mod tests;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_empty_lines_and_tests_are_no_code() {
        let flux = "// A server.\n\ncontext Worker;   // lent\nsource A => B;\n";
        assert_eq!(code(flux), 2);
        let rust = "//! It.\n\n/// Does.\nfn a() {\n    // Why.\n    b();\n}\n\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
        assert_eq!(code(rust), 3);
        let apart = "fn a() {}\n#[cfg(test)]\nmod tests;\n\nfn b() {}\n";
        assert_eq!(code(apart), 4);
    }

    #[test]
    fn all_that_is_counted_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for server in servers() {
            assert!(
                of_file(&root.join(&server.program)).unwrap() > 10,
                "{}",
                server.name
            );
            let nodes = of_file(&root.join(&server.nodes)).unwrap();
            let sources = server.sources.iter();
            let all: usize = sources.map(|one| of(&root.join(one)).unwrap()).sum();
            assert!(nodes > 10 && all > nodes, "{}", server.name);
        }
        for model in BY_HAND {
            assert!(of(&root.join(room(model))).unwrap() > 50, "{model}");
        }
    }
}
