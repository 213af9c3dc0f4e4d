//! Header blocks, written: from the static table, and otherwise as they are (RFC 7541, section 6).

use crate::h2::hpack::{huffman, integer};

/// A field of the static table.
#[inline]
pub(crate) fn indexed(index: usize, out: &mut Vec<u8>) {
    integer::put(index, 0x80, 7, out);
}

/// A name of the static table with another value, which nobody is to remember.
#[inline]
pub(crate) fn named(name: usize, value: &[u8], out: &mut Vec<u8>) {
    integer::put(name, 0, 4, out);
    text(value, out);
}

/// A field that is in no table, and is not to be remembered.
pub(crate) fn literal(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.push(0);
    text(name, out);
    text(value, out);
}

/// A string as it is.
#[inline]
fn text(text: &[u8], out: &mut Vec<u8>) {
    integer::put(text.len(), 0, 7, out);
    out.extend_from_slice(text);
}

/// A name of the static table with another value, in the Huffman code where that is shorter: for what is written once and sent often.
pub(crate) fn named_short(name: usize, value: &[u8], out: &mut Vec<u8>) {
    let len = huffman::encoded_len(value);
    if len >= value.len() {
        return named(name, value, out);
    }
    integer::put(name, 0, 4, out);
    integer::put(len, 0x80, 7, out);
    huffman::encode(value, out);
}
