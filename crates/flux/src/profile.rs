//! What a program has counted of itself while it ran: which paths its flows took, and how long its nodes.

use std::collections::BTreeMap;

use crate::Compiled;
use crate::emit::states;
use crate::graph::{Action, VertexId};
use crate::picture::Weights;

/// What a profile has to begin with.
const HEADING: &str = "flux-profile 1";

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// How many flows took each path, by its number.
    pub paths: BTreeMap<u64, u64>,
    /// How long steps took, by vertex.
    pub steps: BTreeMap<VertexId, Times>,
    /// What all threads have used of the processors meanwhile, in nanoseconds, if the system told.
    pub processor_ns: Option<u64>,
    /// Whether its sources were nodes, and not somebody else's.
    pub is_sourced: bool,
}

/// How long a step took, by those that were timed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// How many were.
    pub count: u64,
    /// All of them together, in nanoseconds.
    pub total_ns: u64,
    /// How many fell into each class that is not empty, by the least time of the class in nanoseconds; there are four classes for each
    /// power of two, so the next begins a quarter to an eighth above.
    pub classes: Vec<(u64, u64)>,
}

impl Times {
    /// In nanoseconds; none where none was timed.
    pub fn mean_ns(&self) -> Option<f64> {
        (self.count > 0).then(|| self.total_ns as f64 / self.count as f64)
    }
}

/// A path, and what went along it.
#[derive(Debug, Clone, PartialEq)]
pub struct HotPath {
    /// Its number.
    pub number: u64,
    /// The nodes on it, from the source's.
    pub nodes: Vec<String>,
    /// How many flows took it.
    pub flows: u64,
    /// What one of them takes on the average, in nanoseconds, by the times of its nodes.
    pub mean_ns: f64,
}

/// A node, and how long it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Busy {
    /// Its name.
    pub node: String,
    /// How often it ran, by the paths that were taken.
    pub runs: u64,
    /// How long it takes on the average, in nanoseconds.
    pub mean_ns: f64,
    /// The share of all time.
    pub share: f64,
}

impl Profile {
    /// Reads what a running program has written, which has to be of this program.
    ///
    /// # Errors
    /// Which line says what nobody understands, or of what other program it is.
    pub fn parse(text: &str, compiled: &Compiled) -> Result<Self, String> {
        let mut lines = text.lines();
        let heading = lines.next().unwrap_or_default();
        let expected = format!("{HEADING} paths {} places ", compiled.paths.count());
        let places = heading.strip_prefix(&expected);
        let places = places.and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        // Its sources are nodes, or whoever ran it had their results from elsewhere.
        let states = [true, false].map(|is_sourced| states(compiled, is_sourced));
        let found = states
            .iter()
            .position(|states| Some(states.len()) == places);
        let Some((found, states)) = found.map(|found| (found, &states[found])) else {
            return Err(format!(
                "expected '{expected}{}', found '{}': was it written by this program?",
                states[0].len(),
                heading.chars().take(80).collect::<String>()
            ));
        };
        let mut profile = Self {
            is_sourced: found == 0,
            ..Self::default()
        };
        for (number, line) in lines.enumerate() {
            profile
                .take(line, compiled, states)
                .ok_or_else(|| format!("line {}: '{line}' is not understood", number + 2))?;
        }
        Ok(profile)
    }

