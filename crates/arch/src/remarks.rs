//! What a room has to say of itself at its end, beside what all of them count.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Remarks by name; whoever serves makes them, and whoever prints the summary has them.
#[derive(Debug, Clone, Default)]
pub struct Remarks(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Remarks {
    /// Remarks `text` under `name`, in place of what was remarked there before.
    pub fn make(&self, name: &'static str, text: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name, text);
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<&'static str, String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
