//! The program as a graph: what a flow does, one vertex after the other, with every constraint taken and released.
//!
//! Abstract nodes are gone: wherever one was used, what it consists of stands in its place, so that what is held at a vertex is known
//! when the program is compiled. Flows that go on alike share what they have in common.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::program::{Body, ConstraintId, NodeId, NodeUse, PredicateId, Program};
use crate::syntax::{Argument, Mode};

/// Names a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VertexId(pub usize);

/// A constraint as a flow takes it.
pub type Lock = (ConstraintId, Mode);

/// A program as a graph.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// What flows do; each stands behind all that follow it.
    pub vertices: Vec<Vertex>,
    /// Where the sources begin, in the order of the program's.
    pub entries: Vec<Entry>,
    /// Where flows begin that no source leads to: a program may be a fragment.
    pub fragments: Vec<VertexId>,
}

/// Where a source's flows begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where the source itself begins, again and again.
    pub source: VertexId,
    /// What comes with each of its results.
    pub begin: VertexId,
}

/// Something that a flow does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vertex {
    /// What.
    pub action: Action,
    /// What it has in hand.
    pub values: Vec<Argument>,
}

/// What a flow does at a vertex.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Runs a concrete node.
    Call {
        /// Which.
        node: NodeId,
        /// What is next.
        next: VertexId,
        /// What is next where it fails.
        error: Option<VertexId>,
    },
    /// Takes one of several ways, the first that applies.
    Choose {
        /// The node whose flows they are.
        node: NodeId,
        /// What has to hold for each, by value, and what is next then.
        cases: Vec<(Vec<Option<PredicateId>>, VertexId)>,
        /// Where none applies.
        otherwise: VertexId,
    },
    /// Takes constraints, one after the other.
    Acquire {
        /// The node that wants them.
        node: NodeId,
        /// Which, in the order in which they are taken.
        locks: Vec<Lock>,
        /// What is next.
        next: VertexId,
    },
    /// Releases constraints.
    Release {
        /// Which, in the order in which they are released.
        locks: Vec<Lock>,
        /// What is next.
        next: VertexId,
    },
    /// The source has its result: a flow begins.
    Begin {
        /// Its number.
        source: usize,
        /// With what.
        next: VertexId,
    },
    /// The flow is over.
    End,
}

/// A program whose nodes are used so often, one within the other, that its graph would have more than these is refused.
const MOST_VERTICES: usize = 5_000;

impl Graph {
    /// The graph of a program that is acyclic and whose types fit.
    ///
    /// # Errors
    /// That it would be too large.
    pub fn new(program: &Program) -> Result<Self, Diagnostic> {
        let mut builder = Builder {
            program,
            graph: Self::default(),
            known: HashMap::new(),
            lowered: HashMap::new(),
        };
        for (number, source) in program.sources.iter().enumerate() {
            let end = builder.end()?;
            let begin = builder.node(source.flow, &[], end)?;
            let outputs = builder.outputs(source.node);
            let result = Action::Begin {
                source: number,
                next: begin,
            };
            let result = builder.vertex(result, outputs)?;
            let source = builder.node(source.node, &[], result)?;
            builder.graph.entries.push(Entry { source, begin });
        }
        let is_begun = |id: &NodeId| program.sources.iter().any(|source| source.flow == *id);
        for root in program.roots().into_iter().filter(|id| !is_begun(id)) {
            let end = builder.end()?;
            let begin = builder.node(root, &[], end)?;
            builder.graph.fragments.push(begin);
        }
        Ok(builder.graph)
    }

    /// A vertex.
    pub fn vertex(&self, id: VertexId) -> &Vertex {
        &self.vertices[id.0]
    }

    /// All vertices, with their numbers.
    pub fn ids(&self) -> impl Iterator<Item = VertexId> + use<> {
        (0..self.vertices.len()).map(VertexId)
    }
}

impl Action {
    /// What may come next, in the order in which it is tried.
    pub fn next(&self) -> Vec<VertexId> {
        match self {
            Self::Call { next, error, .. } => std::iter::once(*next).chain(*error).collect(),
            Self::Choose {
                cases, otherwise, ..
            } => {
                let is_reached =
                    |(patterns, _): &&(Vec<_>, VertexId)| patterns.iter().all(Option::is_none);
                // Behind one that applies to everything, nothing is tried.
                let reached = cases
                    .iter()
                    .position(|case| is_reached(&case))
                    .map_or(cases.len(), |last| last + 1);
                let otherwise = (reached == cases.len()
                    && !cases.last().is_some_and(|case| is_reached(&case)))
                .then_some(*otherwise);
                let taken = cases[..reached].iter().map(|(_, next)| *next);
                taken.chain(otherwise).collect()
            }
            Self::Acquire { next, .. } | Self::Release { next, .. } | Self::Begin { next, .. } => {
                vec![*next]
            }
            Self::End => Vec::new(),
        }
    }
}

