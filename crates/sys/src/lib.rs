//! The few system calls that the well-kept safe crates do not cover; the only crate with unsafe code.
