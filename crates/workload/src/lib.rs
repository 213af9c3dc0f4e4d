//! File sets, popularity, arrival processes and request traces; seeded and pure.