/// A node with what is held and what follows: where two are the same, so are their vertices.
type Place = (NodeId, Vec<Lock>, VertexId);

struct Builder<'a> {
    program: &'a Program,
    graph: Graph,
    known: HashMap<Vertex, VertexId>,
    lowered: HashMap<Place, VertexId>,
}

type Built = Result<VertexId, Diagnostic>;

impl Builder<'_> {
    /// A node with `held` in hand, and `next` behind it.
    fn node(&mut self, id: NodeId, held: &[Lock], next: VertexId) -> Built {
        let place = (id, held.to_vec(), next);
        if let Some(&known) = self.lowered.get(&place) {
            return Ok(known);
        }
        let node = self.program.node(id);
        let is_held = |constraint| held.iter().any(|(other, _)| *other == constraint);
        let acquired: Vec<Lock> = node
            .constraints
            .iter()
            .filter(|(constraint, _)| !is_held(**constraint))
            .map(|(&constraint, &mode)| (constraint, mode))
            .collect();
        let inside = [held, &acquired].concat();
        let after = self.released(&acquired, next, self.outputs(id))?;
        let body = match &node.body {
            Body::Concrete => {
                let error = match &node.handler {
                    Some((handler, _)) => {
                        let end = self.end()?;
                        let handler = self.node(*handler, &[], end)?;
                        Some(self.released(&inside, handler, self.inputs(id))?)
                    }
                    None => None,
                };
                let call = Action::Call {
                    node: id,
                    next: after,
                    error,
                };
                self.vertex(call, self.inputs(id))?
            }
            Body::Flow(flow) => self.flow(flow, &inside, after)?,
            Body::Choice(choice) => {
                let mut cases = Vec::new();
                for case in choice {
                    let next = self.flow(&case.flow, &inside, after)?;
                    cases.push((case.patterns.clone(), next));
                }
                let end = self.end()?;
                let otherwise = self.released(&inside, end, self.inputs(id))?;
                let choose = Action::Choose {
                    node: id,
                    cases,
                    otherwise,
                };
                self.vertex(choose, self.inputs(id))?
            }
        };
        let first = if acquired.is_empty() {
            body
        } else {
            let acquire = Action::Acquire {
                node: id,
                locks: acquired,
                next: body,
            };
            self.vertex(acquire, self.inputs(id))?
        };
        self.lowered.insert(place, first);
        Ok(first)
    }

    fn flow(&mut self, flow: &[NodeUse], held: &[Lock], next: VertexId) -> Built {
        let mut next = next;
        for member in flow.iter().rev() {
            next = self.node(member.node, held, next)?;
        }
        Ok(next)
    }

    /// Releases `locks`, if there are any, in the reverse of the order in which they were taken.
    fn released(&mut self, locks: &[Lock], next: VertexId, values: Vec<Argument>) -> Built {
        if locks.is_empty() {
            return Ok(next);
        }
        let locks = locks.iter().rev().copied().collect();
        self.vertex(Action::Release { locks, next }, values)
    }

    fn end(&mut self) -> Built {
        self.vertex(Action::End, Vec::new())
    }

    fn vertex(&mut self, action: Action, values: Vec<Argument>) -> Built {
        let vertex = Vertex { action, values };
        if let Some(&known) = self.known.get(&vertex) {
            return Ok(known);
        }
        let id = VertexId(self.graph.vertices.len());
        if id.0 >= MOST_VERTICES {
            let source = self.program.sources.first();
            let span = source.map_or(0..0, |source| source.span.clone());
            return Err(Diagnostic::error(
                span,
                format!(
                    "the program has more than {MOST_VERTICES} steps once all flows are unfolded"
                ),
            )
            .help("nest fewer nodes that are used more than once"));
        }
        self.known.insert(vertex.clone(), id);
        self.graph.vertices.push(vertex);
        Ok(id)
    }

    fn inputs(&self, id: NodeId) -> Vec<Argument> {
        self.program.node(id).inputs.clone().unwrap_or_default()
    }

    fn outputs(&self, id: NodeId) -> Vec<Argument> {
        self.program.node(id).outputs.clone().unwrap_or_default()
    }
}
