//! A mutex and a queue between fibers, fair: who comes first is served first.

pub mod mutex;
pub mod queue;
mod turns;

#[cfg(test)]
mod interleavings;

pub use mutex::Mutex;
pub use queue::Queue;
