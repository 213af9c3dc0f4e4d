//! What all commands of the command line share.
//!
//! | module | what it answers |
//! | --- | --- |
//! | [`input`] | where a text comes from: a file, or standard input |
//! | [`output`] | where one goes: a file in one piece, or standard output, for people or for programs |
//! | [`quantity`] | how figures are told: units, thousands separators, no more digits than anybody reads |
//! | [`secret`] | what of an argument nobody else should read |
//! | [`interrupt`] | whether somebody wants it to end |
//! | [`descriptors`] | how many files and sockets may be open |
//! | [`usage`](fn@usage) | that what was typed makes no sense |

pub mod descriptors;
pub mod input;
pub mod interrupt;
pub mod output;
pub mod quantity;
pub mod secret;

use std::error::Error;
use std::fmt::Display;
use std::path::Path;

/// Whether a path is `-`, which stands for standard input where something is read and for standard output where something is
/// written (POSIX.1-2024, Utility Syntax Guidelines, guideline 13).
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What was typed makes no sense, as opposed to what was met in doing it: whoever shows it adds how the command is used, and ends
/// with status 2.
pub fn usage(why: impl Display) -> Box<dyn Error> {
    clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, why).into()
}
