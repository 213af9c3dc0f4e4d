//! The reader.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, io_error};
use crate::folder::{MANIFEST, TRIALS, VERDICTS};
use crate::hlog::Hlog;
use crate::{Factors, Manifest, SCHEMA, Trial, Verdicts};

/// A run, read back.
#[derive(Debug, Clone)]
pub struct Run {
    /// Where it is.
    pub path: PathBuf,
    /// What it is about.
    pub manifest: Manifest,
    /// The trials that have finished, in the order of the run.
    pub trials: Vec<Trial>,
    /// What became of the expectations; `None` while it is not finished.
    pub verdicts: Option<Verdicts>,
}

/// The trials of one cell.
#[derive(Debug, Clone)]
pub struct Cell<'a> {
    /// Its number in the experiment, from 0.
    pub number: usize,
    /// What it is.
    pub factors: &'a Factors,
    /// Its trials by repeat, all of them, also those that do not count.
    pub trials: Vec<&'a Trial>,
}

impl Cell<'_> {
    /// A figure of every repeat that [counts](Trial::counts).
    pub fn values(&self, figure: crate::Figure) -> Vec<f64> {
        let counted = self.trials.iter().filter(|trial| trial.counts());
        counted.filter_map(|trial| figure.of(trial)).collect()
    }
}

/// Reads a results folder.
///
/// # Errors
/// What is wrong with it: no such folder, none of ours, of another version, cut short.
pub fn read(path: &Path) -> Result<Run, Error> {
    let manifest = manifest(path)?;
    let trials = trials(path)?;
    let verdicts = path.join(VERDICTS);
    Ok(Run {
        path: path.into(),
        manifest,
        trials,
        verdicts: if verdicts.exists() {
            Some(json(&verdicts)?)
        } else {
            None
        },
    })
}

impl Run {
    /// How many trials there are to be.
    pub fn planned(&self) -> usize {
        self.manifest.cells.saturating_mul(self.manifest.repeats)
    }

    /// How many of them have finished, well or not. Some may have been made more than once.
    pub fn done(&self) -> usize {
        let done: std::collections::BTreeSet<_> = self
            .trials
            .iter()
            .map(|trial| (trial.cell, trial.repeat))
            .collect();
        done.len()
    }

    /// Whether all have.
    pub fn is_complete(&self) -> bool {
        self.done() >= self.planned()
    }

    /// The trials by cell, in the order of the experiment.
    pub fn cells(&self) -> Vec<Cell<'_>> {
        let mut cells: Vec<Cell<'_>> = Vec::new();
        for trial in &self.trials {
            match cells.iter_mut().find(|cell| cell.number == trial.cell) {
                Some(cell) => cell.trials.push(trial),
                None => cells.push(Cell {
                    number: trial.cell,
                    factors: &trial.factors,
                    trials: vec![trial],
                }),
            }
        }
        cells.sort_by_key(|cell| cell.number);
        for cell in &mut cells {
            cell.trials.sort_by_key(|trial| trial.repeat);
        }
        cells
    }

    /// The factors that differ between cells, in the order of the manifest.
    pub fn swept(&self) -> Vec<&crate::Factor> {
        let differs = |name: &str| {
            let mut levels = self.trials.iter().map(|trial| trial.factors.get(name));
            let first = levels.next();
            levels.any(|level| Some(level) != first)
        };
        let factors = self.manifest.factors.iter();
        factors.filter(|factor| differs(&factor.name)).collect()
    }

    /// The histograms of a trial, if it has any.
    ///
    /// # Errors
    /// When its log is missing or does not read as one.
    pub fn hlog(&self, trial: &Trial) -> Result<Option<Hlog>, Error> {
        trial
            .hlog
            .as_ref()
            .map(|name| Hlog::read(&self.path.join(TRIALS).join(name)))
            .transpose()
    }
}

