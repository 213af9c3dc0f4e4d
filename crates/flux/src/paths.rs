//! Paths numbered after Ball and Larus ("Efficient Path Profiling", MICRO 1996): one integer of a flow tells which path it took.

use crate::graph::{Action, Graph, VertexId};

/// The paths of a graph: each has a number, which is the sum of what lies on its edges.
#[derive(Debug, Clone)]
pub struct Paths {
    /// How many paths lead from each vertex to an end.
    ways: Vec<u64>,
    /// The number of the first path of each source; behind them, of all paths.
    first: Vec<u64>,
}

impl Paths {
    /// The paths of `graph`; none where there are more than can be numbered.
    pub fn new(graph: &Graph) -> Option<Self> {
        // A vertex stands behind all that follow it, so they are known when it is met.
        let mut ways = vec![0_u64; graph.vertices.len()];
        for id in graph.ids() {
            ways[id.0] = match graph.vertex(id).action {
                Action::End => 1,
                ref action => action
                    .next()
                    .iter()
                    .try_fold(0_u64, |sum, next| sum.checked_add(ways[next.0]))?,
            };
        }
        let mut first = vec![0_u64];
        for entry in &graph.entries {
            first.push(first.last()?.checked_add(ways[entry.source.0])?);
        }
        Some(Self { ways, first })
    }

    /// How many paths there are.
    pub fn count(&self) -> u64 {
        self.first.last().copied().unwrap_or_default()
    }

    /// What the number of a flow begins with that is a source's.
    pub fn first(&self, source: usize) -> u64 {
        self.first[source]
    }

    /// What is added to the number of a flow on the way from `from` to the next vertex with this place among those that may follow.
    pub fn increment(&self, graph: &Graph, from: VertexId, place: usize) -> u64 {
        let next = graph.vertex(from).action.next();
        next[..place].iter().map(|next| self.ways[next.0]).sum()
    }

    /// The vertices of the path with this number, from its source on.
    pub fn path(&self, graph: &Graph, number: u64) -> Option<(usize, Vec<VertexId>)> {
        let source = self.first.iter().rposition(|&first| first <= number)?;
        let entry = graph.entries.get(source)?;
        let mut left = number - self.first[source];
        let mut at = entry.source;
        let mut path = vec![at];
        loop {
            let next = graph.vertex(at).action.next();
            let Some(taken) = next.iter().find(|next| {
                let is_here = left < self.ways[next.0];
                if !is_here {
                    left -= self.ways[next.0];
                }
                is_here
            }) else {
                return Some((source, path));
            };
            at = *taken;
            path.push(at);
        }
    }
}
