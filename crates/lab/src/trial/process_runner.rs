//! What trials with processes share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use command::interrupt::Interrupt;

use super::launched::Places;
use super::memory::Support;
use crate::cores::Cores;
use crate::spec::external::External;

/// Does trials with processes: this program serves, or another one, and this program loads.
#[derive(Debug)]
pub struct ProcessRunner {
    /// The command line that starts servers and generators.
    pub archbench: PathBuf,
    /// The generator, if it is not ours.
    pub generator: Option<Arc<External>>,
    /// Which cores they have.
    pub cores: Cores,
    /// Where they are, if not here.
    pub places: Places,
    /// How memory can be limited.
    pub memory: Support,
    /// Where the generator's histogram log lies until it is in the results folder; without it none is written.
    pub scratch: Option<PathBuf>,
    /// How long the ends are waited for.
    pub patience: Patience,
    /// Whether to stop.
    pub interrupt: Interrupt,
}

/// How long the ends are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A server that starts.
    pub starts: Duration,
    /// A server that is told to stop.
    pub stops: Duration,
    /// A generator, beyond its schedule.
    pub slack: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let long = Duration::from_secs(20);
        Self {
            starts: long,
            stops: long,
            slack: long,
        }
    }
}
