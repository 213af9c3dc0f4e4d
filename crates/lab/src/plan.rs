//! Which trials there are, in which order, and how long they take.

pub mod cells;
pub mod expected;
mod generator;
pub mod models;
mod split;
mod told;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use cells::{Cell, Server};
use results::MAX_TRIALS;

pub use told::minutes;

use crate::Failure;
use crate::cores::{self, Cores};
use crate::spec::external::{self, External};
use crate::spec::{Experiment, Model, Models, Network, did_you_mean};
use crate::trial::upstream;

/// An experiment, ready to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All cells.
    pub cells: Vec<Cell>,
    /// All trials, in order: blocks of every cell once, each block shuffled by the seed.
    pub trials: Vec<PlannedTrial>,
    /// Where both sides run.
    pub cores: Cores,
    /// The generator, if it is not ours.
    pub generator: Option<Arc<External>>,
    /// The servers that are not ours and take part, and the generator.
    pub externals: Vec<Arc<External>>,
    /// What is to be kept in mind: which are left out, and what disturbs.
    pub notices: Vec<String>,
}

/// A trial to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedTrial {
    /// Which cell.
    pub cell: usize,
    /// Which repeat, from 1; also the number of its block.
    pub repeat: usize,
    /// Its place, from 1.
    pub order: usize,
    /// How many times it has been made, this one included.
    pub attempt: usize,
}

impl PlannedTrial {
    /// The name of its files.
    pub fn id(&self) -> String {
        let name = format!("c{:03}-r{}", self.cell, self.repeat);
        match self.attempt {
            1 => name,
            attempt => format!("{name}-a{attempt}"),
        }
    }
}

impl Plan {
    /// Plans an experiment, which was read from `config`, and checks all that can be checked before the first trial: cells, flags,
    /// expectations, cores. Servers that are not installed are left out.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn new(experiment: &Experiment, config: &Path, archbench: &Path) -> Result<Self, Failure> {
        let catalogue = models::list(archbench)?;
        let models = models::chosen(&experiment.models, &catalogue);
        // First of all: cells are named after them.
        if let Models::Some(models) = &experiment.models {
            let names: BTreeSet<_> = models.iter().map(|model| &model.model).collect();
            for name in names {
                models::check(archbench, name, &[])?;
            }
        }
        let externals = external::read_all(&experiment.server, config)?;
        if experiment
            .network
            .as_ref()
            .is_some_and(Network::takes_two_hosts)
        {
            externals
                .iter()
                .try_for_each(|external| external.check_address())?;
        }
        if let Some(upstream) = &experiment.upstream {
            models::check(archbench, &upstream.model, &upstream.options.0)?;
        } else {
            externals
                .iter()
                .try_for_each(|external| external.check_upstream())?;
        }
        let mut plan = Self::of(experiment, &models, externals, &cores::available())?;
        for cell in &plan.cells {
            if let Server::External(external) = &cell.server {
                external.check_protocol(cell.load.protocol())?;
            }
        }
        let left_out = models::left_out(&experiment.models, &catalogue);
        plan.notices.extend(left_out);
        if let Some(name) = &experiment.generator {
            let generator = external::read_generator(name, config)?;
            generator::check(&generator, &plan.cells)?;
            plan.externals.push(Arc::clone(&generator));
            plan.generator = Some(generator);
        }
        let servers: BTreeSet<_> = plan
            .cells
            .iter()
            .filter_map(|cell| match &cell.server {
                Server::Model { model, flags } if !flags.is_empty() => Some((model, flags)),
                _ => None,
            })
            .collect();
        for (model, flags) in servers {
            // Where it will be is known when it is there.
            let behind = experiment.upstream.as_ref().map(|_| "127.0.0.1:1");
            models::check(archbench, model, &upstream::filled(flags, behind))?;
        }
        Ok(plan)
    }

    /// The plan over `models` and the servers that are not ours, on a machine with `available` cores; whether the models have the flags is not asked.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(
        experiment: &Experiment,
        models: &[Model],
        mut externals: Vec<Arc<External>>,
        available: &[usize],
    ) -> Result<Self, String> {
        check_names(experiment, models)?;
        let (models, left_out) = models::reachable(experiment, models)?;
        let mut cells = cells::cells(experiment, &models, &externals)?;
        if experiment.repeats > MAX_TRIALS / cells.len() {
            return Err(format!(
                "{} cells, each measured {} times, are more than {MAX_TRIALS} trials",
                cells.len(),
                experiment.repeats
            ));
        }
        let factors: Vec<_> = cells.iter().map(|cell| &cell.factors).collect();
        for expect in &experiment.expect {
            expected::check(&expect.ratio.0, &factors)?;
        }
        let missing = externals.iter().filter_map(|one| one.missing());
        let mut notices: Vec<_> = missing.chain(left_out).collect();
        externals.retain(|one| one.missing().is_none());
        cells.retain(|cell| match &cell.server {
            Server::External(external) => external.missing().is_none(),
            Server::Model { .. } => true,
        });
        if cells.is_empty() {
            return Err(notices.join("; "));
        }
        notices.extend(cells.iter().find_map(crowded));
        let cores = split::cores(experiment, available)?;
        if cores.overlap() {
            notices.push("server and generator share a core, so each disturbs the other".into());
        }
        Ok(Self {
            generator: None,
            externals,
            notices,
            trials: order(cells.len(), experiment.repeats, experiment.seed),
            cores,
            cells,
        })
    }

    /// How long some trials take.
    pub fn duration(&self, experiment: &Experiment, trials: usize) -> Duration {
        let (warm_up, duration) = (experiment.warm_up.0, experiment.duration.0);
        let lengths = self
            .cells
            .iter()
            .map(|cell| cell.load.length(warm_up, duration));
        let mean = lengths.sum::<Duration>() / u32::try_from(self.cells.len().max(1)).unwrap_or(1);
        (mean + overhead()).saturating_mul(u32::try_from(trials).unwrap_or(u32::MAX))
    }
}

