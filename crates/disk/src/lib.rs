//! A disk that is slow in a known way: a read-only FUSE file system over a directory, with a service-time model.
//!
//! A modern flash disk answers a cold read so fast that waiting for it hardly shows. This one takes as long as it is told:
//! what the kernel does not have in its caches costs a seek and a transfer on one of N arms, first come first served.
//! What it has, costs nothing, and whether it has it can be asked as on any disk (`cachestat`, `mincore`; FUSE has no
//! `RWF_NOWAIT`). Contents come from the directory beneath, whose own pages are charged to this process.
//!
//! A disk that has just been mounted is cold altogether. `posix_fadvise(POSIX_FADV_DONTNEED)` makes a file's contents cold
//! again, but not its name; mounting afresh does both.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`arms`] | the service-time model, without a clock |
//! | [`mount`] | mounting and unmounting; whether that is possible here |
//! | [`tally`] | what a disk has done |
//! | [`cli`] | the arguments of `archbench disk` |
//! | `volume` | the file system: what is answered |
//! | `queue` | when it is answered: the arms in real time |
//! | `delay_pool` | threads that do so |
//! | `backing`, `nodes`, `listings` | the directory beneath, and what the kernel knows of it |

pub mod arms;
mod backing;
mod checks;
pub mod cli;
mod delay_pool;
mod error;
mod listings;
pub mod mount;
mod nodes;
mod output;
mod queue;
mod run;
pub mod tally;
mod volume;

pub use arms::{Arms, Distribution, Model, Place, Slot, Work};
pub use error::Error;
pub use mount::{Disk, Left, Mounted, available};
pub use run::run;
pub use tally::{Counts, Tally};
