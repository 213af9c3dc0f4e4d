//! `lines`: lines of code of the servers that are written in Flux, beside those of rooms that are written by hand.

use std::fs;
use std::path::Path;

use lab::Failure;

/// Count the lines of code of servers written in Flux, and of rooms written by hand
///
/// What is empty or a comment does not count, nor do tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// A server in Flux: its name, its program, its nodes, and where the rest is that only it has.
struct Server {
    name: &'static str,
    program: &'static str,
    nodes: &'static str,
    folders: &'static [&'static str],
}

const SERVERS: [Server; 5] = [
    Server {
        name: "static files",
        program: "crates/arch-flux/web.flux",
        nodes: "crates/arch-flux/src/nodes.rs",
        folders: &["crates/arch-flux/src"],
    },
    Server {
        name: "images",
        program: "crates/flux-servers/programs/image.flux",
        nodes: "crates/flux-servers/src/image/nodes.rs",
        folders: &[
            "crates/flux-servers/src/image",
            "crates/flux-servers/src/image.rs",
        ],
    },
    Server {
        name: "game",
        program: "crates/flux-servers/programs/game.flux",
        nodes: "crates/flux-servers/src/game/nodes.rs",
        folders: &[
            "crates/flux-servers/src/game",
            "crates/flux-servers/src/game.rs",
        ],
    },
    Server {
        name: "BitTorrent peer",
        program: "crates/flux-servers/programs/torrent.flux",
        nodes: "crates/flux-servers/src/torrent/nodes.rs",
        folders: &[
            "crates/flux-servers/src/torrent",
            "crates/flux-servers/src/torrent.rs",
        ],
    },
    Server {
        name: "BitTorrent tracker",
        program: "crates/flux-servers/programs/tracker.flux",
        nodes: "crates/flux-servers/src/tracker/nodes.rs",
        folders: &[
            "crates/flux-servers/src/tracker",
            "crates/flux-servers/src/tracker.rs",
        ],
    },
];

/// Rooms that serve files as the first of the servers does, each in one architecture of the three.
const BY_HAND: [(&str, &str); 4] = [
    ("MT, by hand", "crates/arch-mt/src"),
    ("pool, by hand", "crates/arch-pool/src"),
    ("AMPED, by hand", "crates/arch-amped/src"),
    ("SEDA, by hand", "crates/arch-seda/src"),
];

/// Counts, and prints a line for each.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn run(_: &Arguments) -> Result<u8, Failure> {
    println!("{:<20} {:>7} {:>7} {:>7}", "", "program", "nodes", "rest");
    for server in SERVERS {
        let program = of_file(Path::new(server.program))?;
        let nodes = of_file(Path::new(server.nodes))?;
        let mut all = 0;
        for folder in server.folders {
            all += of(Path::new(folder))?;
        }
        println!(
            "{:<20} {program:>7} {nodes:>7} {:>7}",
            server.name,
            all - nodes
        );
    }
    for (name, folder) in BY_HAND {
        println!(
            "{name:<20} {:>7} {:>7} {:>7}",
            "-",
            "-",
            of(Path::new(folder))?
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
        for server in SERVERS {
            assert!(
                of_file(&root.join(server.program)).unwrap() > 10,
                "{}",
                server.name
            );
            let nodes = of_file(&root.join(server.nodes)).unwrap();
            let folders = server.folders.iter();
            let all: usize = folders.map(|folder| of(&root.join(folder)).unwrap()).sum();
            assert!(nodes > 10 && all > nodes, "{}", server.name);
        }
        for (name, folder) in BY_HAND {
            assert!(of(&root.join(folder)).unwrap() > 50, "{name}");
        }
    }
}
