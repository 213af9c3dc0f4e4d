//! One process, one thread, one connection at a time.