/// What a trial takes beyond its schedule, in the mean: starting and stopping a server, prefilling.
pub fn overhead() -> Duration {
    Duration::from_millis(700)
}

fn check_names(experiment: &Experiment, models: &[Model]) -> Result<(), String> {
    for server in &experiment.server {
        if models.iter().any(|model| model.label() == server.label()) {
            let name = server.label();
            return Err(format!(
                "a model and a [[server]] are called '{name}'; give the server a name of its own"
            ));
        }
    }
    for name in experiment.model_options.keys() {
        let known = || {
            models
                .iter()
                .flat_map(|model| [model.label(), &model.model, &model.family])
        };
        if !known().any(|known| known == name) {
            let hint = did_you_mean(name, known());
            return Err(format!(
                "model_options names '{name}', which is no model or family here{hint}"
            ));
        }
    }
    Ok(())
}

fn order(cells: usize, repeats: usize, seed: u64) -> Vec<PlannedTrial> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut trials = Vec::with_capacity(cells * repeats);
    for repeat in 1..=repeats {
        let mut block: Vec<usize> = (0..cells).collect();
        block.shuffle(&mut rng);
        for cell in block {
            let order = trials.len() + 1;
            trials.push(PlannedTrial {
                cell,
                repeat,
                order,
                attempt: 1,
            });
        }
    }
    trials
}

