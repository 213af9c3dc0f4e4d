//! Counters and latencies in a page that all processes share; histogram formats.
