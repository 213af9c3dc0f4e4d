//! The blocking graph, learnt while fibers run (Capriccio, section 4.1): its nodes are the places where they park, each with the
//! [scopes](crate::Fiber::within) around it; its edges the ways between them.
//!
//! Each way is counted each time that a fiber goes it, with the memory and descriptors that it has taken or given back; how long it has
//! kept its worker is measured one time in [`SAMPLED_ONE_IN`]. That is time by the clock: a worker that waits for the disk in the
//! midst of a way is as little use to others as one that computes. Nothing walks a stack: a node is known by its number.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::place::{NODES, Node, Place};

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

/// What one worker counts; only it writes here, and nobody else into the same cache lines.
#[repr(align(128))]
pub(crate) struct Counts {
    edges: Box<[Counted]>,
    ways: AtomicU64,
    memory_bytes: AtomicI64,
    descriptors: AtomicI64,
}

#[derive(Default)]
struct Counted {
    count: AtomicU64,
    sampled: AtomicU64,
    ns: AtomicU64,
    memory_bytes: AtomicI64,
    descriptors: AtomicI64,
}

/// What was seen of ways so far, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    pub(crate) count: u64,
    /// How many were measured, and what they took.
    pub(crate) sampled: u64,
    pub(crate) ns: u64,
    pub(crate) taken: Taken,
}

impl AddAssign for Observed {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sampled += other.sampled;
        self.ns += other.ns;
        self.taken += other.taken;
    }
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self {
            edges: (0..NODES * NODES).map(|_| Counted::default()).collect(),
            ways: AtomicU64::new(0),
            memory_bytes: AtomicI64::new(0),
            descriptors: AtomicI64::new(0),
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

    /// It has come to another node.
    #[inline]
    pub(crate) fn arrive(&self, from: Node, to: Node, set_out: Option<Instant>) {
        let edge = &self.edges[from.index() * NODES + to.index()];
        // Nobody else writes, so that no addition has to be atomic.
        edge.count.store(edge.count.load(Relaxed) + 1, Relaxed);
        if let Some(set_out) = set_out {
            edge.sampled.fetch_add(1, Relaxed);
            let ns = u64::try_from(set_out.elapsed().as_nanos()).unwrap_or(u64::MAX);
            edge.ns.fetch_add(ns, Relaxed);
        }
    }

    /// It has taken something on its way there.
    pub(crate) fn add_taken(&self, from: Node, to: Node, taken: Taken) {
        let edge = &self.edges[from.index() * NODES + to.index()];
        for (memory_bytes, descriptors) in [
            (&edge.memory_bytes, &edge.descriptors),
            (&self.memory_bytes, &self.descriptors),
        ] {
            memory_bytes.fetch_add(taken.memory_bytes, Relaxed);
            descriptors.fetch_add(taken.descriptors, Relaxed);
        }
    }

    /// What fibers have taken here so far, less what they have given back.
    pub(crate) fn held(&self) -> Taken {
        Taken {
            memory_bytes: self.memory_bytes.load(Relaxed),
            descriptors: self.descriptors.load(Relaxed),
        }
    }

    /// What was seen of all ways from a node.
    pub(crate) fn from(&self, node: usize) -> Observed {
        let mut all = Observed::default();
        for edge in &self.edges[node * NODES..][..NODES] {
            if edge.count.load(Relaxed) > 0 {
                all += edge.observed();
            }
        }
        all
    }
}

impl Counted {
    fn observed(&self) -> Observed {
        Observed {
            count: self.count.load(Relaxed),
            sampled: self.sampled.load(Relaxed),
            ns: self.ns.load(Relaxed),
            taken: Taken {
                memory_bytes: self.memory_bytes.load(Relaxed),
                descriptors: self.descriptors.load(Relaxed),
            },
        }
    }
}

/// A way between two nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Where fibers set out.
    pub from: Node,
    /// Where they come to.
    pub to: Node,
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
    /// The ways that were gone, in the order in which their nodes were met.
    pub edges: Vec<Edge>,
}

impl Graph {
    pub(crate) fn of(workers: &[Counts]) -> Self {
        let edges = (0..NODES * NODES).filter_map(|number| {
            let mut all = Observed::default();
            for worker in workers {
                all += worker.edges[number].observed();
            }
            (all.count > 0).then(|| Edge {
                from: Node::from_index(number / NODES),
                to: Node::from_index(number % NODES),
                count: all.count,
                time: all.ns.checked_div(all.sampled).map(Duration::from_nanos),
                taken: all.taken,
            })
        });
        Self {
            edges: edges.collect(),
        }
    }
}
