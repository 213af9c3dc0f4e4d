//! Files that what was typed names.

use command::input;
use std::io::BufRead;
use std::path::Path;

/// Reads a file, or standard input; errors name it.
pub(super) fn open<T, E: std::fmt::Display>(
    path: &Path,
    read: impl FnOnce(Box<dyn BufRead>) -> Result<T, E>,
) -> Result<T, String> {
    read(input::open(path)?).map_err(|error| format!("{}: {error}", input::name(path)))
}
