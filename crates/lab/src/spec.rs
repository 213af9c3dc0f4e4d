//! An experiment: what is to be found out, and how, as one file says it.
//!
//! ```toml
//! name = "latency-load"
//! question = "How does latency grow with load?"
//! reasoning = "…"
//! files = "specweb99:4"          # or a list: then it is an axis
//! models = ["sped", "amped", { name = "pool-150", model = "pool", options = "--threads 150" }]   # or "all", or "families"
//! server = [{ external = "nginx" }]   # beside them, as external/nginx.toml says
//! model_options.sequential = "--keep-alive off"   # by the name of a model, of a cell or of a family
//! repeats = 3
//! attempts = 2                   # of a trial whose generator was disturbed
//! warm_up = "500ms"
//! duration = "2s"
//! network = { kind = "veth" }    # two hosts instead of loopback; more in spec/network.rs
//!
//! [[load]]
//! name = "poisson"
//! arrival = "poisson"
//! rate = [1000, 2000, 4000]      # any knob of a load may be a list
//! connections = 64
//!
//! [[expect]]
//! text = "AMPED is not slower than SPED in memory"
//! ratio = "amped@rate=4000 / sped@rate=4000 >= 0.9"
//! ```

mod cache;
mod error;
mod experiment;
pub mod expression;
pub mod external;
mod flags;
mod hosts;
mod load;
mod network;
mod objective;
mod quantity;
mod servers;
mod sweep;

pub use cache::Cache;
pub use contracts::load::Loop;
pub use error::Error;
pub(crate) use error::did_you_mean;
pub use experiment::{Expect, Experiment};
pub use flags::Flags;
pub(crate) use flags::scalar;
pub use hosts::{Host, HostOptions, Hosts, Launcher};
pub use load::Load;
pub use network::{BitRate, LinkCell, Network, NetworkCell, NetworkKind, Share};
pub use objective::Objective;
pub use quantity::{OneOrMany, Rate, Size, Text, Time};
pub use servers::{Foreign, Model, Models};
pub use sweep::{Disk, Sweep, Variant};

#[cfg(test)]
mod tests;