    fn take(&mut self, line: &str, compiled: &Compiled, states: &[VertexId]) -> Option<()> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        match kind {
            "processor" => self.processor_ns = Some(number()?),
            "path" => {
                let path = number().filter(|path| *path < compiled.paths.count())?;
                self.paths.insert(path, number()?);
            }
            "place" => {
                let state = states.get(usize::try_from(number()?).ok()?)?;
                let (count, total_ns) = (number()?, number()?);
                let class = |word: &str| {
                    let (least, count) = word.split_once(':')?;
                    Some((least.parse().ok()?, count.parse().ok()?))
                };
                let times = Times {
                    count,
                    total_ns,
                    classes: words.map(class).collect::<Option<_>>()?,
                };
                self.steps.insert(*state, times);
            }
            _ => return None,
        }
        Some(())
    }

    /// How many flows were counted.
    pub fn flows(&self) -> u64 {
        self.paths
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The paths that were taken, those on which most time passed first.
    pub fn hot_paths(&self, compiled: &Compiled) -> Vec<HotPath> {
        let means = self.means();
        let mut paths: Vec<_> = self
            .paths
            .iter()
            .filter_map(|(&number, &flows)| {
                let (_, vertices) = compiled.paths.path(&compiled.graph, number)?;
                let calls =
                    vertices
                        .iter()
                        .filter_map(|id| match compiled.graph.vertex(*id).action {
                            Action::Call { node, .. } => {
                                Some(compiled.program.name(node).to_owned())
                            }
                            _ => None,
                        });
                Some(HotPath {
                    number,
                    nodes: calls.collect(),
                    flows,
                    mean_ns: vertices.iter().filter_map(|id| means.get(id)).sum(),
                })
            })
            .collect();
        let time = |path: &HotPath| path.mean_ns * path.flows as f64;
        paths.sort_by(|one, other| time(other).total_cmp(&time(one)));
        paths
    }

    /// The nodes that ran, the busiest first: that is the bottleneck, where processors are.
    pub fn busy(&self, compiled: &Compiled) -> Vec<Busy> {
        let means = self.means();
        let runs = self.runs(compiled);
        let mut by_node: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
        for (id, &runs) in &runs {
            let Action::Call { node, .. } = compiled.graph.vertex(*id).action else {
                continue;
            };
            let (all, time) = by_node.entry(compiled.program.name(node)).or_default();
            *all += runs;
            *time += runs as f64 * means.get(id).copied().unwrap_or(0.0);
        }
        let total: f64 = by_node.values().map(|(_, time)| time).sum();
        let mut busy: Vec<_> = by_node
            .into_iter()
            .map(|(node, (runs, time))| Busy {
                node: node.to_owned(),
                runs,
                mean_ns: time / runs.max(1) as f64,
                share: if total > 0.0 { time / total } else { 0.0 },
            })
            .collect();
        busy.sort_by(|one, other| other.share.total_cmp(&one.share));
        busy
    }

    /// What the picture of the program shows of it.
    pub fn weights(&self, compiled: &Compiled) -> Weights {
        let means = self.means();
        let runs = self.runs(compiled);
        let time = |id: &VertexId| {
            let runs = runs.get(id).copied().unwrap_or(0) as f64;
            runs * means.get(id).copied().unwrap_or(0.0)
        };
        let total: f64 = means.keys().map(time).sum();
        let mut weights = Weights {
            flows: self.flows(),
            ..Weights::default()
        };
        for (&number, &flows) in &self.paths {
            let Some((_, path)) = compiled.paths.path(&compiled.graph, number) else {
                continue;
            };
            for pair in path.windows(2) {
                let next = compiled.graph.vertex(pair[0]).action.next();
                let place = next.iter().position(|next| *next == pair[1]).unwrap_or(0);
                *weights.edges.entry((pair[0], place)).or_default() += flows;
            }
        }
        for (id, mean_ns) in &means {
            let share = if total > 0.0 { time(id) / total } else { 0.0 };
            weights.places.insert(*id, (*mean_ns, share));
        }
        weights
    }

    /// How often flows came to each vertex.
    pub fn runs(&self, compiled: &Compiled) -> BTreeMap<VertexId, u64> {
        let mut runs = BTreeMap::new();
        for (&number, &flows) in &self.paths {
            let path = compiled.paths.path(&compiled.graph, number);
            for id in path.into_iter().flat_map(|(_, path)| path) {
                *runs.entry(id).or_default() += flows;
            }
        }
        runs
    }

    /// How long a step takes on the average, in nanoseconds, at each vertex where some were timed.
    fn means(&self) -> BTreeMap<VertexId, f64> {
        self.steps
            .iter()
            .filter_map(|(id, times)| Some((*id, times.mean_ns()?)))
            .collect()
    }
}
