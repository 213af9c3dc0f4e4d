//! Statistics with their sources: tests, intervals, queueing formulas.
//!
//! Pure functions of their arguments; where chance is needed it comes from a seed. Every function
//! names the work it is taken from, and is tested against values published there or elsewhere.
//! Times are in whatever unit the caller keeps to, unless a name says otherwise.
//!
//! | module | what it answers |
//! | --- | --- |
//! | [`ks`] | did the arrivals that really went out follow the distribution that was asked for? |
//! | [`spacing`] | were they as evenly spaced as was asked for? |
//! | [`queueing`] | what should have come out? |
//! | [`sample`], [`interval`] | how sure is a figure, over repeats? |
//! | [`mod@precision`] | how well does one run know its figures, whose values are alike? |
//! | [`proportion`] | does something happen more often than it may? |
//! | [`series`] | did a run drift, are its seconds independent? |
//! | [`compare`] | is B faster than A, and by how much? |
//! | [`mod@line`] | how does one figure grow with another? |
//! | [`fairness`] | did all clients get the same? |
//! | [`hist`] | percentiles when some requests were never answered |

pub mod compare;
mod error;
pub mod fairness;
pub mod hist;
pub mod interval;
pub mod ks;
pub mod line;
pub mod precision;
pub mod proportion;
pub mod queueing;
pub mod sample;
pub mod series;
pub mod spacing;

pub use error::Error;
pub use interval::{Interval, typical};

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
