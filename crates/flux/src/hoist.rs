//! Lock hoisting: constraints are taken in the order of their names, whatever path a flow takes, so that no circle of flows can wait
//! for each other (Burns et al., section 3.1.1).
//!
//! A node has its constraints from its beginning to its end, also while the nodes run that it consists of. Where one of those wants a
//! constraint that stands before one that is held already, the outermost node that holds such a one takes it too, before. Where it
//! wants to write what a node around it holds as reader, that one takes it as writer at once, for two readers who both want to write
//! would wait for each other. That is repeated until nothing is out of order.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::diagnostic::Diagnostic;
use crate::program::{ConstraintId, NodeId, Program};
use crate::syntax::Mode;

/// A constraint that a node takes on behalf of another inside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hoist {
    /// Which.
    pub constraint: ConstraintId,
    /// How it is taken now.
    pub mode: Mode,
    /// The node that takes it now.
    pub to: NodeId,
    /// From that node to the one that wants it.
    pub path: Vec<NodeId>,
    /// Why.
    pub why: Why,
    /// Nodes that run with it now, and without it before: whatever wants it waits for those too.
    pub covers: Vec<NodeId>,
    /// Nodes that want it, apart from those on the path, and wait longer.
    pub delays: Vec<NodeId>,
}

/// Why a constraint was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It would have been taken while one was held that stands behind it.
    After(ConstraintId),
    /// It was held as reader, and would have been taken as writer.
    Upgrade,
}

/// A constraint that is held on a path, how, and the node that took it.
type Held = BTreeMap<ConstraintId, (Mode, NodeId)>;

/// More nodes under more combinations of constraints than any program has that was written by hand.
const MOST_VISITS: usize = 100_000;

/// Moves constraints outward until every path takes them in their order, and tells of each move. The program must be acyclic.
///
/// # Errors
/// That there are too many paths.
pub fn hoist(program: &mut Program) -> Result<Vec<Hoist>, Diagnostic> {
    let mut hoists = Vec::new();
    let mut visits = 0;
    while let Some(mut next) = out_of_order(program, &mut visits)? {
        next.covers = covered(program, &next);
        next.delays = delayed(program, &next);
        let constraints = &mut program.nodes[next.to.0].constraints;
        let mode = constraints.entry(next.constraint).or_insert(next.mode);
        *mode = (*mode).max(next.mode);
        hoists.push(next);
    }
    Ok(hoists)
}

/// The first constraint that some path takes out of order, and where it has to be taken.
fn out_of_order(program: &Program, visits: &mut usize) -> Result<Option<Hoist>, Diagnostic> {
    let mut walk = Walk {
        program,
        seen: HashSet::new(),
        path: Vec::new(),
        visits,
    };
    for node in beginnings(program) {
        if let Some(hoist) = walk.enter(node, &Held::new())? {
            return Ok(Some(hoist));
        }
    }
    Ok(None)
}

/// Where something begins with no constraint held: flows, sources, and handlers, for a flow that fails gives up all that it has.
pub(crate) fn beginnings(program: &Program) -> Vec<NodeId> {
    let mut beginnings = program.roots();
    beginnings.extend(program.sources.iter().map(|source| source.node));
    let handlers = program
        .nodes
        .iter()
        .filter_map(|node| node.handler.as_ref());
    beginnings.extend(handlers.map(|(handler, _)| *handler));
    beginnings
}

struct Walk<'a> {
    program: &'a Program,
    seen: HashSet<(NodeId, Held)>,
    path: Vec<NodeId>,
    visits: &'a mut usize,
}

impl Walk<'_> {
    fn enter(&mut self, id: NodeId, held: &Held) -> Result<Option<Hoist>, Diagnostic> {
        if !self.seen.insert((id, held.clone())) {
            return Ok(None);
        }
        *self.visits += 1;
        if *self.visits > MOST_VISITS {
            let node = self.program.node(id);
            return Err(Diagnostic::error(
                node.span.clone(),
                "there are too many paths to put their constraints in order",
            )
            .help("use fewer nested nodes with constraints"));
        }
        self.path.push(id);
        let node = self.program.node(id);
        let mut inside = held.clone();
        for (&constraint, &mode) in &node.constraints {
            if let Some(hoist) = self.misplaced(constraint, mode, held) {
                return Ok(Some(hoist));
            }
            inside.entry(constraint).or_insert((mode, id));
        }
        for member in self.program.members(id) {
            if let Some(hoist) = self.enter(member.node, &inside)? {
                return Ok(Some(hoist));
            }
        }
        self.path.pop();
        Ok(None)
    }

    /// Where a constraint has to be taken that the node at the end of the path wants, if not there.
    fn misplaced(&self, constraint: ConstraintId, mode: Mode, held: &Held) -> Option<Hoist> {
        let (to, mode, why) = match held.get(&constraint) {
            Some(&(Mode::Reader, holder)) if mode == Mode::Writer => {
                (holder, Mode::Writer, Why::Upgrade)
            }
            // It is held already: constraints are re-entrant.
            Some(_) => return None,
            None => {
                let depth = |node: NodeId| self.path.iter().position(|&other| other == node);
                let behind = held.range(constraint..);
                let (&first, &(_, outermost)) = behind.min_by_key(|(_, (_, by))| depth(*by))?;
                (outermost, mode, Why::After(first))
            }
        };
        let from = self.path.iter().position(|&node| node == to)?;
        Some(Hoist {
            constraint,
            mode,
            to,
            path: self.path[from..].to_vec(),
            why,
            covers: Vec::new(),
            delays: Vec::new(),
        })
    }
}

