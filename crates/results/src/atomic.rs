//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, io_error};

/// Writes a file under a temporary name beside it, syncs it and renames it.
///
/// # Errors
/// [`Error::Full`] when the disk is, otherwise what the system reports; a file that was there before is then unharmed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = beside(path);
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        // What went wrong first is what matters.
        let _ = fs::remove_file(&temporary);
        return Err(io_error("write", path)(source));
    }
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io_error("sync", directory))
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

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_stays_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.json");
        write(&path, b"1").unwrap();
        write(&path, b"22").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"22");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

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
