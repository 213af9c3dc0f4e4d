//! Files that are there whole or not at all.

use std::path::Path;

use command::output;

use crate::error::{Error, io_error};

/// Writes a file under a temporary name beside it, syncs it and renames it.
///
/// # Errors
/// [`Error::Full`] when the disk is, otherwise what the system reports; a file that was there before is then unharmed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    output::replace(path, bytes).map_err(io_error("write", path))
}

/// The same with JSON, indented, a line feed at the end.
pub(crate) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), Error> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|source| Error::Damaged {
        path: path.into(),
        source,
    })?;
    bytes.push(b'\n');
    write(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_file_and_harms_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("no/a.json");
        let error = write(&path, b"1").unwrap_err().to_string();
        assert!(
            error.contains("cannot write") && error.contains("no/a.json"),
            "{error}"
        );
        let full = io_error("write", "x")(std::io::ErrorKind::StorageFull.into());
        assert!(matches!(full, Error::Full { .. }));
    }
}
