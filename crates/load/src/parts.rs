//! A run of several processes: each writes what it measures as it goes, and what all have written is put together.
//!
//! | module | what it does |
//! | --- | --- |
//! | `times` | a histogram in few bytes, and back |
//! | `bins` | how often each time was, in memory for those alone that were |
//! | `second` | what is recorded in a second, as a line and back |
//! | `log` | writes the lines of one part |
//! | `pieces` | lines on standard output, cut so that launchers pass them on whole |
//! | `find` | which files are of a run, and what is in a line |
//! | `fold` | adds lines up, in memory that does not grow with how many parts there are |
//! | `seen` | what is seen of each part on the way |
//! | `judge` | what of the parts speaks against the whole |
//! | [`merge`](mod@merge) | the command, and what the last part to end does |

mod bins;
mod find;
mod fold;
mod judge;
pub(crate) mod log;
pub mod merge;
mod pieces;
mod second;
mod seen;
#[cfg(test)]
mod tests;
mod times;
