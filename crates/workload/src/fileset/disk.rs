//! One file at a time, and what a disk may answer.

use rustix::fs::statvfs;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The name that a file bears while it is written.
pub(super) const TEMPORARY: &str = ".archbench-files.tmp";

/// Why a file set could not be put into a directory.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The directory holds something that is no file set.
    #[error("{} is not empty and holds no file set; name an empty or a new directory", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory holds another file set.
    #[error("{} holds another file set ({found}), not {wanted}; name another directory, or remove that one", dir.display())]
    Another {
        /// The directory.
        dir: PathBuf,
        /// What its manifest says.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The disk is full, or a quota is used up.
    #[error("the disk of {} is full: {needed} bytes are needed and {free} are free; make room, or name another directory", dir.display())]
    Full {
        /// The directory.
        dir: PathBuf,
        /// Bytes still to be written.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Anything else that the system refused.
    #[error("cannot {action} {}: {source}{}", path.display(), command::output::remedy(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

pub(super) fn io_error<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> WriteError + 'a {
    move |source| WriteError::Io {
        action,
        path: path.into(),
        source,
    }
}

/// Makes `dir/name` under a temporary name and renames it; on failure the temporary file is
/// removed.
pub(super) fn put(
    dir: &Path,
    name: &str,
    contents: impl FnOnce(&mut fs::File) -> io::Result<()>,
    modified: Option<SystemTime>,
) -> Result<(), WriteError> {
    let temporary = dir.join(TEMPORARY);
    let target = dir.join(name);
    let write = || {
        let mut file = fs::File::create(&temporary)?;
        contents(&mut file)?;
        if let Some(time) = modified {
            file.set_modified(time)?;
        }
        fs::rename(&temporary, &target)
    };
    write().map_err(|source| {
        // It may not exist; what went wrong first is what matters.
        let _ = fs::remove_file(&temporary);
        io_error("write", &target)(source)
    })
}

/// Refuses before anything is written what cannot fit.
pub(super) fn check_space(dir: &Path, needed: u64) -> Result<(), WriteError> {
    match free_bytes(dir) {
        Some(free) if free < needed => Err(WriteError::Full {
            dir: dir.into(),
            needed,
            free,
        }),
        _ => Ok(()),
    }
}

/// Bytes an ordinary user may still write; `None` where the file system does not say.
fn free_bytes(dir: &Path) -> Option<u64> {
    statvfs(dir)
        .ok()
        .filter(|fs| fs.f_blocks > 0)
        .map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize))
}

pub(super) fn explain_full(error: WriteError, dir: &Path, needed: u64) -> WriteError {
    match error {
        WriteError::Io { source, .. }
            if matches!(
                source.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded
            ) =>
        {
            WriteError::Full {
                dir: dir.into(),
                needed,
                free: free_bytes(dir).unwrap_or(0),
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_so_before_and_after_the_fact() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(
            check_space(dir.path(), u64::MAX),
            Err(WriteError::Full { .. })
        ));
        let refused = io_error("write", dir.path())(ErrorKind::StorageFull.into());
        let error = explain_full(refused, dir.path(), 77).to_string();
        assert!(error.contains("is full: 77 bytes are needed"), "{error}");
    }

    #[test]
    fn a_failed_file_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let error = put(
            dir.path(),
            "a",
            |_| Err(ErrorKind::StorageFull.into()),
            None,
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                WriteError::Io {
                    action: "write",
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
