//! Going on with a run that was stopped.

use std::path::{Path, PathBuf};

use command::output::complain;
use results::{Folder, Manifest, Run};

use crate::Failure;
use crate::plan::Plan;

/// Which run is to be gone on with.
pub(super) struct Asked<'a> {
    /// The one that is named.
    pub(super) named: Option<&'a Path>,
    /// None that is found.
    pub(super) fresh: bool,
    /// Where runs are.
    pub(super) results: &'a Path,
}

/// The run to go on with: the one that is named, or the newest of this experiment if it is unfinished.
pub(super) fn find(
    asked: &Asked<'_>,
    wanted: &Manifest,
    plan: &Plan,
) -> Result<Option<Folder>, Failure> {
    if let Some(path) = asked.named {
        fits(&results::read(path)?, wanted, plan).map_err(|why| {
            let path = path.display();
            format!("cannot go on with {path}: {why}; begin a new run")
        })?;
        return Ok(Some(Folder::resume(path)?));
    }
    if asked.fresh {
        return Ok(None);
    }
    let Some((path, _)) = newest(asked.results, wanted) else {
        return Ok(None);
    };
    let run = results::read(&path)?;
    if run.verdicts.is_some() {
        return Ok(None);
    }
    if let Err(why) = fits(&run, wanted, plan) {
        complain(format_args!(
            "notice: a new run begins, as {} cannot be gone on with: {why}",
            path.display()
        ));
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

fn newest(results: &Path, wanted: &Manifest) -> Option<(PathBuf, Manifest)> {
    let entries = std::fs::read_dir(results)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    entries
        .filter(|path| {
            let folder = path.file_name().and_then(|name| name.to_str());
            folder.is_some_and(|folder| folder.starts_with(&wanted.name))
        })
        .filter_map(|path| Some((path.clone(), results::read::manifest(&path).ok()?)))
        .filter(|(_, manifest)| manifest.experiment_hash == wanted.experiment_hash)
        .max_by(|a, b| a.1.started_unix_s.total_cmp(&b.1.started_unix_s))
}

/// Whether what is there is part of the plan, and was measured with the same things.
fn fits(run: &Run, wanted: &Manifest, plan: &Plan) -> Result<(), String> {
    if run.manifest.experiment_hash != wanted.experiment_hash {
        return Err("the experiment file has been changed since".into());
    }
    let setting = |manifest: &Manifest| {
        let machine = &manifest.machine;
        let cores = [&machine.server_cores, &machine.generator_cores].map(Vec::clone);
        let hosts = manifest.hosts.iter();
        let hosts: Vec<_> = hosts
            .map(|host| (host.role.clone(), host.launch.clone()))
            .collect();
        (
            manifest.versions.clone(),
            machine.kernel.clone(),
            cores,
            hosts,
        )
    };
    if setting(&run.manifest) != setting(wanted) {
        return Err(
            "archbench, a server, the kernel, the cores or the hosts are others than they were"
                .into(),
        );
    }
    let planned = |trial: &results::Trial| {
        let cell = plan.cells.get(trial.cell);
        let factors = cell.and_then(|cell| results::masked(cell.factors.clone()).ok());
        factors.is_some_and(|factors| factors == trial.factors)
    };
    if run.manifest.cells != plan.cells.len() || !run.trials.iter().all(planned) {
        return Err("there are other models than there were".into());
    }
    Ok(())
}
