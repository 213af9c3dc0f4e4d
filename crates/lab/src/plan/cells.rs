//! From axes to cells: every combination that is not excluded.

mod loads;
mod places;
mod protocol;

use std::sync::Arc;
use std::time::Duration;

use contracts::Unknown;
use results::{Factor, Factors, Level};
use workload::{Arrival, Preset, RateStages};

use crate::spec::expression::{CellName, matches_level};
use crate::spec::external::{External, Protocol};
use loads::loads;
use places::places;

use crate::spec::{Experiment, Flags, Load, Loop, Model, Network, NetworkCell, OneOrMany, scalar};

/// The most cells, before any is excluded.
const MAX_CELLS: usize = 10_000;

/// One combination of everything that is varied.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What it is, by factor.
    pub factors: Factors,
    /// Who serves.
    pub server: Server,
    /// What is served and asked for.
    pub files: Preset,
    /// How it is asked for.
    pub load: LoadCell,
    /// Memory of the server.
    pub memory_limit: Option<u64>,
    /// How many cores the server may use, if not all of its own.
    pub cores: Option<usize>,
    /// Flags of `archbench disk`, if the files are on a slow one.
    pub disk: Option<Vec<String>>,
    /// What server and generator speak over.
    pub network: NetworkCell,
}

/// Who serves.
#[derive(Debug, Clone)]
pub enum Server {
    /// One of our architectures.
    Model {
        /// As `archbench serve --model` calls it.
        model: String,
        /// Its flags.
        flags: Vec<String>,
    },
    /// Somebody else's server.
    External(Arc<External>),
}

/// A load with every knob at one value.
#[derive(Debug, Clone)]
pub struct LoadCell {
    /// Who decides when the next request comes.
    pub kind: Loop,
    /// Clients or connections.
    pub connections: u64,
    /// Per second.
    pub rate: Option<f64>,
    /// How arrivals are spaced.
    pub arrival: Option<Arrival>,
    /// A rate that changes.
    pub stages: Option<RateStages>,
    /// Requests of a session.
    pub session_requests: Option<u32>,
    /// Think time.
    pub think: Option<Duration>,
    /// Whether think times are drawn exponentially.
    pub think_exponential: bool,
    /// The rest, as flags of `archbench load`.
    pub flags: Vec<String>,
}

impl LoadCell {
    /// What is spoken to the server.
    pub fn protocol(&self) -> Protocol {
        match self.flags.iter().any(|flag| flag == "--http2") {
            true => Protocol::Http2,
            false => Protocol::Http1,
        }
    }

    /// How long a trial asks: stages say so themselves, and hold the warm-up.
    pub fn length(&self, warm_up: Duration, duration: Duration) -> Duration {
        let stages = self.stages.as_ref().and_then(RateStages::duration);
        stages.unwrap_or(warm_up + duration)
    }
}

/// The factors there are: name, column, unit.
const FACTORS: [(&str, &str, &str); 19] = [
    ("model", "model", ""),
    ("option", "option", ""),
    ("load", "load", ""),
    ("files", "files", ""),
    ("file_size", "file_size_bytes", "B"),
    ("dataset", "dataset_over_memory_limit", "× memory limit"),
    ("connections", "connections", "connections"),
    ("idle", "idle", "connections"),
    ("storm", "storm", "connections"),
    ("rate", "rate_per_s", "requests/s"),
    ("session_requests", "session_requests", "requests"),
    ("think", "think_s", "s"),
    ("memory_limit", "memory_limit_bytes", "B"),
    ("cores", "server_cores", "cores"),
    ("disk", "disk", ""),
    ("network", "network", ""),
    ("rtt", "rtt_s", "s"),
    ("link_rate", "link_rate_bits_per_s", "bit/s"),
    ("loss", "loss_share", ""),
];

/// The factors that the cells have.
pub fn factors(cells: &[Cell]) -> Vec<Factor> {
    FACTORS
        .iter()
        .filter(|(name, ..)| cells.iter().any(|cell| cell.factors.contains_key(*name)))
        .map(|(name, column, unit)| Factor {
            name: (*name).into(),
            column: (*column).into(),
            unit: (*unit).into(),
            unknown: Unknown::new(),
        })
        .collect()
}

/// All cells of an experiment over `models` and the servers that are not ours.
///
/// # Errors
/// When there are none, or a combination makes no sense; in words.
pub fn cells(
    experiment: &Experiment,
    models: &[Model],
    externals: &[Arc<External>],
) -> Result<Vec<Cell>, String> {
    let combinations = how_many(experiment, models.len() + externals.len());
    if combinations > MAX_CELLS {
        return Err(format!(
            "all axes together make {combinations} cells, and {MAX_CELLS} are the most"
        ));
    }
    let ours = models.iter().flat_map(|model| variants(experiment, model));
    // Flags of ours are nothing to them, so they have no variants.
    let foreign = externals.iter().map(|external| {
        let level = Level::from(external.label.as_str());
        let factors = Factors::from([("model".into(), level)]);
        (factors, Server::External(Arc::clone(external)))
    });
    let mut cells = Vec::new();
    for (who, server) in ours.chain(foreign) {
        for (load_factors, load) in loads(experiment) {
            for place in places(experiment)? {
                for (network_factors, network) in networks(experiment) {
                    let mut factors = who.clone();
                    factors.extend(load_factors.clone());
                    factors.extend(place.factors.clone());
                    factors.extend(network_factors);
                    cells.push(Cell {
                        factors,
                        server: server.clone(),
                        files: place.files,
                        load: load.clone(),
                        memory_limit: place.memory_limit,
                        cores: place.cores,
                        disk: place.disk.clone(),
                        network,
                    });
                }
            }
        }
    }
    let all: Vec<_> = cells.iter().map(|cell| &cell.factors).collect();
    distinct(&all)?;
    for (name, value) in experiment.exclude.iter().flatten() {
        let texts = texts(value);
        if texts.is_empty() {
            return Err(format!("exclude has no level for '{name}'"));
        }
        for text in texts {
            let part = CellName(vec![(name.clone(), text.clone())]);
            if !all.iter().any(|factors| part.matches(factors)) {
                let hint = part.hint(&all);
                return Err(format!(
                    "exclude names '{name}' = '{text}', which no cell has{hint}"
                ));
            }
        }
    }
    cells.retain(|cell| {
        !experiment
            .exclude
            .iter()
            .any(|exclusion| is_excluded(cell, exclusion))
    });
    if cells.is_empty() {
        return Err("every cell is excluded".into());
    }
    protocol::check(&cells)?;
    Ok(cells)
}

