//! What can be wrong with a results folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::folder::MANIFEST;

/// Why a results folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused something.
    #[error("cannot {action} {}: {source}{}", path.display(), refused(action, source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The disk is full.
    #[error(
        "cannot write {}: the disk is full; finished trials are safe. Make room and resume the run", path.display()
    )]
    Full {
        /// What did not fit.
        path: PathBuf,
    },
    /// There is no such folder.
    #[error("there is no results folder {}; archbench run makes one for each run, below results/ unless told otherwise", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A folder of something else.
    #[error("{} is no results folder: it has no manifest.json; name one that archbench run has written, like results/quick-20250321-140506", path.display())]
    NotResults {
        /// The folder.
        path: PathBuf,
    },
    /// A file that ends too early.
    #[error("{} is cut short: it ends at line {line}{}", path.display(), remedy(path))]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Where it ends, from 1.
        line: usize,
    },
    /// A folder without a part that every run has.
    #[error("{} is cut short: it has no {what}, and cannot be read or resumed without it", path.display())]
    Partial {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// JSON, but not ours.
    #[error("{} is not of archbench: expected a schema of {expected}, found {found}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
        /// What it calls itself.
        found: String,
    },
    /// Of another version of this program.
    #[error("{} is of schema {found}, and this archbench reads {expected}; use the archbench that wrote it", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What is read here.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// No JSON, or fields that are not what they should be.
    #[error("{} is damaged: {source}{}", path.display(), remedy(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// JSON of ours that says what cannot be.
    #[error("{} is not in order: {what}", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// What cannot be.
        what: String,
    },
    /// A histogram log that does not read as one.
    #[error("{} is no histogram log: {what}", path.display())]
    Histogram {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Somebody writes there.
    #[error("{} is being written by another archbench{}; wait for it to end", path.display(), process.map_or(String::new(), |pid| format!(" (process {pid})")))]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who, if it says.
        process: Option<u32>,
    },
    /// There is something already.
    #[error("{} exists already; results are never overwritten", path.display())]
    Exists {
        /// What exists.
        path: PathBuf,
    },
}

/// What to do where the system refused to read, or to write or make something.
fn refused(action: &str, source: &io::Error) -> &'static str {
    match action {
        "read" | "list" | "open" => command::input::remedy(source),
        _ => command::output::remedy(source),
    }
}

/// What can be made again may be deleted; the manifest cannot.
fn remedy(path: &Path) -> &'static str {
    if path.ends_with(MANIFEST) {
        ", and nothing else says what was measured; begin a new run"
    } else {
        ". Delete it, and resume the run to have it made again"
    }
}

/// Says what was tried, on what, when the system refused.
pub(crate) fn io_error(
    action: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full { path },
        _ => Error::Io {
            action,
            path,
            source,
        },
    }
}