/// What to say of a server that may fill its limited memory with what it holds.
fn crowded(cell: &Cell) -> Option<String> {
    let Server::Model { model, flags } = &cell.server else {
        return None;
    };
    let flag = "--content-cache";
    let told = flags
        .iter()
        .any(|given| given == flag || given.starts_with("--content-cache="));
    (cell.memory_limit.is_some() && !told).then(|| {
        format!(
            "memory is limited, and the content cache of {model} is not: what it holds is locked, in part, and counts against \
             the limit; give the server a {flag} well below that, or 0"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_holds_every_cell_once_in_an_order_of_its_own() {
        let trials = order(8, 3, 1);
        assert_eq!(trials, order(8, 3, 1));
        assert_ne!(trials, order(8, 3, 2));
        let blocks: Vec<Vec<usize>> = trials
            .chunks(8)
            .map(|block| block.iter().map(|t| t.cell).collect())
            .collect();
        for block in &blocks {
            let mut sorted = block.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..8).collect::<Vec<_>>());
        }
        assert!(blocks[0] != blocks[1] && blocks[1] != blocks[2]);
        assert_eq!(trials[23].id(), format!("c{:03}-r3", blocks[2][7]));
    }

    #[test]
    fn a_plan_is_of_a_size_that_can_be_done() {
        let of = |extra: &str| {
            let text = format!("name='x'\nquestion='?'\nmodels=['a']\n{extra}");
            let experiment = Experiment::parse(&text, Path::new("x")).unwrap();
            let Models::Some(models) = &experiment.models else {
                panic!("a list");
            };
            Plan::of(&experiment, models, Vec::new(), &[0, 1])
                .map(|plan| plan.describe(&experiment))
        };
        let load = "load=[{name='closed'}]";
        let error = of(&format!(
            "duration='1s'\nrepeats=9000000000000000000\n{load}"
        ));
        assert!(error.unwrap_err().contains("more than 100000 trials"));
        let many = vec!["1"; 100].join(",");
        let axes = format!(
            "sweep={{connections=[{many}],think=['{}'],cores=[{many}]}}",
            vec!["1s"; 100].join("','")
        );
        let error = of(&format!("duration='1s'\n{load}\n{axes}"));
        assert!(error.unwrap_err().contains("1000000 cells"));
        assert!(
            of(&format!(
                "duration='5000000h'\nwarm_up='5000000h'\nrepeats=100000\n{load}"
            ))
            .is_ok()
        );
    }

    #[test]
    fn who_takes_an_interface_is_measured_where_there_is_one() {
        let models = ["plain", "taking"].map(|name| Model {
            takes_interface: name == "taking",
            ..Model::named(name)
        });
        let plan = |wanted: &str, network: &str| {
            let text = format!(
                "name='x'\nquestion='?'\nmodels={wanted}\nduration='1s'\nload=[{{name='closed'}}]\n{network}"
            );
            let experiment = Experiment::parse(&text, Path::new("x")).unwrap();
            Plan::of(&experiment, &models, Vec::new(), &[0, 1])
        };
        let veth = plan("['plain', 'taking']", "network={kind='veth'}").unwrap();
        assert_eq!((veth.cells.len(), veth.notices.len()), (2, 0));
        let networks = [
            "",
            "network={kind=['loopback','veth']}",
            "network={rtt='1ms'}",
        ];
        for network in networks {
            let error = plan("['plain', 'taking']", network).unwrap_err();
            assert!(
                error.contains("model 'taking' takes an Ethernet"),
                "{error}"
            );
            let all = plan("'all'", network).unwrap();
            assert!(all.notices[0].contains("taking is left out"));
            let is_plain = |cell: &Cell| matches!(&cell.server, Server::Model { model, .. } if model == "plain");
            assert!(all.cells.iter().all(is_plain));
        }
    }

    #[test]
    fn what_is_to_be_kept_in_mind_is_said() {
        let notices = |extra: &str| {
            let text = format!(
                "name='x'\nquestion='?'\nmodels=['a']\nduration='1s'\nload=[{{name='closed'}}]\n{extra}"
            );
            let experiment = Experiment::parse(&text, Path::new("x")).unwrap();
            let Models::Some(models) = &experiment.models else {
                panic!("a list");
            };
            Plan::of(&experiment, models, Vec::new(), &[0, 1])
                .unwrap()
                .notices
        };
        assert!(notices("").is_empty());
        let named = notices("memory_limit='32m'");
        assert!(
            named.len() == 1 && named[0].contains("--content-cache"),
            "{named:?}"
        );
        assert!(notices("memory_limit='32m'\noptions='--content-cache 0'").is_empty());
        let shared = notices("server_cores=[0]\ngenerator_cores=[0]");
        assert!(
            shared.len() == 1 && shared[0].contains("share a core"),
            "{shared:?}"
        );
    }
}
