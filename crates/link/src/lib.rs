//! A network link that is slow in a known way, between two hosts on one machine.
//!
//! A veth pair carries a packet in microseconds, and so does loopback: clients of ours are never far away. This link takes as long as it
//! is told: a queue, a line of a rate, half of a round trip, and a share of the packets that never arrives. Where the kernel has the
//! queueing discipline netem (tc-netem(8)) and the command `tc` is there to ask for it, that shapes a veth pair; elsewhere packets go
//! through this program, from one TUN device to the other. Readiness says which it is.
//!
//! In user space a packet takes what the model says, later by what it takes this process to wake up (the summary says how much), and
//! packets are those of a wire: TUN devices take no frame beyond their MTU of 1500 bytes. netem drops a lost packet before it is sent, not
//! after; it does not keep the order of packets under jitter, so jitter is never left to it.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`model`] | the service-time model of one direction, without a clock |
//! | [`carrier`] | packets carried between two TUN devices by the model, in real time |
//! | [`netem`] | the same link as netem is asked for it |
//! | [`standing`] | a link between two hosts, one way or the other |
//! | [`cli`] | the arguments of `archbench link` |

pub mod carrier;
pub mod cli;
mod error;
pub mod model;
pub mod netem;
mod output;
mod run;
pub mod standing;

pub use carrier::{Counts, DirectionCounts};
pub use error::Error;
pub use model::{Direction, Fate, Model};
pub use run::run;
pub use standing::{Link, Way};
