//! What the tests of all servers share.

/// All that a program runs on.
pub(crate) const RUNTIMES: [&str; 3] = ["thread", "pool", "event"];
