//! A process for each connection.
