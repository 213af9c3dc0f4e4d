//! The results folder: one folder for each run, append-only, and explaining itself.
//!
//! ```text
//! results/quick-20250321-140506/
//!     manifest.json      the question, the experiment word for word, the machine, the command that repeats it
//!     experiment.toml    the experiment as a file, for the next run
//!     trials/c003-r1.json  one trial: what was asked for, what both ends said, samples over time, the verdict
//!     trials/c003-r1.hlog  its histograms, a second at a time, for the HdrHistogram tools
//!     trials/c003-r1-server.pcapng  its packets at the server's interface, if they were captured; and at the client's
//!     trials.csv         one row for each trial, for pandas and R
//!     verdicts.json      what became of the expectations; written last
//!     lock               held while somebody writes
//! ```
//!
//! Every file is written under a temporary name, synced and renamed, so one that is there is whole; a trial is written when
//! it has finished, so a run that is stopped loses at most the trial under way. [`Folder`] writes, [`read()`] reads.
//! Invalid and failed trials stay, and say that they are.
//!
//! What is in the files is [`contracts::results`], whose types are found here too.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`figure`] | figures by name: `throughput`, `p(99)`, `service:mean`, `cpu_per_request` |
//! | [`folder`] | the writer |
//! | [`mod@read`] | the reader |
//! | [`hlog`] | histogram logs, read back |
//! | `fixture` | plausible results without a run (feature `fixture`) |

mod atomic;
mod csv;
mod error;
pub mod figure;
#[cfg(feature = "fixture")]
pub mod fixture;
pub mod folder;
pub mod hlog;
mod lock;
mod mask;
pub mod read;
mod stamp;

pub use atomic::write as write_atomically;
pub use contracts::results::{
    Expectation, Factor, Factors, Failure, Judged, JudgedSlo, Level, Machine, Manifest, Network,
    Outcome, SCHEMA, Sample, Trial, Verdicts, Wire,
};
pub use contracts::{Statistic, Validity};
pub use error::Error;
pub use figure::{Better, Figure, TimeFigure};
pub use folder::Folder;
pub use hlog::Hlog;
pub use mask::masked;
pub use read::{Cell, Run, read};
pub use stamp::{compact_utc, rfc3339_utc};

/// The most trials of a run. A typing error should not plan for a year.
pub const MAX_TRIALS: usize = 100_000;
