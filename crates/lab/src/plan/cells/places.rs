//! What servers have below them: files, memory, cores and a disk.

use results::{Factors, Level};
use workload::Preset;

use super::or_none;
use crate::spec::{Disk, Experiment, Size, Sweep};

/// Bytes of a SPECweb99 directory.
const DIRECTORY_BYTES: f64 = 5_120_000.0;

/// What a server has below it.
pub(super) struct Place {
    pub(super) factors: Factors,
    pub(super) files: Preset,
    pub(super) memory_limit: Option<u64>,
    pub(super) cores: Option<usize>,
    pub(super) disk: Option<Vec<String>>,
}

/// Every combination of them.
pub(super) fn places(experiment: &Experiment) -> Result<Vec<Place>, String> {
    let disks: Vec<Option<&Disk>> = match experiment.sweep.disk.as_slice() {
        [] => vec![None],
        disks => disks.iter().map(Some).collect(),
    };
    let mut places = Vec::new();
    for memory_limit in memory_limits(experiment) {
        for (file_factors, files) in files(experiment, memory_limit)? {
            for cores in or_none(&experiment.sweep.cores) {
                for disk in &disks {
                    let mut factors = file_factors.clone();
                    let mut put = |name: &str, level: Option<Level>| {
                        factors.extend(level.map(|level| (name.to_owned(), level)));
                    };
                    put(
                        "memory_limit",
                        memory_limit.map(|bytes| (bytes as f64).into()),
                    );
                    put("cores", cores.map(|cores| (cores as f64).into()));
                    put("disk", disk.map(|disk| disk.name.as_str().into()));
                    let flags = disk.and_then(|disk| disk.options.as_ref());
                    places.push(Place {
                        factors,
                        files,
                        memory_limit,
                        cores,
                        disk: flags.map(|flags| flags.0.clone()),
                    });
                }
            }
        }
    }
    Ok(places)
}

fn memory_limits(experiment: &Experiment) -> Vec<Option<u64>> {
    if experiment.sweep.memory_limit.is_empty() {
        vec![experiment.memory_limit.map(|size| size.0)]
    } else {
        experiment
            .sweep
            .memory_limit
            .iter()
            .map(|size| Some(size.0))
            .collect()
    }
}

fn files(experiment: &Experiment, memory: Option<u64>) -> Result<Vec<(Factors, Preset)>, String> {
    let mut all = Vec::new();
    for preset in &experiment.files.0 {
        for (preset, size) in sizes(&experiment.sweep, preset.0, memory)? {
            let name = ("files", Level::Text(preset.to_string()));
            let size = size.map(|(factor, level)| (factor, Level::Number(level)));
            let factors = [Some(name), size].into_iter().flatten();
            let factors = factors.map(|(factor, level)| (factor.to_owned(), level));
            all.push((factors.collect(), preset));
        }
    }
    Ok(all)
}

/// A set of files in each size that is swept, with the factor and its level.
type Sizes = Vec<(Preset, Option<(&'static str, f64)>)>;

fn sizes(sweep: &Sweep, preset: Preset, memory: Option<u64>) -> Result<Sizes, String> {
    if !sweep.dataset.is_empty() {
        let (Preset::SpecWeb99 { .. }, Some(memory)) = (preset, memory) else {
            return Err(format!(
                "dataset needs files = \"specweb99:1\" and not {preset}"
            ));
        };
        let of = |ratio: &f64| {
            let directories = (ratio * memory as f64 / DIRECTORY_BYTES).round().max(1.0) as u32;
            let preset = within_limits(Preset::SpecWeb99 { directories })?;
            Ok((preset, Some(("dataset", *ratio))))
        };
        return sweep.dataset.iter().map(of).collect();
    }
    if sweep.file_size.is_empty() {
        return Ok(vec![(preset, None)]);
    }
    let of = |size: &Size| {
        let size = size.0;
        let preset = match preset {
            Preset::Single { .. } => Preset::Single { size },
            Preset::Uniform { count, .. } => Preset::Uniform { count, size },
            other => {
                return Err(format!(
                    "file_size needs files of one size, single or uniform, and not {other}"
                ));
            }
        };
        Ok((within_limits(preset)?, Some(("file_size", size as f64))))
    };
    sweep.file_size.iter().map(of).collect()
}

/// The same preset, if somebody could have written it: its limits are those of its text.
fn within_limits(preset: Preset) -> Result<Preset, String> {
    let text = preset.to_string();
    text.parse::<Preset>().map_err(|error| error.to_string())
}
