//! What is asked for and when: file sets with known contents, popularity, arrival processes,
//! request traces.
//!
//! Everything follows from a seed, so that server, generator and laboratory agree without talking
//! to each other, and so that two architectures can be given the very same stream. Nothing here
//! looks at a clock or opens a socket. Only [`FileSet::write_to`] and [`default_dir`] know that
//! there is a file system.
//!
//! | module | what it answers |
//! | --- | --- |
//! | [`fileset`] | which files there are, how long and how popular |
//! | [`content`] | which byte stands at which offset |
//! | [`popularity`] | which file comes next |
//! | [`stages`], [`arrival`] | when the next request is due |
//! | [`trace`] | what somebody else once asked for, and when |
//! | [`objective`] | what people want met: a figure, a sign, a limit |
//! | [`units`] | how people write sizes, counts, rates and durations |

pub mod arrival;
pub mod content;
pub mod fileset;
pub mod objective;
pub mod popularity;
mod seed;
pub mod stages;
pub mod trace;
pub mod units;

pub use arrival::{Arrival, Schedule};
pub use fileset::{File, FileSet, Preset, default_dir, default_file_set};
pub use popularity::{Choices, Sampler};
pub use stages::RateStages;

/// Property tests that draw the same cases every time and leave no files behind.
#[cfg(test)]
fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..Default::default()
    }
}
