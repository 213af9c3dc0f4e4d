//! What can go wrong, in words that say what to do.

use crate::plot::FigureKind;
use std::io;
use std::path::PathBuf;

/// Why there is no figure or page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The results folder cannot be read or written.
    #[error(transparent)]
    Results(#[from] results::Error),
    /// A file cannot be read; which and why, in words.
    #[error("{0}")]
    Input(String),
    /// A file cannot be written.
    #[error("{}", command::output::cannot_write(path, source))]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what would have been right.
        problem: String,
    },
    /// The data for a figure are not there.
    #[error("no {kind} figure: {problem}")]
    NoData {
        /// The kind of figure.
        kind: FigureKind,
        /// What is missing.
        problem: String,
    },
    /// The name of the output does not say what it is.
    #[error("cannot tell the format of {}: its name should end in .svg or .png", .0.display())]
    Format(PathBuf),
    /// The drawing library refused.
    #[error("cannot draw: {0}")]
    Draw(String),
}