/// Sees to it that no two cells are called alike: nobody could tell afterwards which is which.
fn distinct(all: &[&Factors]) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    let named = |factors: &&Factors| {
        let levels = factors
            .iter()
            .map(|(name, level)| format!("{name}={level}"));
        levels.collect::<Vec<_>>().join(", ")
    };
    match all
        .iter()
        .map(named)
        .find(|name| !seen.insert(name.clone()))
    {
        Some(name) => Err(format!(
            "two cells are called {name}: one of these values is twice in its list; leave one out"
        )),
        None => Ok(()),
    }
}

/// How many cells the axes make, before they are listed: at least as many as there are, for loads do not have every axis.
fn how_many(experiment: &Experiment, models: usize) -> usize {
    fn axis<T>(values: &[T]) -> usize {
        values.len().max(1)
    }
    fn either<T>(sweep: &[T], own: Option<&OneOrMany<T>>) -> usize {
        axis(sweep).max(own.map_or(1, |own| own.0.len()))
    }
    let sweep = &experiment.sweep;
    let load = |load: &Load| {
        [
            either(&sweep.connections, Some(&load.connections)),
            either(&sweep.rate, load.rate.as_ref()),
            either(&sweep.think, load.think.as_ref()),
            either(&[], load.session_requests.as_ref()),
            either(&[], load.idle.as_ref()),
            either(&[], load.storm.as_ref()),
        ]
        .into_iter()
        .fold(1, usize::saturating_mul)
    };
    let loads = experiment
        .load
        .iter()
        .map(load)
        .fold(0, usize::saturating_add);
    [
        models,
        loads,
        axis(&sweep.option),
        experiment.files.0.len(),
        axis(&sweep.dataset).max(axis(&sweep.file_size)),
        axis(&sweep.memory_limit),
        axis(&sweep.cores),
        axis(&sweep.disk),
        experiment.network.as_ref().map_or(1, Network::count),
    ]
    .into_iter()
    .fold(1, usize::saturating_mul)
}

fn is_excluded(cell: &Cell, exclusion: &std::collections::BTreeMap<String, toml::Value>) -> bool {
    exclusion.iter().all(|(name, value)| {
        let level = cell.factors.get(name);
        level.is_some_and(|level| texts(value).iter().any(|text| matches_level(level, text)))
    })
}

/// The levels that an exclusion names, one or a list.
fn texts(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Array(values) => values.iter().filter_map(scalar).collect(),
        value => scalar(value).into_iter().collect(),
    }
}

fn or_none<T: Copy>(values: &[T]) -> Vec<Option<T>> {
    if values.is_empty() {
        vec![None]
    } else {
        values.iter().copied().map(Some).collect()
    }
}

/// Every variant of a model.
fn variants(experiment: &Experiment, model: &Model) -> Vec<(Factors, Server)> {
    let own = experiment.model_options.get(model.label());
    let own = own.or_else(|| experiment.model_options.get(&model.model));
    let own = own.or_else(|| experiment.model_options.get(&model.family));
    let mut common = experiment.options.0.clone();
    common.extend(own.map_or(&[][..], |Flags(flags)| flags).iter().cloned());
    common.extend(model.options.0.iter().cloned());
    let factors = Factors::from([("model".into(), model.label().into())]);
    let server = |more: &[String]| Server::Model {
        model: model.model.clone(),
        flags: common.iter().chain(more).cloned().collect(),
    };
    if experiment.sweep.option.is_empty() {
        return vec![(factors, server(&[]))];
    }
    let variant = |variant: &crate::spec::Variant| {
        let mut factors = factors.clone();
        factors.insert("option".into(), variant.name.as_str().into());
        (factors, server(&variant.options.0))
    };
    experiment.sweep.option.iter().map(variant).collect()
}

/// What server and generator speak over: only what the experiment says something about is a factor.
fn networks(experiment: &Experiment) -> Vec<(Factors, NetworkCell)> {
    let Some(network) = &experiment.network else {
        return vec![(Factors::default(), NetworkCell::default())];
    };
    let factors = |cell: &NetworkCell| {
        let kind = ("network".to_owned(), cell.kind.name().into());
        let mut factors = Factors::from([kind]);
        let mut put = |name: &str, level: Option<f64>| {
            factors.extend(level.map(|level| (name.to_owned(), level.into())));
        };
        if let Some(link) = cell.link {
            put("rtt", Some(link.rtt.as_secs_f64()));
            put("link_rate", link.rate.map(|rate| rate as f64));
            put("loss", link.loss);
        }
        factors
    };
    let cells = network.cells();
    cells
        .into_iter()
        .map(|cell| (factors(&cell), cell))
        .collect()
}

#[cfg(test)]
mod tests;
