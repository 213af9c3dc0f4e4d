//! Integers in what is left of a byte, and in those after it (RFC 7541, section 5.1).

use crate::h2::hpack::Undecodable;

/// The largest number that anything here can mean.
const MOST: u64 = u32::MAX as u64;

/// Takes an integer off the front of `input`, of whose first byte the low `bits` are its own.
#[inline]
pub(crate) fn take(input: &mut &[u8], bits: u32) -> Result<usize, Undecodable> {
    let (&first, mut rest) = input.split_first().ok_or(Undecodable)?;
    let most = (1u64 << bits) - 1;
    let mut value = u64::from(first) & most;
    if value == most {
        let mut shift = 0;
        loop {
            let (&byte, after) = rest.split_first().ok_or(Undecodable)?;
            rest = after;
            // Five bytes hold every number that is allowed.
            if shift > 28 {
                return Err(Undecodable);
            }
            value += u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *input = rest;
    (value <= MOST).then_some(value as usize).ok_or(Undecodable)
}

/// Appends `value`, with `pattern` in the high bits of its first byte and the low `bits` for itself.
#[inline]
pub(crate) fn put(value: usize, pattern: u8, bits: u32, out: &mut Vec<u8>) {
    let most = (1usize << bits) - 1;
    if value < most {
        return out.push(pattern | value as u8);
    }
    out.push(pattern | most as u8);
    let mut left = value - most;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
