//! The whole of an experiment file.

use std::collections::BTreeMap;
use std::path::Path;

use contracts::Unknown;
use contracts::load::Loop;
use results::{Expectation, Figure, TimeFigure};
use serde::Deserialize;
use workload::Preset;

use super::cache::Cache;
use super::error::Error;
use super::expression::Expression;
use super::flags::Flags;
use super::hosts::{HostOptions, Hosts};
use super::load::Load;
use super::network::Network;
use super::objective::Objective;
use super::quantity::{OneOrMany, Size, Text, Time};
use super::servers::{Foreign, Model, Models};
use super::sweep::Sweep;

/// An experiment file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Short, for the results folder.
    pub name: String,
    /// What is to be found out.
    pub question: String,
    /// Why it is made as it is.
    #[serde(default)]
    pub reasoning: String,
    /// What should come out.
    #[serde(default)]
    pub expect: Vec<Expect>,
    /// File sets, each a preset like `specweb99:4`.
    #[serde(default = "default_files")]
    pub files: OneOrMany<Text<Preset>>,
    /// Architectures: `"all"`, one of each family (`"families"`), or a list of names and tables.
    #[serde(default)]
    pub models: Models,
    /// Servers that are not ours; cells name them like models.
    #[serde(default)]
    pub server: Vec<Foreign>,
    /// A server behind those that are measured, for those that pass requests on: `@upstream@` in their flags and templates is its host
    /// and port. It serves the same files.
    pub upstream: Option<Model>,
    /// The generator, if it is not ours: `external/NAME.toml` beside the experiment says how it is started.
    pub generator: Option<String>,
    /// Flags of `archbench serve` for every model.
    #[serde(default)]
    pub options: Flags,
    /// Flags of `archbench serve` for one model, by its name, or for those of a family that are not named.
    #[serde(default)]
    pub model_options: BTreeMap<String, Flags>,
    /// Loads.
    pub load: Vec<Load>,
    /// Axes that hold for every model and load.
    #[serde(default)]
    pub sweep: Sweep,
    /// Cells to leave out: a table of factors that they all have.
    #[serde(default)]
    pub exclude: Vec<BTreeMap<String, toml::Value>>,
    /// How often every cell is measured, each time with a server started afresh.
    #[serde(default = "default_repeats")]
    pub repeats: usize,
    /// How often a trial is made, at most, when its generator was disturbed (INVALID). All attempts are kept; what a trial came
    /// to says nothing about whether it is made again, only what came to its generator.
    #[serde(default = "default_attempts")]
    pub attempts: usize,
    /// What is cut off at the start of a trial.
    #[serde(default = "default_warm_up")]
    pub warm_up: Time,
    /// How long a trial is measured.
    pub duration: Time,
    /// How long an answer is waited for.
    #[serde(default = "default_timeout")]
    pub timeout: Time,
    /// What orders the trials and feeds arrivals.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Objectives, like `p(99)<10ms`.
    #[serde(default)]
    pub slo: Vec<Text<Objective>>,
    /// Cores of the server; without it, the lab splits what there is.
    pub server_cores: Option<Vec<usize>>,
    /// Cores of the generator.
    pub generator_cores: Option<Vec<usize>>,
    /// What is done to the page cache before a trial.
    #[serde(default)]
    pub cache: Cache,
    /// Memory of the server, page cache included.
    pub memory_limit: Option<Size>,
    /// What server and generator speak over; loopback if not given.
    pub network: Option<Network>,
    /// Where server and generators run, if not here.
    #[serde(default)]
    pub hosts: Hosts,
    /// Whether a trial's packets are captured, at both ends where there are two hosts.
    #[serde(default)]
    pub wire: bool,
}

/// Something that should come out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// For people.
    pub text: String,
    /// A ratio between cells and its bound.
    pub ratio: Text<Expression>,
}

