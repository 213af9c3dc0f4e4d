//! The Huffman code of HPACK (RFC 7541, appendix B).
//!
//! It is canonical: codes of one length follow each other in the order of their symbols, and a longer code follows the last shorter
//! one. So the lengths are all that need be written down; everything else is worked out when this is compiled.

use crate::h2::hpack::Undecodable;

/// The symbols, the end of the string (256) included.
const SYMBOLS: usize = 257;
const END: u16 = 256;
const LONGEST: usize = 30;

/// How many bits the code of each symbol has.
#[rustfmt::skip]
static LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
     5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
     6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Everything that follows from the lengths.
struct Code {
    /// The code of each symbol, right-aligned.
    codes: [u32; SYMBOLS],
    /// The symbols in the order of their codes.
    sorted: [u16; SYMBOLS],
    /// Of each length: the first code, how many there are, and where in `sorted` the first of them is.
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    start: [u16; LONGEST + 1],
    /// By the next eight bits: the symbol that they begin with and its length; length 0 for one that is longer.
    quick: [(u8, u8); 256],
}

static CODE: Code = Code::work_out();

impl Code {
    const fn work_out() -> Code {
        let mut code = Code {
            codes: [0; SYMBOLS],
            sorted: [0; SYMBOLS],
            first: [0; LONGEST + 1],
            count: [0; LONGEST + 1],
            start: [0; LONGEST + 1],
            quick: [(0, 0); 256],
        };
        let (mut next, mut place, mut length) = (0u32, 0, 1);
        while length <= LONGEST {
            next <<= 1;
            code.first[length] = next;
            code.start[length] = place as u16;
            let mut symbol = 0;
            while symbol < SYMBOLS {
                if LENGTHS[symbol] as usize == length {
                    code.codes[symbol] = next;
                    code.sorted[place] = symbol as u16;
                    code.count[length] += 1;
                    if length <= 8 {
                        let mut filled = 0;
                        while filled < 1 << (8 - length) {
                            let bits = (next << (8 - length)) as usize + filled;
                            code.quick[bits] = (symbol as u8, length as u8);
                            filled += 1;
                        }
                    }
                    next += 1;
                    place += 1;
                }
                symbol += 1;
            }
            length += 1;
        }
        code
    }
}

/// Appends what `coded` stands for.
pub(crate) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
    let (mut bits, mut have) = (0u64, 0u32);
    let mut coded = coded.iter();
    loop {
        while have <= 56 {
            let Some(&byte) = coded.next() else { break };
            bits = bits << 8 | u64::from(byte);
            have += 8;
        }
        // Behind the end come ones, as in the padding.
        let next = match have {
            8.. => bits >> (have - 8),
            _ => bits << (8 - have) | 0xff >> have,
        };
        let (symbol, length) = CODE.quick[next as usize & 0xff];
        if length > 0 && u32::from(length) <= have {
            out.push(symbol);
            have -= u32::from(length);
            continue;
        }
        if have < 8 {
            // The padding is the begin of the code for the end (RFC 7541, 5.2): ones.
            let padding = (1u64 << have) - 1;
            return (bits & padding == padding).then_some(()).ok_or(Undecodable);
        }
        have -= decode_long(bits, have, out)?;
    }
}

/// Appends the symbol that the last `have` of `bits` begin with, and returns the length of its code.
fn decode_long(bits: u64, have: u32, out: &mut Vec<u8>) -> Result<u32, Undecodable> {
    for length in 9..=LONGEST.min(have as usize) {
        let code = (bits >> (have as usize - length)) as u32 & ((1u32 << length) - 1);
        let Some(place) = code.checked_sub(CODE.first[length]) else {
            continue;
        };
        if place < CODE.count[length] {
            let symbol = CODE.sorted[usize::from(CODE.start[length]) + place as usize];
            if symbol == END {
                return Err(Undecodable);
            }
            out.push(symbol as u8);
            return Ok(length as u32);
        }
    }
    Err(Undecodable)
}

/// How many bytes `text` takes in this code.
pub(crate) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text
        .iter()
        .map(|&byte| usize::from(LENGTHS[usize::from(byte)]))
        .sum();
    bits.div_ceil(8)
}

/// Appends `text` in this code.
pub(crate) fn encode(text: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut have) = (0u64, 0u32);
    for &byte in text {
        let length = u32::from(LENGTHS[usize::from(byte)]);
        bits = bits << length | u64::from(CODE.codes[usize::from(byte)]);
        have += length;
        while have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    if have > 0 {
        out.push((bits << (8 - have)) as u8 | 0xff >> have);
    }
}
