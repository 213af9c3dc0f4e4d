//! The writer.

use std::fs;
use std::path::Path;

use crate::atomic::{write, write_json};
use crate::error::{Error, io_error};
use crate::lock::Lock;
use crate::mask::masked;
use crate::read::Run;
use crate::{Manifest, Trial, Verdicts, csv, read};

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const TRIALS: &str = "trials";
pub(crate) const VERDICTS: &str = "verdicts.json";

/// A results folder that is being written, by this process alone.
#[derive(Debug)]
pub struct Folder {
    run: Run,
    _lock: Lock,
}

impl Folder {
    /// Makes a folder for a run; parents too. Secrets are masked in all that is written and held from here on.
    ///
    /// # Errors
    /// [`Error::Exists`] when there is a run already, otherwise what the system reports.
    pub fn create(path: &Path, manifest: Manifest) -> Result<Self, Error> {
        let manifest = masked(manifest)?;
        let trials = path.join(TRIALS);
        fs::create_dir_all(&trials).map_err(io_error("make the folder", &trials))?;
        let lock = Lock::take(path)?;
        if path.join(MANIFEST).exists() {
            return Err(Error::Exists { path: path.into() });
        }
        write(
            &path.join("experiment.toml"),
            manifest.experiment.as_bytes(),
        )?;
        // Last, as it is what makes the folder one of results.
        write_json(&path.join(MANIFEST), &manifest)?;
        let run = Run {
            path: path.into(),
            manifest,
            trials: Vec::new(),
            verdicts: None,
        };
        Ok(Self { run, _lock: lock })
    }

    /// Goes on with a run that was stopped.
    ///
    /// # Errors
    /// [`Error::Locked`] when it is still going on; otherwise as [`read()`](read::read).
    pub fn resume(path: &Path) -> Result<Self, Error> {
        // Before the lock, which would leave its file in a folder of something else.
        let manifest = read::manifest(path)?;
        let lock = Lock::take(path)?;
        let run = Run {
            path: path.into(),
            manifest,
            trials: read::trials(path)?,
            verdicts: None,
        };
        Ok(Self { run, _lock: lock })
    }

    /// What is in it so far.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Whether a trial has finished already.
    pub fn has(&self, id: &str) -> bool {
        self.run.trials.iter().any(|trial| trial.id == id)
    }

    /// Adds a finished trial, with its histogram log if there is one; once this returns it is on the disk.
    ///
    /// # Errors
    /// [`Error::Exists`] when it is there already, [`Error::Full`] when the disk is; then it was not added.
    pub fn append(&mut self, trial: Trial, hlog: Option<&[u8]>) -> Result<(), Error> {
        let mut trial = masked(trial)?;
        let file = |extension: &str| {
            self.run
                .path
                .join(TRIALS)
                .join(format!("{}.{extension}", trial.id))
        };
        let path = file("json");
        if path.exists() {
            return Err(Error::Exists { path });
        }
        if let Some(hlog) = hlog {
            write(&file("hlog"), hlog)?;
        }
        trial.hlog = hlog.map(|_| format!("{}.hlog", trial.id));
        write_json(&path, &trial)?;
        let run = &mut self.run;
        run.trials.push(trial);
        read::sort(&mut run.trials);
        let table = csv::table(&run.manifest, &run.trials);
        write(&run.path.join("trials.csv"), table.as_bytes())
    }

    /// Puts a file beside a trial that is about to be added.
    ///
    /// # Errors
    /// [`Error::Full`] when the disk is, otherwise what the system reports.
    pub fn attach(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        write(&self.run.path.join(TRIALS).join(name), bytes)
    }

    /// Writes what became of the expectations, and gives the finished run.
    ///
    /// # Errors
    /// What the system reports.
    pub fn conclude(mut self, verdicts: Verdicts) -> Result<Run, Error> {
        let verdicts = masked(verdicts)?;
        write_json(&self.run.path.join(VERDICTS), &verdicts)?;
        self.run.verdicts = Some(verdicts);
        Ok(self.run)
    }
}