impl Experiment {
    /// Reads a file; gives its text too.
    ///
    /// # Errors
    /// What is wrong, on which line.
    pub fn read(path: &Path) -> Result<(Self, String), Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
            path: path.into(),
            source,
        })?;
        Ok((Self::parse(&text, path)?, text))
    }

    /// Reads the text of a file; `path` is only for errors.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let experiment: Self =
            toml::from_str(text).map_err(|error| Error::toml(path, text, &error))?;
        experiment.check().map_err(|what| Error::Nonsense {
            path: path.into(),
            what,
        })?;
        Ok(experiment)
    }

    /// The same with the hosts that the command line names; `path` is only for errors.
    ///
    /// # Errors
    /// When it makes no sense on them.
    pub fn on(mut self, options: &HostOptions, path: &Path) -> Result<Self, Error> {
        self.hosts = options.over(self.hosts);
        self.check().map_err(|what| Error::Nonsense {
            path: path.into(),
            what,
        })?;
        Ok(self)
    }

    /// What is expected, as it was written.
    pub fn expectations(&self) -> Vec<Expectation> {
        let written = |expect: &Expect| Expectation {
            text: expect.text.clone(),
            ratio: expect.ratio.0.text.clone(),
            unknown: Unknown::new(),
        };
        self.expect.iter().map(written).collect()
    }

    /// The objectives, as they are printed.
    pub fn objectives(&self) -> Vec<String> {
        self.slo.iter().map(|slo| slo.0.to_string()).collect()
    }

    fn check(&self) -> Result<(), String> {
        named(&self.name)?;
        self.check_loads()?;
        self.check_servers()?;
        let Sweep { option, disk, .. } = &self.sweep;
        twice("option", option.iter().map(|option| option.name.as_str()))?;
        twice("disk", disk.iter().map(|disk| disk.name.as_str()))?;
        if let Some(network) = &self.network {
            network.check()?;
        }
        self.hosts.check()?;
        self.check_what_is_elsewhere()?;
        if self.repeats == 0 || self.attempts == 0 || self.duration.0.is_zero() {
            return Err("repeats, attempts and duration must be more than 0".into());
        }
        self.check_objectives()?;
        if !self.sweep.rate.is_empty() && self.all_loads_are_closed() {
            return Err(
                "no load goes by the rates of [sweep]; give one an arrival, poisson or constant"
                    .into(),
            );
        }
        self.check_dataset()
    }

    fn check_loads(&self) -> Result<(), String> {
        if self.load.is_empty() {
            return Err("there is no [[load]]".into());
        }
        for load in &self.load {
            named(&load.name)?;
            load.check(&self.sweep)
                .map_err(|what| format!("load '{}': {what}", load.name))?;
        }
        twice("load", self.load.iter().map(|load| load.name.as_str()))
    }

    fn check_servers(&self) -> Result<(), String> {
        if let Models::Some(models) = &self.models {
            if models.is_empty() && self.server.is_empty() {
                return Err("it has neither models nor a [[server]]".into());
            }
            for model in models {
                named(model.label())?;
            }
            let foreign = self.server.iter().map(Foreign::label);
            twice("model", models.iter().map(Model::label).chain(foreign))?;
        }
        if let Some(generator) = &self.generator {
            named(generator)?;
        }
        for server in &self.server {
            named(&server.external)?;
            named(server.label())?;
        }
        Ok(())
    }

    fn check_objectives(&self) -> Result<(), String> {
        let has_sessions = |load: &Load| load.kind() == Loop::PartlyOpen;
        for Text(slo) in &self.slo {
            if slo.is_of_sessions() && !self.load.iter().any(has_sessions) {
                return Err(format!(
                    "the objective {slo} is about sessions, and no load has session_requests"
                ));
            }
            let is_of_responses = matches!(slo.figure, Figure::Time(TimeFigure::Response, _));
            if is_of_responses && self.all_loads_are_closed() {
                return Err(format!(
                    "the objective {slo} is about response times, and every load is closed: leave out 'response:'"
                ));
            }
        }
        Ok(())
    }

    fn all_loads_are_closed(&self) -> bool {
        self.load.iter().all(|load| load.kind() == Loop::Closed)
    }

    fn check_dataset(&self) -> Result<(), String> {
        let Sweep { dataset, .. } = &self.sweep;
        if dataset.is_empty() {
            return Ok(());
        }
        if !self.sweep.file_size.is_empty() {
            return Err("a dataset says how many files there are, and file_size how large: sweep one of them".into());
        }
        if self.memory_limit.is_none() && self.sweep.memory_limit.is_empty() {
            return Err("dataset is a multiple of memory_limit, which is not given".into());
        }
        let makes_sense = |ratio: &f64| *ratio > 0.0 && *ratio <= 1000.0;
        if !dataset.iter().all(makes_sense) {
            return Err("a dataset is a multiple of memory_limit, above 0".into());
        }
        Ok(())
    }
}

/// Whether folders and cells can be called so.
fn named(name: &str) -> Result<(), String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    match !name.is_empty() && name.chars().all(fits) {
        true => Ok(()),
        false => Err(format!(
            "the name '{name}' must be of letters, digits, '-', '_' and '.'"
        )),
    }
}

impl Experiment {
    /// What only the lab's own host has.
    fn check_what_is_elsewhere(&self) -> Result<(), String> {
        let Hosts { server, generators } = &self.hosts;
        let at_server = [
            (self.cache != Cache::AsIs, "cache (other than \"as-is\")"),
            (
                self.memory_limit.is_some() || !self.sweep.memory_limit.is_empty(),
                "memory_limit",
            ),
            (!self.sweep.disk.is_empty(), "disk"),
            (!self.server.is_empty(), "[[server]]"),
        ];
        let anywhere = [
            (self.network.is_some(), "[network]"),
            (self.wire, "wire"),
            (self.upstream.is_some(), "upstream"),
        ];
        let at_generators = [(self.generator.is_some(), "generator")];
        let asked = [
            (server.is_some(), &at_server[..]),
            (server.is_some() || generators.is_some(), &anywhere),
            (generators.is_some(), &at_generators),
        ];
        for (_, limits) in asked.into_iter().filter(|(is_elsewhere, _)| *is_elsewhere) {
            if let Some((_, what)) = limits.iter().find(|(is_there, _)| *is_there) {
                return Err(format!(
                    "{what} is seen to where the lab runs, and cannot be together with [hosts]"
                ));
            }
        }
        Ok(())
    }
}

fn twice<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!(
                "two of {what} are called '{name}'; give one another name"
            ));
        }
    }
    Ok(())
}

fn default_files() -> OneOrMany<Text<Preset>> {
    OneOrMany(vec![Text(workload::default_file_set().preset())])
}

fn default_repeats() -> usize {
    3
}

fn default_attempts() -> usize {
    2
}

fn default_warm_up() -> Time {
    Time(std::time::Duration::from_millis(500))
}

fn default_timeout() -> Time {
    Time(std::time::Duration::from_secs(5))
}

fn default_seed() -> u64 {
    1
}
