//! What is wrong with an experiment file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why a file is no experiment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}: {source}{}", path.display(), remedy(source))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no TOML, or has keys or values that it must not have.
    #[error("{}, line {line}: {what}", path.display())]
    Line {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there, and the nearest right thing.
        what: String,
    },
    /// Its parts do not fit together.
    #[error("{}: {what}", path.display())]
    Nonsense {
        /// Which.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}

/// What to do about a file that cannot be read, if that is known.
fn remedy(why: &std::io::Error) -> &'static str {
    match why.kind() {
        std::io::ErrorKind::NotFound => "; bench-configs/ has some",
        _ => command::input::remedy(why),
    }
}

impl Error {
    pub(crate) fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        Self::Line {
            path: path.into(),
            line: text.as_bytes()[..at]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1,
            what: with_suggestion(error.message()),
        }
    }
}

/// Adds to what serde says of an unknown name which known one is nearest.
fn with_suggestion(message: &str) -> String {
    let message = message.trim();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.contains("unknown field") || message.contains("unknown variant");
    let (true, Some(wrong)) = (unknown, quoted.next()) else {
        return message.to_owned();
    };
    format!("{message}{}", did_you_mean(wrong, quoted))
}

/// The nearest of some names, if one is near at all, as the end of a sentence.
pub(crate) fn did_you_mean<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    // Thousands of cells may have few names.
    let names: BTreeSet<_> = names.collect();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= name.len().max(wrong.len()) / 2)
        .min_by_key(|(distance, _)| *distance)
        .map_or(String::new(), |(_, name)| {
            format!("; did you mean '{name}'?")
        })
}
