//! A single process driven by events.
