//! The blocking graph, learnt while fibers run (Capriccio, section 4.1): its nodes are the places where they park, its edges the ways
//! between them.
//!
//! Each way is counted each time that a fiber goes it, with the memory and descriptors that it has taken or given back; how long it has
//! kept its worker is measured one time in [`SAMPLED_ONE_IN`]. Nothing walks a stack: a place is known by its number.

use std::fmt::Write;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::place::{Place, PlaceNumber};

/// Places that are told apart; those that are registered later are one.
const NODES: usize = 32;

/// How often the time of a way is measured.
pub const SAMPLED_ONE_IN: u64 = 64;

pub(crate) static YIELD: Place = Place::new("yield");
pub(crate) static END: Place = Place::new("end");

/// What a fiber has taken on its way, less what it has given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Memory, in bytes, as far as it says so.
    pub memory_bytes: i64,
    /// Descriptors, likewise.
    pub descriptors: i64,
}

impl AddAssign for Taken {
    fn add_assign(&mut self, other: Self) {
        self.memory_bytes += other.memory_bytes;
        self.descriptors += other.descriptors;
    }
}

/// What one worker counts; only it writes here.
pub(crate) struct Counts {
    edges: Box<[Counted]>,
    ways: AtomicU64,
}

#[derive(Default)]
struct Counted {
    count: AtomicU64,
    sampled: AtomicU64,
    ns: AtomicU64,
    memory_bytes: AtomicI64,
    descriptors: AtomicI64,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self {
            edges: (0..NODES * NODES).map(|_| Counted::default()).collect(),
            ways: AtomicU64::new(0),
        }
    }

    /// A fiber sets out; when, if its time is to be measured.
    #[inline]
    pub(crate) fn set_out(&self) -> Option<Instant> {
        let ways = self.ways.load(Relaxed);
        self.ways.store(ways + 1, Relaxed);
        // Spread by the golden ratio, for ways that alternate would always be met by the same one of them.
        let spread = ways.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (spread < u64::MAX / SAMPLED_ONE_IN).then(Instant::now)
    }

    /// It has come to another place.
    #[inline]
    pub(crate) fn arrive(
        &self,
        from: PlaceNumber,
        to: PlaceNumber,
        set_out: Option<Instant>,
        taken: Taken,
    ) {
        let edge = &self.edges[node(from) * NODES + node(to)];
        // Nobody else writes, so that no addition has to be atomic.
        edge.count.store(edge.count.load(Relaxed) + 1, Relaxed);
        if let Some(set_out) = set_out {
            edge.sampled.fetch_add(1, Relaxed);
            let ns = u64::try_from(set_out.elapsed().as_nanos()).unwrap_or(u64::MAX);
            edge.ns.fetch_add(ns, Relaxed);
        }
        if taken != Taken::default() {
            edge.memory_bytes.fetch_add(taken.memory_bytes, Relaxed);
            edge.descriptors.fetch_add(taken.descriptors, Relaxed);
        }
    }
}

#[inline]
fn node(place: PlaceNumber) -> usize {
    usize::from(place.get()).min(NODES - 1)
}

/// A way between two places.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Where fibers set out.
    pub from: &'static str,
    /// Where they come to.
    pub to: &'static str,
    /// How often one has gone it.
    pub count: u64,
    /// How long one keeps its worker on it, on average, where that was measured.
    pub time: Option<Duration>,
    /// What all have taken on it, less what they have given back.
    pub taken: Taken,
}

/// The graph as it is known so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// The ways that were gone, by the numbers of their places.
    pub edges: Vec<Edge>,
}

impl Graph {
    pub(crate) fn of(workers: &[Counts]) -> Self {
        let name = |node: usize| match node + 1 {
            NODES => "others",
            _ => PlaceNumber::from_number(node as u16).name(),
        };
        let sum = |number: usize, of: fn(&Counted) -> u64| -> u64 {
            workers.iter().map(|worker| of(&worker.edges[number])).sum()
        };
        let taken = |number: usize| {
            let mut all = Taken::default();
            for worker in workers {
                let edge = &worker.edges[number];
                all += Taken {
                    memory_bytes: edge.memory_bytes.load(Relaxed),
                    descriptors: edge.descriptors.load(Relaxed),
                };
            }
            all
        };
        let edges = (0..NODES * NODES).filter_map(|number| {
            let count = sum(number, |edge| edge.count.load(Relaxed));
            let sampled = sum(number, |edge| edge.sampled.load(Relaxed));
            let ns = sum(number, |edge| edge.ns.load(Relaxed));
            (count > 0).then(|| Edge {
                from: name(number / NODES),
                to: name(number % NODES),
                count,
                time: ns.checked_div(sampled).map(Duration::from_nanos),
                taken: taken(number),
            })
        });
        Self {
            edges: edges.collect(),
        }
    }

    /// In the language of Graphviz: `dot -Tsvg` draws it.
    pub fn dot(&self) -> String {
        let mut text = String::from(
            "digraph blocking {\n  node [shape=box, style=rounded];\n  edge [fontsize=10];\n",
        );
        let most = self.edges.iter().map(|edge| edge.count).max().unwrap_or(1);
        for edge in &self.edges {
            let mut label = format!("{}", edge.count);
            if let Some(time) = edge.time {
                let _ = write!(label, "\\n{:.1} µs", time.as_nanos() as f64 / 1e3);
            }
            if edge.taken.memory_bytes != 0 {
                let _ = write!(label, "\\n{:+} bytes", edge.taken.memory_bytes);
            }
            if edge.taken.descriptors != 0 {
                let _ = write!(label, "\\n{:+} descriptors", edge.taken.descriptors);
            }
            let width = 1.0 + 3.0 * edge.count as f64 / most as f64;
            let _ = writeln!(
                text,
                "  \"{}\" -> \"{}\" [label=\"{label}\", penwidth={width:.1}];",
                edge.from, edge.to
            );
        }
        text.push_str("}\n");
        text
    }
}
