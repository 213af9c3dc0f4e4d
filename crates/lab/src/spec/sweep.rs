//! What is varied for every model and load.

use serde::Deserialize;

use super::flags::Flags;
use super::quantity::{Rate, Size, Time};

/// Axes, each a list; cells are all combinations.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Flags of every model, each combination with a name.
    #[serde(default)]
    pub option: Vec<Variant>,
    /// The size of the only file, or of every file of a uniform set.
    #[serde(default)]
    pub file_size: Vec<Size>,
    /// SPECweb99 data over memory limit: 2.0 is twice what fits.
    #[serde(default)]
    pub dataset: Vec<f64>,
    /// Clients of closed loads, connections of open ones.
    #[serde(default)]
    pub connections: Vec<u64>,
    /// Of open loads.
    #[serde(default)]
    pub rate: Vec<Rate>,
    /// Between an answer and the next request.
    #[serde(default)]
    pub think: Vec<Time>,
    /// Memory of the server.
    #[serde(default)]
    pub memory_limit: Vec<Size>,
    /// How many of the server's cores it may use.
    #[serde(default)]
    pub cores: Vec<usize>,
    /// Disks that the files are on.
    #[serde(default)]
    pub disk: Vec<Disk>,
}

/// A disk: the machine's own, or a slow one that `archbench disk` mounts over the files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// What cells call it.
    pub name: String,
    /// Flags of `archbench disk`; without them it is the machine's own.
    pub options: Option<Flags>,
}

/// Flags with a name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What cells call it.
    pub name: String,
    /// The flags.
    #[serde(default)]
    pub options: Flags,
}
