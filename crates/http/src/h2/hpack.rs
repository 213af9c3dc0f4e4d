//! HPACK: lists of header fields in few bytes (RFC 7541).
//!
//! The decoder keeps a dynamic table of at most 4096 bytes, hands each field out as two slices, and allocates nothing once its
//! table has grown. What is encoded here refers to the static table alone: no connection keeps a table for the way out, and a head
//! is a few copies, whoever it is for.

pub(crate) mod decode;
pub(crate) mod dynamic;
pub(crate) mod encode;
pub(crate) mod huffman;
pub(crate) mod integer;
pub(crate) mod statics;
#[cfg(test)]
mod tests;

pub use decode::Decoder;

/// The most that a dynamic table holds, in bytes as RFC 7541, section 4.1 counts them: what every peer starts from.
pub(crate) const TABLE_BYTES: usize = 4096;

/// A header block that cannot be decoded: no field that comes after it can be either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable;
