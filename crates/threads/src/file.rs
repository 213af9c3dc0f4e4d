//! The file that is read, in memory or on a disk that seeks.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use command::interrupt::Interrupt;
use contracts::Line;
use contracts::disk::Ready;
use lab::trial::process::{Placement, Process};
use rustix::fs::{Advice, fadvise};
use rustix::mount::UnmountFlags;

use crate::experiment::Disk;

/// Large enough for few reads to meet a page that has been read, or that another waits for; in memory, as much as there is room for.
const BYTES_ON_DISK: u64 = 4 << 30;
const BYTES_IN_MEMORY: u64 = 64 << 20;
/// What is read at a time.
pub(crate) const READ_BYTES: usize = 4096;
const NAME: &str = "file";
/// How long mounting may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file to be read in random places.
pub(crate) struct ReadFile {
    pub(crate) file: File,
    /// Of [`READ_BYTES`] each.
    pub(crate) pages: u64,
}

/// A file, for as long as a trial.
pub(crate) struct Placed {
    pub(crate) path: PathBuf,
    /// Killed with the trial: whoever waits for a read then has an error, and no answer is waited for.
    disk: Option<(Process, PathBuf)>,
    _directory: tempfile::TempDir,
}

impl Placed {
    /// Puts a file there. A disk is a process of its own on these cores, and cold.
    pub(crate) fn new(place: &Disk, cores: &[usize]) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let root = directory.path().join("root");
        let make = || {
            std::fs::create_dir(&root)?;
            // It has no blocks: what is beneath the disk costs nothing.
            let bytes = match place.options {
                Some(_) => BYTES_ON_DISK,
                None => BYTES_IN_MEMORY,
            };
            File::create(root.join(NAME))?.set_len(bytes)
        };
        make().map_err(|error: std::io::Error| format!("cannot make a file: {error}"))?;
        let Some(options) = &place.options else {
            let path = root.join(NAME);
            read_all(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            return Ok(Self {
                path,
                disk: None,
                _directory: directory,
            });
        };
        let point = directory.path().join("disk");
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command: Vec<String> = [own.as_path(), Path::new("disk"), &root, &point]
            .map(|part| part.display().to_string())
            .into();
        command.extend(["--output-format", "json", "--read-ahead", "0"].map(str::to_owned));
        command.extend(options.split_whitespace().map(str::to_owned));
        let mut process = Process::start(&command, Placement::on(cores))
            .map_err(|error| format!("cannot start the disk: {error}"))?;
        let ready = process.line(PATIENCE, &Interrupt::default());
        let is_ready = ready.is_ok_and(|line| Ready::parse(&line).is_ok());
        if !is_ready {
            let said = process.kill();
            return Err(format!("the disk was not mounted: {said}"));
        }
        Ok(Self {
            path: point.join(NAME),
            disk: Some((process, point)),
            _directory: directory,
        })
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if let Some((mut process, point)) = self.disk.take() {
            process.kill();
            // It is dead already; what remains is its place.
            let _ = rustix::mount::unmount(&point, UnmountFlags::DETACH);
        }
    }
}

/// Has a file in memory.
fn read_all(path: &Path) -> std::io::Result<()> {
    std::io::copy(&mut File::open(path)?, &mut std::io::sink()).map(drop)
}

/// Opens it to be read here and there.
pub(crate) fn open(path: &Path) -> Result<&'static ReadFile, String> {
    let refused = |error| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(refused)?;
    let bytes = file.metadata().map_err(refused)?.len();
    // Nothing beside what is asked for.
    let _ = fadvise(&file, 0, None, Advice::Random);
    // As long as there are threads that read it, which is as long as the process.
    Ok(Box::leak(Box::new(ReadFile {
        file,
        pages: bytes / READ_BYTES as u64,
    })))
}