/// Reads the manifest of a folder.
///
/// # Errors
/// As [`read`].
pub fn manifest(folder: &Path) -> Result<Manifest, Error> {
    // Whoever may not look does not know that it is not there.
    let exists = |path: &Path| match path.try_exists() {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        found => found.map_err(io_error("read", path)),
    };
    if !exists(folder)? {
        return Err(Error::Missing {
            path: folder.into(),
        });
    }
    let path = folder.join(MANIFEST);
    if exists(&path)? {
        let manifest: Manifest = json(&path)?;
        check_size(&manifest).map_err(|what| Error::Contradiction { path, what })?;
        return Ok(manifest);
    }
    if folder.join(TRIALS).is_dir() {
        return Err(Error::Partial {
            path: folder.into(),
            what: MANIFEST,
        });
    }
    Err(Error::NotResults {
        path: folder.into(),
    })
}

/// Reads the trials of a folder, in the order of the run.
pub(crate) fn trials(folder: &Path) -> Result<Vec<Trial>, Error> {
    let directory = folder.join(TRIALS);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Partial {
                path: folder.into(),
                what: TRIALS,
            });
        }
        Err(error) => return Err(io_error("list", &directory)(error)),
    };
    let mut trials: Vec<Trial> = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error("list", &directory))?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden
            && path
                .extension()
                .is_some_and(|extension| extension == "json")
        {
            let trial: Trial = json(&path)?;
            check_names(&trial, &path).map_err(|what| Error::Contradiction { path, what })?;
            trials.push(trial);
        }
    }
    sort(&mut trials);
    Ok(trials)
}

/// Puts trials in the order of the run. Attempts at one trial share its place.
pub(crate) fn sort(trials: &mut [Trial]) {
    trials.sort_by(|a, b| {
        let place = |trial: &Trial| (trial.order, trial.cell, trial.repeat);
        let time = |trial: &Trial| trial.started_unix_s;
        (place(a).cmp(&place(b))).then(time(a).total_cmp(&time(b)))
    });
}

/// Whoever goes through all repeats goes as far as the manifest says.
fn check_size(manifest: &Manifest) -> Result<(), String> {
    let (cells, repeats) = (manifest.cells, manifest.repeats);
    match cells.checked_mul(repeats) {
        Some(..=crate::MAX_TRIALS) if repeats <= crate::MAX_TRIALS => Ok(()),
        _ => Err(format!(
            "{cells} cells, each measured {repeats} times, are more than {} trials",
            crate::MAX_TRIALS
        )),
    }
}

/// A trial is what its file is called, and its log lies beside it: nothing in it may name a file elsewhere.
fn check_names(trial: &Trial, path: &Path) -> Result<(), String> {
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(&trial.id) {
        return Err(format!("it calls itself '{}'", trial.id));
    }
    for wire in &trial.wire {
        if let Some(name) = &wire.trace
            && *name != format!("{}-{}.pcapng", trial.id, wire.at)
        {
            return Err(format!("it has its packets in '{name}'"));
        }
    }
    match &trial.hlog {
        Some(name) if *name != format!("{}.hlog", trial.id) => {
            Err(format!("it has its histograms in '{name}'"))
        }
        _ => Ok(()),
    }
}

/// Reads a file of ours: JSON of the schema that is read here.
fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = fs::read(path).map_err(io_error("read", path))?;
    let damaged = |source: serde_json::Error| match source.classify() {
        serde_json::error::Category::Eof => Error::CutShort {
            path: path.into(),
            line: source.line(),
        },
        _ => Error::Damaged {
            path: path.into(),
            source,
        },
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    check_schema(path, &value)?;
    serde_json::from_str(&String::from_utf8_lossy(&bytes)).map_err(damaged)
}

fn check_schema(path: &Path, value: &Value) -> Result<(), Error> {
    let found = value.get("schema").and_then(Value::as_str);
    let family = |schema: &str| schema.split('/').next().map(str::to_owned);
    match found {
        Some(SCHEMA) => Ok(()),
        Some(found) if family(found) == family(SCHEMA) => Err(Error::OtherVersion {
            path: path.into(),
            expected: SCHEMA,
            found: found.into(),
        }),
        _ => Err(Error::Foreign {
            path: path.into(),
            expected: SCHEMA,
            found: found.unwrap_or("none").into(),
        }),
    }
}
