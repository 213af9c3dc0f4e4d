//! The contract between an architecture and everything that all of them share.
