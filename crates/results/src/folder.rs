//! The writer.

use std::fs;
use std::path::{Path, PathBuf};

use crate::atomic::{write, write_json};
use crate::error::{Error, io_error};
use crate::lock::Lock;
use crate::{Manifest, Trial, Verdicts, csv, read};

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const TRIALS: &str = "trials";
pub(crate) const VERDICTS: &str = "verdicts.json";

/// A results folder that is being written, by this process alone.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    manifest: Manifest,
    trials: Vec<Trial>,
    _lock: Lock,
}

impl Folder {
    /// Makes a folder for a run; parents too.
    ///
    /// # Errors
    /// [`Error::Exists`] when there is a run already, otherwise what the system reports.
    pub fn create(path: &Path, manifest: Manifest) -> Result<Self, Error> {
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
        Ok(Self {
            path: path.into(),
            manifest,
            trials: Vec::new(),
            _lock: lock,
        })
    }

    /// Goes on with a run that was stopped.
    ///
    /// # Errors
    /// [`Error::Locked`] when it is still going on; otherwise as [`read()`](read::read).
    pub fn resume(path: &Path) -> Result<Self, Error> {
        // Before the lock, which would leave its file in a folder of something else.
        let manifest = read::manifest(path)?;
        let lock = Lock::take(path)?;
        Ok(Self {
            path: path.into(),
            trials: read::trials(path)?,
            manifest,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run is about.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The trials that have finished, in the order of the run.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Whether a trial has finished already.
    pub fn has(&self, id: &str) -> bool {
        self.trials.iter().any(|trial| trial.id == id)
    }

    /// Adds a finished trial, with its histogram log if there is one; once this returns it is on the disk.
    ///
    /// # Errors
    /// [`Error::Exists`] when it is there already, [`Error::Full`] when the disk is; then it was not added.
    pub fn append(&mut self, mut trial: Trial, hlog: Option<&[u8]>) -> Result<(), Error> {
        let file = |extension: &str| {
            self.path
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
        self.trials.push(trial);
        let table = csv::table(&self.manifest, &self.trials);
        write(&self.path.join("trials.csv"), table.as_bytes())
    }

    /// Puts a file beside a trial that is about to be added.
    ///
    /// # Errors
    /// [`Error::Full`] when the disk is, otherwise what the system reports.
    pub fn attach(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        write(&self.path.join(TRIALS).join(name), bytes)
    }

    /// Writes what became of the expectations.
    ///
    /// # Errors
    /// What the system reports.
    pub fn conclude(&self, verdicts: &Verdicts) -> Result<(), Error> {
        write_json(&self.path.join(VERDICTS), verdicts)
    }
}
