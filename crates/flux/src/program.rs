//! A program as the compiler's passes know it: nodes, sources, predicate types and constraints, each by its number.

use std::collections::BTreeMap;

use crate::diagnostic::Span;
use crate::syntax::{Argument, Mode, Name, Scope, Type};

/// Names a node of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// Names a predicate type of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PredicateId(pub usize);

/// Names a constraint; in the order of their names, which is the order in which a flow takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConstraintId(pub usize);

/// A program.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its nodes, in the order in which they are first met.
    pub nodes: Vec<Node>,
    /// Its sources.
    pub sources: Vec<Source>,
    /// Its predicate types.
    pub predicates: Vec<Predicate>,
    /// Its constraints, by name.
    pub constraints: Vec<Constraint>,
    /// What each thread lends to the nodes that it runs.
    pub context: Option<Type>,
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where it is declared; where it is first used, if it is not.
    pub span: Span,
    /// Whether it has a signature of its own in the program.
    pub is_declared: bool,
    /// What it takes; none until that is known.
    pub inputs: Option<Vec<Argument>>,
    /// What it gives; none until that is known.
    pub outputs: Option<Vec<Argument>>,
    /// What it consists of.
    pub body: Body,
    /// What it must have to itself, or share with readers only.
    pub constraints: BTreeMap<ConstraintId, Mode>,
    /// Where its inputs go when it fails.
    pub handler: Option<(NodeId, Span)>,
    /// Whether it may wait.
    pub may_wait: bool,
}

/// What a node consists of.
#[derive(Debug, Clone)]
pub enum Body {
    /// A function.
    Concrete,
    /// Other nodes, one after the other.
    Flow(Vec<NodeUse>),
    /// One of several flows, by predicate types, tried in this order.
    Choice(Vec<Case>),
}

/// A node in a flow.
#[derive(Debug, Clone)]
pub struct NodeUse {
    /// Which.
    pub node: NodeId,
    /// Where it is written.
    pub span: Span,
}

/// One of the flows of a node that has several.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where it is written.
    pub span: Span,
    /// What has to hold, by argument; none: anything.
    pub patterns: Vec<Option<PredicateId>>,
    /// The flow; nothing passes the input on.
    pub flow: Vec<NodeUse>,
}

/// A source.
#[derive(Debug, Clone)]
pub struct Source {
    /// The node whose results start flows.
    pub node: NodeId,
    /// The function that names the session of a result.
    pub session: Option<Name>,
    /// What its flows begin with.
    pub flow: NodeId,
    /// Where it is written.
    pub span: Span,
}

/// A predicate type.
#[derive(Debug, Clone)]
pub struct Predicate {
    /// Its name, and where it stands.
    pub name: Name,
    /// The function that says of a value whether it has it.
    pub function: String,
}

/// A constraint.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// Among whom it holds.
    pub scope: Scope,
    /// Where it is first written.
    pub span: Span,
}

impl Program {
    /// The node that `id` names.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The name of a node.
    pub fn name(&self, id: NodeId) -> &str {
        &self.nodes[id.0].name
    }

    /// All nodes, with their numbers.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The nodes that a node consists of, wherever they stand in it.
    pub fn members(&self, id: NodeId) -> Vec<&NodeUse> {
        match &self.node(id).body {
            Body::Concrete => Vec::new(),
            Body::Flow(flow) => flow.iter().collect(),
            Body::Choice(cases) => cases.iter().flat_map(|case| &case.flow).collect(),
        }
    }

    /// The nodes that are no part of anything: those that flows begin with, and where no source says so, those that nobody uses.
    pub fn roots(&self) -> Vec<NodeId> {
        let mut is_used = vec![false; self.nodes.len()];
        for id in self.ids() {
            for member in self.members(id) {
                is_used[member.node.0] = true;
            }
            if let Some((handler, _)) = self.node(id).handler {
                is_used[handler.0] = true;
            }
        }
        for source in &self.sources {
            is_used[source.node.0] = true;
            is_used[source.flow.0] = true;
        }
        let unused = self.ids().filter(|id| !is_used[id.0]);
        let is_abstract = |id: &NodeId| !matches!(self.node(*id).body, Body::Concrete);
        let flows = self.sources.iter().map(|source| source.flow);
        let mut roots: Vec<_> = flows.chain(unused.filter(is_abstract)).collect();
        let mut seen = std::collections::HashSet::new();
        roots.retain(|root| seen.insert(*root));
        roots
    }

    /// A constraint as it is written: its name, `?` or `!`, and its scope where that is not the whole program.
    pub fn constraint(&self, id: ConstraintId, mode: Mode) -> String {
        let constraint = &self.constraints[id.0];
        let scope = match constraint.scope {
            Scope::Program => "",
            Scope::Session => "(session)",
        };
        let sign = match mode {
            Mode::Reader => "?",
            Mode::Writer => "!",
        };
        format!("{}{sign}{scope}", constraint.name)
    }
}
