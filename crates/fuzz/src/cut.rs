//! Cutting a stream into pieces, as a network does.

/// How many bytes at the start of an input choose the cuts.
pub const SEED_BYTES: usize = 4;

/// Takes a seed off the front of an input. `None`: there is none.
pub fn seed(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (seed, rest) = bytes.split_first_chunk::<SEED_BYTES>()?;
    Some((u32::from_le_bytes(*seed), rest))
}

/// The pieces of `input`, short ones and long ones; all of it as one for the seed 0.
pub fn pieces(input: &[u8], seed: u32) -> impl Iterator<Item = &[u8]> {
    let (mut rest, mut state) = (input, seed);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = if seed == 0 {
            rest.len()
        } else {
            // Marsaglia, Xorshift RNGs, 2003.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let longest = [1, 2, 7, 40, 500][state as usize % 5];
            1 + (state >> 8) as usize % longest
        };
        let (piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        Some(piece)
    })
}
