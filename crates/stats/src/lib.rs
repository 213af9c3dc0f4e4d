//! Statistics with their sources: tests, intervals, queueing formulas.
