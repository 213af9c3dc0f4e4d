//! A program as a cargo package: the generated flows, the nodes that its author has written, and the runtimes, one of which is chosen
//! when it is started.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::emit::{Modules, Sources, Types, rust};
use crate::{Compiled, Diagnostic};

/// The text of the runtime, which goes along.
const RUNTIME: [(&str, &str); 10] = [
    ("lib.rs", include_str!("../../flux-runtime/src/lib.rs")),
    ("event.rs", include_str!("../../flux-runtime/src/event.rs")),
    ("locks.rs", include_str!("../../flux-runtime/src/locks.rs")),
    ("pool.rs", include_str!("../../flux-runtime/src/pool.rs")),
    (
        "profile.rs",
        include_str!("../../flux-runtime/src/profile.rs"),
    ),
    ("queue.rs", include_str!("../../flux-runtime/src/queue.rs")),
    (
        "running.rs",
        include_str!("../../flux-runtime/src/running.rs"),
    ),
    (
        "source.rs",
        include_str!("../../flux-runtime/src/source.rs"),
    ),
    (
        "sources.rs",
        include_str!("../../flux-runtime/src/sources.rs"),
    ),
    (
        "thread.rs",
        include_str!("../../flux-runtime/src/thread.rs"),
    ),
];

/// Its program, with what differs between programs left open.
const MAIN: &str = include_str!("package/main.template");

/// Why a package was not written.
#[derive(Debug)]
pub enum Error {
    /// What Rust needs is missing in the program.
    Program(Vec<Diagnostic>),
    /// A file.
    File(PathBuf, io::Error),
}

/// Writes a package called `name` to `folder`, which is made if need be, with `nodes` as the module of its nodes. Files that are the
/// same already are left alone, so that nothing is compiled again for nothing.
///
/// # Errors
/// Why not.
pub fn write(
    folder: &Path,
    name: &str,
    compiled: &Compiled,
    types: &Types,
    nodes: &str,
) -> Result<(), Error> {
    let modules = Modules {
        nodes: "crate::nodes".into(),
        runtime: "flux_runtime".into(),
        sources: Sources::Nodes,
    };
    let flows = rust(compiled, types, &modules).map_err(Error::Program)?;
    let context = match compiled.program.context {
        Some(_) => "nodes::context()",
        None => "()",
    };
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nflux-runtime = {{ path = \"flux-runtime\" }}\n\n[workspace]\n"
    );
    let of_runtime =
        "[package]\nname = \"flux-runtime\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let flows = format!("//! Flows, as the compiler has made them of the program.\n\n{flows}");
    let main = MAIN
        .replace("@PROGRAM@", name)
        .replace("@CONTEXT@", context);
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest.as_str()),
        ("src/main.rs".to_owned(), &main),
        ("src/flows.rs".to_owned(), &flows),
        ("src/nodes.rs".to_owned(), nodes),
        ("flux-runtime/Cargo.toml".to_owned(), of_runtime),
    ];
    files.extend(RUNTIME.map(|(name, text)| (format!("flux-runtime/src/{name}"), text)));
    for (name, text) in files {
        let path = folder.join(name);
        write_if_other(&path, text).map_err(|error| Error::File(path, error))?;
    }
    Ok(())
}

fn write_if_other(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    fs::write(path, text)
}

/// What a package may be called that is made of a file of this name.
pub fn name_of(file: &Path) -> String {
    let stem = file
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let letters = stem.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '-',
    });
    let name: String = letters.collect();
    match name.trim_matches('-') {
        name if name.starts_with(|first: char| first.is_ascii_alphabetic()) => name.to_owned(),
        name => format!("flux-{name}"),
    }
}
