//! Loads, and how much of them is simulated.

use std::time::Duration;

use crate::machine::Machine;
use crate::model::Model;
use crate::outcome::Outcome;

/// When flows begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// So many requests a second, at random: whoever sends them knows nothing of the others (Poisson).
    Poisson(f64),
    /// So many requests a second, evenly spaced.
    Constant(f64),
    /// So many clients, each of which has one flow at a time and then thinks, for so long on the average, exponentially distributed.
    Closed(u32, Duration),
}

impl Load {
    /// Requests a second that begin whatever becomes of those before them.
    pub fn offered_per_s(self) -> Option<f64> {
        match self {
            Self::Poisson(rate) | Self::Constant(rate) => Some(rate),
            Self::Closed(..) => None,
        }
    }
}

/// How much is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Requests that are looked at.
    pub flows: u64,
    /// Requests before them, until it is as it would be always.
    pub warm_up: u64,
    /// Time that a flow takes outside of the server, on the network and at its client.
    pub delay: Duration,
    /// The same seed gives the same outcome.
    pub seed: u64,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            flows: 200_000,
            warm_up: 20_000,
            delay: Duration::ZERO,
            seed: 1,
        }
    }
}

/// Simulates a program under a load. Where its flows belong to sessions there are as many as the settings say, or as there are clients.
pub fn run(model: &Model, load: Load, run: Run) -> Outcome {
    Machine::new(model, load, run).run()
}
