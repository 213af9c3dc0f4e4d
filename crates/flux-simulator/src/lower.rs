//! The program's graph to steps: who does them, how long nodes run, how likely ways are.

use std::collections::BTreeMap;

use flux::graph::{Action, Lock, VertexId};
use flux::profile::Profile;
use flux::program::{Body, Node};
use flux::{Compiled, Graph, picture, syntax};
use flux_runtime::Mode;

use crate::model::{Model, Runtime, Settings, Step};
use crate::times::Times;

impl Model {
    /// A program with what a profile says of it, if there is one. Without one, each way of a fork is as likely as the others, no node
    /// fails, and all sources give as many flows.
    ///
    /// # Errors
    /// What is not known of it, and how to say it.
    pub fn new(
        compiled: &Compiled,
        profile: Option<&Profile>,
        settings: &Settings,
    ) -> Result<Self, String> {
        let weights = profile.map(|profile| profile.weights(compiled));
        if weights.as_ref().is_some_and(|weights| weights.flows == 0) {
            return Err("the profile has counted no flow: let the program run longer".into());
        }
        for name in settings.disk_nodes.iter().chain(&settings.request) {
            let is_it = |node: &Node| node.name == *name && matches!(node.body, Body::Concrete);
            if !compiled.program.nodes.iter().any(is_it) {
                return Err(format!("there is no node '{name}' that is a function"));
            }
        }
        let mut builder = Builder {
            compiled,
            profile,
            weights,
            runs: profile.map_or_else(BTreeMap::new, |profile| profile.runs(compiled)),
            is_of_source: of_sources(&compiled.graph),
            settings,
            model: Self::without_steps(compiled, settings),
        };
        for id in compiled.graph.ids() {
            let step = builder.step(id)?;
            builder.model.steps.push(step);
        }
        builder.sources()?;
        let mut model = builder.model;
        if let Some(request) = &settings.request {
            model.requests = model.share_of_requests();
            if model.requests <= 0.0 {
                return Err(format!("no flow runs '{request}'"));
            }
        }
        Ok(model)
    }

    fn without_steps(compiled: &Compiled, settings: &Settings) -> Self {
        let program = &compiled.program;
        let sources = program.sources.iter().map(|source| {
            let name = format!("source {}", program.name(source.node));
            (name, Some(1))
        });
        let threads = Some(settings.threads);
        let (own, helpers): (&[(&str, _)], _) = match settings.runtime {
            Runtime::Event => (&[("loop", Some(1)), ("helpers", threads)], Some(1)),
            Runtime::Pool => (&[("pool", threads)], None),
            Runtime::Thread => (&[("threads", None)], None),
        };
        let first_source = own.len() as u32;
        let own = own
            .iter()
            .map(|(name, threads)| ((*name).to_owned(), *threads));
        Self {
            steps: Vec::new(),
            times: Vec::new(),
            begins: Vec::new(),
            crews: own.chain(sources).collect(),
            first_source,
            main: 0,
            helpers,
            constraints: program
                .constraints
                .iter()
                .map(|one| (one.name.clone(), one.scope))
                .collect(),
            processors: settings.processors,
            slice: settings.slice.as_nanos() as f64,
            disk_width: settings.disk_width,
            has_disk: !settings.disk_nodes.is_empty(),
            sessions: settings.sessions,
            requests: 1.0,
        }
    }
}

struct Builder<'a> {
    compiled: &'a Compiled,
    profile: Option<&'a Profile>,
    weights: Option<picture::Weights>,
    /// How often flows came to each vertex.
    runs: BTreeMap<VertexId, u64>,
    /// Which vertices are the sources' own.
    is_of_source: Vec<bool>,
    settings: &'a Settings,
    model: Model,
}

