//! The same workloads, in the words of each kind of thread.

pub(crate) mod fibers;
pub(crate) mod kernel;
pub(crate) mod tasks;
