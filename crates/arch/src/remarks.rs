//! What a room has to say of itself at its end, beside what all of them count.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contracts::serve::BlockingEdge;

/// Remarks by name; whoever serves makes them, and whoever prints the summary has them.
#[derive(Debug, Clone, Default)]
pub struct Remarks(Arc<Mutex<Made>>);

#[derive(Debug, Default)]
struct Made {
    by_name: BTreeMap<&'static str, String>,
    blocking_graph: Vec<BlockingEdge>,
}

impl Remarks {
    /// Remarks `text` under `name`, in place of what was remarked there before.
    pub fn make(&self, name: &'static str, text: String) {
        self.made().by_name.insert(name, text);
    }

    /// Tells the blocking graph of user-level threads.
    pub fn tell_blocking_graph(&self, edges: Vec<BlockingEdge>) {
        self.made().blocking_graph = edges;
    }

    /// The blocking graph, if there is one.
    pub fn blocking_graph(&self) -> Vec<BlockingEdge> {
        self.made().blocking_graph.clone()
    }

    /// All remarks by name.
    pub fn all(&self) -> BTreeMap<&'static str, String> {
        self.made().by_name.clone()
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