impl Builder<'_> {
    fn step(&mut self, id: VertexId) -> Result<Step, String> {
        let number = |id: VertexId| id.0 as u32;
        let mode = |mode| match mode {
            syntax::Mode::Reader => Mode::Reader,
            syntax::Mode::Writer => Mode::Writer,
        };
        let taken = |locks: &[Lock]| locks.iter().map(|one| (one.0.0, mode(one.1))).collect();
        Ok(match &self.compiled.graph.vertex(id).action {
            Action::Call { node, next, error } => {
                let (node, next) = (self.compiled.program.node(*node), number(*next));
                let is_at_disk = self.settings.disk_nodes.contains(&node.name);
                let crew = match self.model.helpers {
                    Some(helpers) if node.may_wait => helpers,
                    _ => self.model.main,
                };
                let times = self.times(id)?;
                self.model.times.push(times);
                let fails = error.map(|error| (self.likely(id, 2, false)[1], number(error)));
                Step::Run {
                    times: (self.model.times.len() - 1) as u32,
                    crew,
                    is_at_disk,
                    is_request: self.settings.request.as_ref() == Some(&node.name),
                    next,
                    error: fails.filter(|(fails, _)| *fails > 0.0),
                }
            }
            action @ Action::Choose { .. } => {
                let ways = action.next();
                let mut until = 0.0;
                let likely = self.likely(id, ways.len(), true);
                let until = likely.into_iter().map(|likely| {
                    until += likely;
                    until
                });
                Step::Fork(until.zip(ways.into_iter().map(number)).collect())
            }
            Action::Acquire { locks, next, .. } => Step::Acquire(taken(locks), number(*next)),
            Action::Release { locks, next } => Step::Release(taken(locks), number(*next)),
            // Where the source ends and the flow begins: nobody comes here who is not met behind it.
            Action::Begin { .. } | Action::End => Step::End,
        })
    }

    /// How likely each of so many ways is, by what was counted; where nothing was, all are alike, or the first is certain.
    fn likely(&self, id: VertexId, ways: usize, are_alike: bool) -> Vec<f64> {
        let count = |place: usize| {
            let edges = self.weights.as_ref().map(|weights| &weights.edges);
            let count = edges.and_then(|edges| edges.get(&(id, place)));
            count.copied().unwrap_or(0) as f64
        };
        let counts: Vec<f64> = (0..ways).map(count).collect();
        let all: f64 = counts.iter().sum();
        if all > 0.0 {
            return counts.iter().map(|count| count / all).collect();
        }
        let alone = |place| if place == 0 { 1.0 } else { 0.0 };
        (0..ways)
            .map(|place| {
                if are_alike {
                    1.0 / ways as f64
                } else {
                    alone(place)
                }
            })
            .collect()
    }

    /// How long a node runs: as it was observed there, or elsewhere in the program, or as is said.
    fn times(&self, id: VertexId) -> Result<Times, String> {
        if self.is_of_source[id.0] {
            return Ok(Times::Constant(0.0));
        }
        let kind = self.settings.service_times;
        let node = |id: VertexId| match self.compiled.graph.vertex(id).action {
            Action::Call { node, .. } => Some(node),
            _ => None,
        };
        let observed = self.profile.and_then(|profile| {
            let here = profile.steps.get(&id);
            let elsewhere = profile
                .steps
                .iter()
                .filter(|(other, _)| node(**other) == node(id));
            here.and_then(|times| Times::of(times, kind)).or_else(|| {
                elsewhere
                    .filter_map(|(_, times)| Times::of(times, kind))
                    .next()
            })
        });
        let said = || {
            let time = self.settings.node_time?;
            Some(Times::of_mean(time.as_nanos() as f64, kind))
        };
        if let Some(times) = observed.or_else(said) {
            return Ok(times);
        }
        let name = node(id).map_or("", |node| self.compiled.program.name(node));
        match self.profile {
            // What no flow has come to takes no time of any.
            Some(_) if !self.runs.contains_key(&id) => Ok(Times::Constant(0.0)),
            Some(_) => Err(format!(
                "flows ran '{name}', and none of those that were timed did: profile for longer, or say --node-time"
            )),
            None => Err(format!(
                "nobody knows how long '{name}' takes: name a profile, or say --node-time, like --node-time 1ms"
            )),
        }
    }

    /// Where flows begin: behind their sources, whose own nodes are no more than a time.
    fn sources(&mut self) -> Result<(), String> {
        let graph = &self.compiled.graph;
        let source_time = match self.settings.source_time {
            Some(time) => time.as_nanos() as f64,
            None => self.outside_of_nodes(),
        };
        if graph.entries.is_empty() {
            let fragments = graph.fragments.iter().map(|begin| (begin.0 as u32, 1.0));
            self.model.begins = fragments.collect();
        }
        for (number, entry) in graph.entries.iter().enumerate() {
            let mut begin = entry.begin.0 as u32;
            if source_time > 0.0 {
                // Where they are no nodes, whoever runs the loop asks them from it.
                let is_on_loop = self.settings.runtime == Runtime::Event
                    && self.profile.is_some_and(|profile| !profile.is_sourced);
                let crew = match is_on_loop {
                    true => self.model.main,
                    false => self.model.first_source + number as u32,
                };
                self.model.times.push(Times::Constant(source_time));
                self.model.steps.push(Step::Run {
                    times: (self.model.times.len() - 1) as u32,
                    crew,
                    is_at_disk: false,
                    is_request: false,
                    next: begin,
                    error: None,
                });
                begin = (self.model.steps.len() - 1) as u32;
            }
            let flows = match self.profile {
                Some(profile) => self.flows_of(profile, number),
                None => 1.0,
            };
            self.model.begins.push((begin, flows));
        }
        if self.model.begins.is_empty() {
            return Err("there is no flow in it".into());
        }
        let all: f64 = self.model.begins.iter().map(|(_, flows)| flows).sum();
        for (_, flows) in &mut self.model.begins {
            *flows /= all;
        }
        Ok(())
    }

    /// How many flows a source has begun.
    fn flows_of(&self, profile: &Profile, source: usize) -> f64 {
        let flows = profile.paths.iter().filter(|(path, _)| {
            let path = self.compiled.paths.path(&self.compiled.graph, **path);
            path.is_some_and(|(of, _)| of == source)
        });
        flows.map(|(_, flows)| *flows as f64).sum()
    }

    /// What the processors have done for each flow besides running its nodes, in nanoseconds: its source, and the runtime.
    fn outside_of_nodes(&self) -> f64 {
        let Some((profile, used)) = self.profile.and_then(|one| Some((one, one.processor_ns?)))
        else {
            return 0.0;
        };
        let in_nodes: f64 = self
            .runs
            .iter()
            .map(|(id, runs)| match self.model.steps[id.0] {
                Step::Run {
                    times,
                    is_at_disk: false,
                    ..
                } => *runs as f64 * self.model.times[times as usize].mean(),
                _ => 0.0,
            })
            .sum();
        ((used as f64 - in_nodes) / profile.flows() as f64).max(0.0)
    }
}

/// Which vertices lie between the beginning of a source and its result.
fn of_sources(graph: &Graph) -> Vec<bool> {
    let mut is_of_source = vec![false; graph.vertices.len()];
    let mut open: Vec<VertexId> = graph.entries.iter().map(|entry| entry.source).collect();
    while let Some(at) = open.pop() {
        let action = &graph.vertex(at).action;
        if matches!(action, Action::Begin { .. } | Action::End) {
            continue;
        }
        if !std::mem::replace(&mut is_of_source[at.0], true) {
            open.extend(action.next());
        }
    }
    is_of_source
}
