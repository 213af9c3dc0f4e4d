//! A slow disk over the files, for as long as a trial.

use std::path::{Path, PathBuf};
use std::time::Duration;

use contracts::disk::Ready;
use results::Failure;
use rustix::process::Signal;
use workload::FileSet;

use super::job::failure;
use super::process_runner::ProcessRunner;
use crate::trial::cache;
use crate::trial::process::{Placement, Process};

/// A disk that is mounted; dropping it unmounts it.
#[derive(Debug)]
pub(super) struct Mounted {
    process: Process,
    /// Where the files appear.
    pub(super) point: PathBuf,
}

impl ProcessRunner {
    /// Mounts a disk over `root`. What is beneath is read first, so that only the disk that is imitated is waited for.
    pub(super) fn mount(
        &self,
        set: &FileSet,
        root: &Path,
        flags: &[String],
    ) -> Result<Mounted, Failure> {
        let step = "mounting the disk";
        cache::prefill(set, root, None).map_err(|error| failure(step, error.to_string()))?;
        let name = format!("archbench-disk-{}", std::process::id());
        let point = std::env::temp_dir().join(name);
        let mut command: Vec<String> = vec![
            self.archbench.display().to_string(),
            "disk".into(),
            root.display().to_string(),
            point.display().to_string(),
            "--output-format".into(),
            "json".into(),
        ];
        command.extend(flags.iter().cloned());
        // Its work is that of a controller, and none of the server's.
        let process =
            Process::start_until(Signal::TERM, &command, Placement::on(&self.cores.generator))
                .map_err(|error| failure(step, error.to_string()))?;
        let mut mounted = Mounted { process, point };
        self.ready::<Ready>(&mut mounted.process, step)?;
        Ok(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Killed at once, it would leave a dead mount behind.
        self.process.terminate();
        self.process.wait(Duration::from_secs(10));
        self.process.kill();
        let _ = std::fs::remove_dir(&self.point);
    }
}