/// Concrete nodes within `hoist.to` that ran without the constraint before.
fn covered(program: &Program, hoist: &Hoist) -> Vec<NodeId> {
    fn walk(
        program: &Program,
        id: NodeId,
        constraint: ConstraintId,
        covered: &mut BTreeSet<NodeId>,
        seen: &mut HashSet<NodeId>,
    ) {
        if !seen.insert(id) || program.node(id).constraints.contains_key(&constraint) {
            return;
        }
        let members = program.members(id);
        if members.is_empty() {
            covered.insert(id);
        }
        for member in members {
            walk(program, member.node, constraint, covered, seen);
        }
    }
    let (mut nodes, mut seen) = (BTreeSet::new(), HashSet::new());
    if hoist.why == Why::Upgrade {
        nodes.extend(program.members(hoist.to).iter().map(|member| member.node));
    } else {
        walk(program, hoist.to, hoist.constraint, &mut nodes, &mut seen);
    }
    nodes.into_iter().collect()
}

/// Nodes that want the constraint and are not on the way to whom it was moved for.
fn delayed(program: &Program, hoist: &Hoist) -> Vec<NodeId> {
    let wants = |id: &NodeId| {
        program
            .node(*id)
            .constraints
            .contains_key(&hoist.constraint)
    };
    let is_elsewhere = |id: &NodeId| !hoist.path.contains(id);
    program.ids().filter(wants).filter(is_elsewhere).collect()
}

impl Hoist {
    /// A warning in one line, for concurrency is lost.
    pub fn warning(&self, program: &Program) -> Diagnostic {
        let inner = self.path.last().copied().unwrap_or(self.to);
        let constraint = &program.constraints[self.constraint.0].name;
        let (to, from) = (program.name(self.to), program.name(inner));
        let what = match self.why {
            Why::After(held) => format!(
                "'{to}' takes '{constraint}' for '{from}': it would be taken after '{}' otherwise",
                program.constraints[held.0].name
            ),
            Why::Upgrade => {
                format!("'{to}' takes '{constraint}' as writer at once, since '{from}' writes it")
            }
        };
        Diagnostic::warning(program.node(self.to).span.clone(), what)
            .label("less runs at the same time from here on")
            .other(program.node(inner).span.clone(), "wanted here")
            .help("see 'archbench flux check --explain' for what it costs")
    }

    /// In full: which constraint, where to, along which path, and what it costs in concurrency.
    pub fn explain(&self, program: &Program) -> String {
        let names = |nodes: &[NodeId]| {
            let names: Vec<_> = nodes.iter().map(|&id| program.name(id)).collect();
            names.join(", ")
        };
        let path: Vec<_> = self.path.iter().map(|&id| program.name(id)).collect();
        let inner = path.last().copied().unwrap_or_default();
        let why = match self.why {
            Why::After(held) => {
                let held = &program.constraints[held.0].name;
                format!("held when '{inner}' wants it: '{held}', which stands behind it")
            }
            Why::Upgrade => format!("held as reader when '{inner}' wants to write"),
        };
        let delays = if self.delays.is_empty() {
            "no other node wants it".into()
        } else {
            format!("longer waits for {}", names(&self.delays))
        };
        let covers = if self.covers.is_empty() {
            "nothing that ran without it".into()
        } else {
            names(&self.covers)
        };
        format!(
            "{constraint} moves from {inner} to {to}\n  path  {path}\n  why   {why}\n  cost  held during {covers} as well; {delays}\n",
            constraint = program.constraint(self.constraint, self.mode),
            to = program.name(self.to),
            path = path.join(" > "),
        )
    }
}
