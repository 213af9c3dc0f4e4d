//! Where the stack is, and how much it keeps.

use std::net::Ipv4Addr;

/// Where the stack is, and how much it keeps for a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Of the interface.
    pub(crate) hardware_address: [u8; 6],
    /// Ours.
    pub(crate) address: Ipv4Addr,
    /// How many bits of it name the network.
    pub(crate) prefix_bits: u8,
    /// By whom whoever is not in that network is reached.
    pub(crate) gateway: Option<Ipv4Addr>,
    /// Where connections are listened for.
    pub(crate) port: u16,
    /// Connections that may be on their way in, or wait to be accepted.
    pub(crate) backlog: usize,
    /// Bytes that a client may send before its session takes any.
    pub(crate) receive_bytes: usize,
    /// Bytes of an answer that a client has not acknowledged.
    pub(crate) send_bytes: usize,
    /// What sequence numbers begin from.
    pub(crate) seed: u64,
}
