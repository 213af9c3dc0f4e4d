//! Where a report goes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people.
    Text,
    /// Everything, for programs, in a versioned schema.
    Json,
    /// The percentile distributions, for spreadsheets.
    Csv,
    /// The percentile distribution of the first figure, for the HdrHistogram plotter.
    Hgrm,
    /// A histogram for each second, for the HdrHistogram log tools.
    Hlog,
}

/// Writes to standard output, or to a file in one piece: under a temporary name beside it, synced, then renamed. So the file is never seen half written.
pub fn write(path: Option<&Path>, bytes: &[u8]) -> io::Result<()> {
    let Some(path) = path else {
        let mut out = io::stdout().lock();
        return match out.write_all(bytes).and_then(|()| out.flush()) {
            // The reader has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        };
    };
    if !is_replaceable(path) {
        return File::create(path).and_then(|mut file| file.write_all(bytes));
    }
    let temporary = beside(path);
    let written = File::create_new(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // What matters is the first error.
        let _ = std::fs::remove_file(&temporary);
        return written;
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

/// Whether a report can be written there at all: asked before the run rather than after it.
pub fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !is_replaceable(path) {
        return Ok(());
    }
    let temporary = beside(path);
    File::create_new(&temporary)?;
    std::fs::remove_file(&temporary)
}

/// Devices and pipes are written to, not replaced.
fn is_replaceable(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |metadata| metadata.is_file())
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
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let directory = std::env::temp_dir().join(format!("load-output-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let path = directory.join("report.json");
        check(&path).expect("writable");
        write(Some(&path), b"one").expect("written");
        write(Some(&path), b"two").expect("written again");
        assert_eq!(std::fs::read(&path).expect("there"), b"two");
        assert_eq!(std::fs::read_dir(&directory).expect("there").count(), 1);
        assert!(check(&directory).is_err());
        assert!(check(&directory.join("no/such")).is_err());
        std::fs::remove_dir_all(&directory).expect("removed");
    }
}
