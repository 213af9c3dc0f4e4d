//! Going on with a run that was stopped.

use std::path::{Path, PathBuf};

use results::{Folder, Manifest, Run};

use super::Args;
use crate::Failure;
use crate::machine::{self, CHANGED};
use crate::plan::Plan;

/// The run to go on with: the one that is named, or the newest of this experiment if it is unfinished.
pub(super) fn find(
    args: &Args,
    hash: &str,
    name: &str,
    plan: &Plan,
) -> Result<Option<Folder>, Failure> {
    if let Some(path) = &args.resume {
        fits(&results::read(path)?, args, hash, plan)
            .map_err(|why| format!("cannot go on with {}: {why}", path.display()))?;
        return Ok(Some(Folder::resume(path)?));
    }
    if args.fresh {
        return Ok(None);
    }
    let Some((path, _)) = newest(&args.results, hash, name) else {
        return Ok(None);
    };
    let run = results::read(&path)?;
    if run.verdicts.is_some() || fits(&run, args, hash, plan).is_err() {
        return Ok(None);
    }
    match Folder::resume(&path) {
        Ok(folder) => Ok(Some(folder)),
        Err(locked @ results::Error::Locked { .. }) => {
            Err(format!("{locked}, or begin another run with --fresh").into())
        }
        Err(other) => Err(other.into()),
    }
}

fn newest(results: &Path, hash: &str, name: &str) -> Option<(PathBuf, Manifest)> {
    let entries = std::fs::read_dir(results)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    entries
        .filter(|path| {
            let folder = path.file_name().and_then(|name| name.to_str());
            folder.is_some_and(|folder| folder.starts_with(name))
        })
        .filter_map(|path| Some((path.clone(), results::read::manifest(&path).ok()?)))
        .filter(|(_, manifest)| manifest.experiment_hash == hash)
        .max_by(|a, b| a.1.started_unix_s.total_cmp(&b.1.started_unix_s))
}

/// Whether what is there is part of the plan.
fn fits(run: &Run, args: &Args, hash: &str, plan: &Plan) -> Result<(), String> {
    if run.manifest.experiment_hash != hash {
        return Err("the experiment file has been changed since; begin a new run".into());
    }
    let of = |revision: &str| revision.trim_end_matches(CHANGED).to_owned();
    let revision = machine::revision(&args.config);
    if run.manifest.revision.as_deref().map(of) != revision.as_deref().map(of) {
        return Err("the source is of another revision than it was; begin a new run".into());
    }
    let planned = |trial: &results::Trial| {
        plan.cells
            .get(trial.cell)
            .is_some_and(|cell| cell.factors == trial.factors)
    };
    if run.manifest.cells != plan.cells.len() || !run.trials.iter().all(planned) {
        return Err("there are other models than there were; begin a new run".into());
    }
    Ok(())
}
