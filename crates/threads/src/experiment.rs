//! What is varied, and what is expected to come out: a file, as experiments on servers have one.

use std::path::Path;
use std::time::Duration;

use contracts::results::{Factors, Level};
use lab::spec::Expect;
use serde::Deserialize;

use crate::kinds::Kind;
use crate::trial::Workload;

/// An experiment, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    pub(crate) name: String,
    pub(crate) question: String,
    pub(crate) reasoning: String,
    pub(crate) workload: Workload,
    /// Kinds of threads.
    pub(crate) kinds: Vec<Kind>,
    /// How many threads; where a kind cannot have as many, its axis ends, and the trial says at what.
    #[serde(default)]
    pub(crate) threads: Vec<usize>,
    /// Requests a second, in place of threads, for a workload that starts one for each.
    #[serde(default)]
    pub(crate) rates: Vec<usize>,
    /// Where the file is that is read, if any is.
    #[serde(default)]
    pub(crate) disk: Vec<Disk>,
    pub(crate) repeats: u32,
    /// How long each trial is watched.
    #[serde(deserialize_with = "duration")]
    pub(crate) duration: Duration,
    #[serde(default)]
    pub(crate) expect: Vec<Expect>,
}

/// A place for the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disk {
    pub(crate) name: String,
    /// The options of `archbench disk`; without them the file is in memory.
    pub(crate) options: Option<String>,
}

/// A combination that is tried.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) kind: Kind,
    /// Threads, or requests a second.
    pub(crate) load: usize,
    pub(crate) disk: Option<Disk>,
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    workload::units::duration(&text).map_err(serde::de::Error::custom)
}

impl Experiment {
    /// Reads a file; gives its text too.
    pub(crate) fn read(path: &Path) -> Result<(Self, String), String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path)
            .map_err(|error| at(&format!("cannot be read: {error}")))?;
        let experiment: Self = toml::from_str(&text).map_err(|error| at(&error))?;
        experiment.check().map_err(|error| at(&error))?;
        Ok((experiment, text))
    }

    fn check(&self) -> Result<(), String> {
        let of_rates = self.workload == Workload::Overload;
        let (wanted, other) = match of_rates {
            true => ("rates", "threads"),
            false => ("threads", "rates"),
        };
        let has = |name| match name {
            "rates" => !self.rates.is_empty(),
            _ => !self.threads.is_empty(),
        };
        if !has(wanted) || has(other) {
            return Err(format!(
                "this workload takes '{wanted}', a list, and no '{other}'"
            ));
        }
        let reads = matches!(self.workload, Workload::Reads | Workload::Overload);
        if reads == self.disk.is_empty() {
            return Err("a workload that reads takes [[disk]], and no other does".into());
        }
        if let Some(kind) = self.kinds.iter().find(|kind| !kind.does(self.workload)) {
            return Err(format!("{kind} do not do this workload"));
        }
        if self.kinds.is_empty() || self.repeats == 0 {
            return Err("'kinds' and 'repeats' must not be empty".into());
        }
        let factors: Vec<_> = self
            .cells(usize::MAX)
            .iter()
            .map(|cell| self.factors(cell))
            .collect();
        let factors: Vec<_> = factors.iter().collect();
        for expect in &self.expect {
            lab::plan::expected::check(&expect.ratio.0, &factors)?;
        }
        Ok(())
    }

    /// All that is tried, but for what has more threads.
    pub(crate) fn cells(&self, at_most: usize) -> Vec<Cell> {
        let disks: Vec<_> = match self.disk.is_empty() {
            true => vec![None],
            false => self.disk.iter().cloned().map(Some).collect(),
        };
        let loads = self.threads.iter().chain(&self.rates);
        let loads: Vec<_> = loads.filter(|&&load| load <= at_most).collect();
        let mut cells = Vec::new();
        for &kind in &self.kinds {
            for disk in &disks {
                cells.extend(loads.iter().map(|&&load| Cell {
                    kind,
                    load,
                    disk: disk.clone(),
                }));
            }
        }
        cells
    }

    /// What `load` of a cell is called.
    pub(crate) fn axis(&self) -> &'static str {
        match self.workload {
            Workload::Overload => "rate",
            _ => "connections",
        }
    }

    pub(crate) fn factors(&self, cell: &Cell) -> Factors {
        let mut factors = Factors::from([
            ("model".to_owned(), Level::from(&*cell.kind.to_string())),
            (self.axis().to_owned(), Level::from(cell.load as f64)),
        ]);
        if let Some(disk) = &cell.disk {
            factors.insert("disk".into(), Level::from(disk.name.as_str()));
        }
        factors
    }

    /// How long all trials take, about.
    pub(crate) fn takes(&self, cells: usize, repeats: u32, duration: Duration) -> Duration {
        /// Making threads, mounting, and warming up.
        const OVERHEAD: Duration = Duration::from_millis(500);
        (duration + OVERHEAD) * repeats * u32::try_from(cells).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_experiment_that_ships_is_one_and_takes_no_more_than_two_minutes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs/threads");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let (experiment, _) = Experiment::read(&path).unwrap_or_else(|error| panic!("{error}"));
            let cells = experiment.cells(usize::MAX).len();
            let takes = experiment.takes(cells, experiment.repeats, experiment.duration);
            assert!(takes < Duration::from_secs(120), "{path:?}: {takes:?}");
            assert!(!experiment.expect.is_empty() && !experiment.reasoning.is_empty());
            assert_eq!(path.file_stem().unwrap().to_str(), Some(&*experiment.name));
            names.push(experiment.name);
        }
        names.sort();
        let all = ["disk", "idle", "overload", "threads"].map(|name| format!("capriccio-{name}"));
        assert_eq!(names, all);
    }

    #[test]
    fn nonsense_is_refused() {
        let error = |workload: &str, rest: &str| {
            let text = format!(
                "name='x'\nquestion='?'\nreasoning='.'\nrepeats=1\nduration='1s'\nworkload='{workload}'\n{rest}"
            );
            let experiment: Experiment = toml::from_str(&text).map_err(|e| e.to_string())?;
            experiment.check()
        };
        assert_eq!(error("token", "kinds=['tasks']\nthreads=[1]"), Ok(()));
        for (workload, rest, why) in [
            ("token", "kinds=['tasks']\nrates=[1]", "takes 'threads'"),
            (
                "token",
                "kinds=['tasks']\nthreads=[1]\n[[disk]]\nname='x'",
                "[[disk]]",
            ),
            ("reads", "kinds=['tasks']\nthreads=[1]", "[[disk]]"),
            (
                "overload",
                "kinds=['fibers']\nthreads=[1]\n[[disk]]\nname='x'",
                "takes 'rates'",
            ),
            (
                "token",
                "kinds=['fibers-resource']\nthreads=[1]",
                "do not do this",
            ),
            ("token", "kinds=[]\nthreads=[1]", "must not be empty"),
            ("token", "kinds=['ants']\nthreads=[1]", "unknown variant"),
            ("sleep", "kinds=['tasks']\nthreads=[1]", "unknown variant"),
            (
                "token",
                "kinds=['tasks']\nthreads=[1]\n[[expect]]\ntext='x'\nratio='tasks@connections=2 / tasks >= 1'",
                "there is no cell",
            ),
        ] {
            let error = error(workload, rest).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
