//! An event-driven process and helpers for whatever would block.
