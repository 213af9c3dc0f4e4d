//! The page cache before a trial.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{Advice, fadvise};
use workload::FileSet;

use crate::trial::memory::Group;

/// Files that one reader is given at a time.
const BATCH: usize = 200;

/// Paths of a file set, the most popular last: where not all fit, those stay.
fn paths(set: &FileSet, root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = set.files().iter().collect();
    files.sort_by(|a, b| a.weight.total_cmp(&b.weight));
    files.iter().map(|file| root.join(&file.path)).collect()
}

/// Throws the files out of the page cache.
///
/// # Errors
/// When a file is not there, or the system refuses.
pub(crate) fn drop_files(set: &FileSet, root: &Path) -> io::Result<()> {
    for path in paths(set, root) {
        let file = File::open(path)?;
        // Pages that are not on the disk yet would stay.
        file.sync_data()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// Reads all files once: by a process in `group`, if there is one, whose account their pages are then on.
///
/// # Errors
/// When a file cannot be read.
pub fn prefill(set: &FileSet, root: &Path, group: Option<&Group>) -> io::Result<()> {
    let paths = paths(set, root);
    let Some(group) = group else {
        let mut scratch = vec![0; 1 << 20];
        for path in paths {
            let mut file = File::open(path)?;
            while file.read(&mut scratch)? > 0 {}
        }
        return Ok(());
    };
    for batch in paths.chunks(BATCH) {
        let status = group
            .command("cat")
            .args(batch)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(io::Error::other(
                "cat could not read the files in the memory group",
            ));
        }
    }
    Ok(())
}
