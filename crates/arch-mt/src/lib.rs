//! A thread for each connection.
