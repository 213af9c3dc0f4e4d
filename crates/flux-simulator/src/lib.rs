//! A program of Flux on a machine that need not be there: its graph becomes stations, and flows become events (Burns, Grimaldi,
//! Kostadinov, Berger, Corner, USENIX 2006, section 5.2).
//!
//! The passes, in a row:
//!
//! | module | what it does |
//! | --- | --- |
//! | [`times`] | how long a node runs: as a profile has observed it, constant, or exponential |
//! | [`model`], `lower` | the program's graph to steps, each of which somebody serves; ways with how likely they are |
//! | [`demand`] | what a flow asks of each station, and how many flows a second that allows at most |
//! | `calendar`, `flows`, `processors`, `crew`, `locks` | what happens next; who waits where |
//! | [`run`](mod@run), `machine` | flows arrive, are served, and leave |
//! | [`outcome`] | what came of it: throughput, utilisation, response times, the bottleneck |
//! | [`curve`] | the same for one load after the other |
//! | [`measured`] | the same as it was measured |
//! | [`predict`] | predicted beside measured |
//! | [`chart`] | drawn, and marked as simulated |
//! | [`cli`] | `archbench flux simulate`, `archbench flux predict` |
//!
//! What is simulated is what the runtimes of the crate `flux-runtime` do: which thread runs which step, which of them are scarce, and
//! who waits with a thread and who without one. A lock is granted first come, first served, and holds for as many flows as it does in
//! a running program: a session's among those of the session.
//!
//! Departures from the paper: node times are the observed distribution (exponential ones on request); a session's constraint is not
//! widened to the program; processors serve by time slices, as the kernel has them, where the paper's serve first come, first served.
//! What a source does for itself is no more than a time for each flow.

mod calendar;
pub mod chart;
pub mod cli;
mod crew;
pub mod curve;
pub mod demand;
mod flows;
mod locks;
mod lower;
mod machine;
pub mod measured;
pub mod model;
pub mod outcome;
pub mod predict;
mod processors;
pub mod run;
pub mod times;

#[cfg(test)]
mod tests;

pub use model::{Model, Runtime, Settings};
pub use outcome::Outcome;
pub use run::{Load, Run, run};
pub use times::ServiceTimes;
