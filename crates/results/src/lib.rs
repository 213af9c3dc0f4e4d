//! The results folder: one folder for each run, append-only, and explaining itself.
//!
//! ```text
//! results/quick-20250321-140506/
//!     manifest.json      the question, the experiment word for word, the machine, the command that repeats it
//!     experiment.toml    the experiment as a file, for the next run
//!     trials/c003-r1.json  one trial: what was asked for, what both ends said, samples over time, the verdict
//!     trials/c003-r1.hlog  its histograms, a second at a time, for the HdrHistogram tools
//!     trials.csv         one row for each trial, for pandas and R
//!     verdicts.json      what became of the expectations; written last
//!     lock               held while somebody writes
//! ```
//!
//! Every file is written under a temporary name, synced and renamed, so one that is there is whole; a trial is written when
//! it has finished, so a run that is stopped loses at most the trial under way. [`Folder`] writes, [`read()`] reads.
//! Invalid and failed trials stay, and say that they are.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`manifest`] | what was asked, and on which machine |
//! | [`trial`] | one trial |
//! | [`stage`] | the stages of a server, over time |
//! | [`factor`] | what differs between cells |
//! | [`figure`] | figures by name: `throughput`, `p(99)`, `service:mean`, `cpu_per_request` |
//! | [`verdict`] | what became of expectations and objectives |
//! | [`folder`] | the writer |
//! | [`mod@read`] | the reader |
//! | [`hlog`] | histogram logs, read back |
//! | `fixture` | plausible results without a run (feature `fixture`) |

mod atomic;
mod csv;
mod error;
pub mod factor;
pub mod figure;
#[cfg(feature = "fixture")]
pub mod fixture;
pub mod folder;
pub mod hlog;
mod lock;
pub mod manifest;
pub mod read;
pub mod stage;
mod stamp;
pub mod trial;
pub mod verdict;

pub use atomic::write as write_atomically;
pub use error::Error;
pub use factor::{Factor, Factors, Level};
pub use figure::{Better, Figure, Metric, Statistic};
pub use folder::Folder;
pub use hlog::Hlog;
pub use manifest::{Expectation, Machine, Manifest};
pub use read::{Cell, Run, read};
pub use stage::Stage;
pub use stamp::{compact_utc, rfc3339_utc};
pub use trial::{Failure, Sample, Trial, Validity};
pub use verdict::{Judged, JudgedSlo, Outcome, Verdicts};

/// The version of everything in a results folder. Fields may be added to it; a changed meaning makes a new version.
pub const SCHEMA: &str = "archbench.results/1";

/// The most trials of a run. A typing error should not plan for a year.
pub const MAX_TRIALS: usize = 100_000;
