//! A program as a picture: sources, nodes, the forks of predicate types, error paths dashed, and what is held while a node runs, a colour
//! for each constraint.

pub mod dot;
mod layout;
pub mod svg;

use std::collections::{BTreeMap, HashSet};

use crate::graph::{Action, VertexId};
use crate::program::ConstraintId;
use crate::syntax::Mode;
use crate::{Compiled, Graph};

/// What is drawn.
#[derive(Debug, Default)]
pub struct Picture {
    boxes: Vec<Drawn>,
    arrows: Vec<Arrow>,
    /// The names of the constraints that are drawn, by number.
    constraints: Vec<String>,
}

/// A node in a picture.
#[derive(Debug)]
struct Drawn {
    shape: Shape,
    name: String,
    /// Constraints that are held while it runs, and how.
    held: Vec<(usize, Mode)>,
    may_wait: bool,
    /// What a profile says of it.
    note: String,
    /// How much of all time passes in it, from 0 to 1.
    share: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Source,
    Node,
    Fork,
    End,
}

/// From one node to another.
#[derive(Debug)]
struct Arrow {
    from: usize,
    to: usize,
    label: String,
    is_error: bool,
    /// How many of all flows go this way, from 0 to 1, where a profile says so.
    share: Option<f64>,
}

/// What a profile knows of a program, for its picture.
#[derive(Debug, Default)]
pub struct Weights {
    /// How many flows went from one vertex to the one at a place among those that may follow.
    pub edges: BTreeMap<(VertexId, usize), u64>,
    /// How long a step at a vertex took on the average, in nanoseconds, and what share of all time that is.
    pub places: BTreeMap<VertexId, (f64, f64)>,
    /// How many flows there were.
    pub flows: u64,
}

/// Constraints that are held.
type Held = Vec<(ConstraintId, Mode)>;

impl Picture {
    /// The picture of a program, with what a profile says of it, if there is one.
    pub fn new(compiled: &Compiled, weights: Option<&Weights>) -> Self {
        let graph = &compiled.graph;
        let names = compiled
            .program
            .constraints
            .iter()
            .map(|one| one.name.clone());
        let mut painter = Painter {
            compiled,
            weights,
            picture: Self {
                constraints: names.collect(),
                ..Self::default()
            },
            places: BTreeMap::new(),
            seen: HashSet::new(),
        };
        for entry in &graph.entries {
            painter.begin(entry.source);
        }
        for &fragment in &graph.fragments {
            painter.paint(fragment, &Held::new());
        }
        painter.picture
    }
}

struct Painter<'a> {
    compiled: &'a Compiled,
    weights: Option<&'a Weights>,
    picture: Picture,
    /// The box of each vertex that has one.
    places: BTreeMap<VertexId, usize>,
    seen: HashSet<VertexId>,
}

impl Painter<'_> {
    fn graph(&self) -> &Graph {
        &self.compiled.graph
    }

    /// Where a source begins.
    fn begin(&mut self, at: VertexId) {
        let (first, held) = self.skip(at, Held::new());
        self.paint(first, &held);
        if let Some(&place) = self.places.get(&first) {
            self.picture.boxes[place].shape = Shape::Source;
        }
    }

    /// The next vertex that is drawn, and what is held there.
    fn skip(&self, mut at: VertexId, mut held: Held) -> (VertexId, Held) {
        loop {
            match &self.graph().vertex(at).action {
                Action::Acquire { locks, next, .. } => {
                    held.extend(locks.iter().copied());
                    at = *next;
                }
                Action::Release { locks, next } => {
                    held.truncate(held.len().saturating_sub(locks.len()));
                    at = *next;
                }
                Action::Begin { next, .. } => at = *next,
                Action::Call { .. } | Action::Choose { .. } | Action::End => return (at, held),
            }
        }
    }

    fn paint(&mut self, at: VertexId, held: &Held) -> usize {
        let (at, held) = self.skip(at, held.clone());
        if let Some(&place) = self.places.get(&at) {
            return place;
        }
        let place = self.picture.boxes.len();
        let drawn = self.drawn(at, &held);
        self.picture.boxes.push(drawn);
        self.places.insert(at, place);
        if !self.seen.insert(at) {
            return place;
        }
        let action = self.graph().vertex(at).action.clone();
        for (number, next) in action.next().into_iter().enumerate() {
            let label = self.label(&action, number, next);
            let to = self.paint(next, &held);
            let gone = |weights: &Weights| {
                let count = weights.edges.get(&(at, number)).copied().unwrap_or(0);
                count as f64 / weights.flows.max(1) as f64
            };
            let arrow = Arrow {
                from: place,
                to,
                label,
                is_error: number == 1 && matches!(action, Action::Call { .. }),
                share: self.weights.map(gone),
            };
            self.picture.arrows.push(arrow);
        }
        place
    }

    fn drawn(&self, at: VertexId, held: &Held) -> Drawn {
        let program = &self.compiled.program;
        let (shape, node) = match self.graph().vertex(at).action {
            Action::Call { node, .. } => (Shape::Node, Some(node)),
            Action::Choose { node, .. } => (Shape::Fork, Some(node)),
            _ => (Shape::End, None),
        };
        let time = self.weights.and_then(|weights| weights.places.get(&at));
        Drawn {
            shape,
            name: node.map_or_else(String::new, |node| program.name(node).to_owned()),
            held: held
                .iter()
                .map(|&(constraint, mode)| (constraint.0, mode))
                .collect(),
            may_wait: node.is_some_and(|node| program.node(node).may_wait),
            note: time.map_or_else(String::new, |(mean_ns, share)| {
                format!("{}, {:.0} % of all time", duration(*mean_ns), share * 100.0)
            }),
            share: time.map_or(0.0, |(_, share)| *share),
        }
    }

    /// What stands at an arrow: the types that flow there, or at a fork what has to hold.
    fn label(&self, action: &Action, number: usize, next: VertexId) -> String {
        match action {
            Action::Choose { cases, .. } => match cases.get(number) {
                Some((patterns, _)) => {
                    let names = patterns.iter().map(|pattern| match pattern {
                        Some(predicate) => self.compiled.program.predicates[predicate.0]
                            .name
                            .text
                            .as_str(),
                        None => "_",
                    });
                    format!("[{}]", names.collect::<Vec<_>>().join(", "))
                }
                None => "none applies".into(),
            },
            _ => {
                let (next, _) = self.skip(next, Held::new());
                let values = &self.graph().vertex(next).values;
                let kinds: Vec<_> = values.iter().map(|value| value.kind.0.as_str()).collect();
                if kinds.is_empty() {
                    String::new()
                } else {
                    format!("({})", kinds.join(", "))
                }
            }
        }
    }
}

/// A time for people.
pub(crate) fn duration(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.1} s", ns / 1e9),
    }
}

/// A colour for each constraint, again from the first where there are more.
const COLOURS: [&str; 8] = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C6D00", "#7F3C8D",
];

fn colour(constraint: usize) -> &'static str {
    COLOURS[constraint % COLOURS.len()]
}
