//! Writing to a person or a program that may no longer be there.

use std::io::Write;

/// What is printed, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Prints to standard output at once. A reader who has gone away does not stop a server.
pub(crate) fn print(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says on standard error what failed.
pub(crate) fn error(failure: &dyn std::error::Error) {
    // What failed may have a name that somebody else chose: it must not make the terminal do anything.
    let is_harmful = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    let failure = failure.to_string().replace(
        is_harmful,
        char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]),
    );
    let _ = writeln!(std::io::stderr(), "error: {failure}");
}
