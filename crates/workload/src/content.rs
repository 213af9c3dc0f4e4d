//! File contents that nobody has to store: the byte at any offset follows from the file's [`Key`].
//!
//! A body is lines of 63 characters and a line feed, so that `curl` prints something sane. The
//! characters are the 64 of ASCII from `?` to `~` (letters, and none of `<`, `>`, `&` and quotes,
//! so it is harmless inside HTML). A line depends on its number and its key alone: a client checks
//! any range of any file without asking the server and without storing it, and bytes that were
//! shifted, repeated or taken from another file do not pass. It is no text and has no structure: a
//! compressor gains the quarter that six bits in eight leave, and no more.

use crate::seed;

/// Bytes a line holds, its line feed among them.
const LINE: usize = 64;

/// What the contents of one file are derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

/// The key of the file at `path` (as in [`crate::File::path`]: relative, no leading slash) in a set
/// made from `seed`.
pub fn key(seed: u64, path: &str) -> Key {
    Key(seed::derive(seed, path))
}

/// Writes the bytes from `offset` on into `into`, at several gigabytes a second.
///
/// The contents have no end: a file's length is kept elsewhere.
pub fn fill(key: Key, offset: u64, into: &mut [u8]) {
    let mut number = offset / LINE as u64;
    let skip = (offset % LINE as u64) as usize;
    let head_len = if skip == 0 {
        0
    } else {
        into.len().min(LINE - skip)
    };
    let (head, body) = into.split_at_mut(head_len);
    if !head.is_empty() {
        head.copy_from_slice(&line(key, number)[skip..skip + head_len]);
        number = number.wrapping_add(1);
    }
    let (lines, tail) = body.as_chunks_mut::<LINE>();
    for chunk in lines {
        *chunk = line(key, number);
        number = number.wrapping_add(1);
    }
    if !tail.is_empty() {
        tail.copy_from_slice(&line(key, number)[..tail.len()]);
    }
}

/// Compares `bytes`, said to be those from `offset` on, with what must stand there. Allocates
/// nothing.
///
/// # Errors
///
/// The offset *in the file* of the first byte that is wrong.
pub fn verify(key: Key, offset: u64, bytes: &[u8]) -> Result<(), u64> {
    let mut number = offset / LINE as u64;
    let skip = (offset % LINE as u64) as usize;
    let head_len = if skip == 0 {
        0
    } else {
        bytes.len().min(LINE - skip)
    };
    let (head, body) = bytes.split_at(head_len);
    let mut at = offset;
    if !head.is_empty() {
        same(head, &line(key, number)[skip..skip + head_len], at)?;
        number = number.wrapping_add(1);
        at = at.wrapping_add(head_len as u64);
    }
    let (lines, tail) = body.as_chunks::<LINE>();
    for chunk in lines {
        let expected = line(key, number);
        if *chunk != expected {
            return same(chunk, &expected, at);
        }
        number = number.wrapping_add(1);
        at = at.wrapping_add(LINE as u64);
    }
    same(tail, &line(key, number)[..tail.len()], at)
}

fn same(found: &[u8], expected: &[u8], at: u64) -> Result<(), u64> {
    match found.iter().zip(expected).position(|(a, b)| a != b) {
        Some(wrong) => Err(at.wrapping_add(wrong as u64)),
        None => Ok(()),
    }
}

/// One line: a hash of (key, number), stretched to eight words by odd multipliers, six bits to the
/// character.
#[inline]
fn line(key: Key, number: u64) -> [u8; LINE] {
    const SIX_BITS: u64 = 0x3f3f_3f3f_3f3f_3f3f;
    const FIRST: u64 = 0x3f3f_3f3f_3f3f_3f3f; // '?' in every byte
    const SPREAD: [u64; LINE / 8] = spread();
    let hash = seed::mix(key.0.wrapping_add(number.wrapping_mul(seed::STEP)));
    let mut out = [0; LINE];
    for (word, odd) in out.as_chunks_mut::<8>().0.iter_mut().zip(SPREAD) {
        let stretched = (hash ^ odd).wrapping_mul(odd);
        *word = (((stretched ^ (stretched >> 32)) & SIX_BITS) + FIRST).to_le_bytes();
    }
    out[LINE - 1] = b'\n';
    out
}

const fn spread() -> [u64; LINE / 8] {
    let mut odd = [0; LINE / 8];
    let mut i = 0;
    while i < odd.len() {
        odd[i] = seed::mix(i as u64 + 1) | 1;
        i += 1;
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(key: Key, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        fill(key, 0, &mut bytes);
        bytes
    }

    #[test]
    fn it_is_the_same_for_ever() {
        let text = String::from_utf8(whole(key(1, "file.txt"), 24)).unwrap();
        assert_eq!(text, "OF|x`^hCLXJ[{NYZk@doTlRi");
    }

    #[test]
    fn it_is_lines_of_harmless_ascii() {
        let text = whole(key(7, "a"), 64 * 100);
        for line in text.chunks(64) {
            assert_eq!(line[63], b'\n');
            assert!(line[..63].iter().all(|c| (b'?'..=b'~').contains(c)));
        }
    }

    #[test]
    fn all_characters_are_about_as_frequent() {
        let mut seen = [0_u32; 256];
        let text = whole(key(3, "b"), 64 * 1024 * 16);
        text.iter().for_each(|c| seen[usize::from(*c)] += 1);
        let expected = 63.0 * 1024.0 * 16.0 / 64.0;
        for c in b'?'..=b'~' {
            let off = f64::from(seen[usize::from(c)]) / expected - 1.0;
            assert!(off.abs() < 0.05, "{} is off by {off}", char::from(c));
        }
    }

    #[test]
    fn lines_and_files_differ() {
        let text = whole(key(1, "a"), 64 * 10_000);
        let lines: std::collections::HashSet<_> = text.chunks(64).collect();
        assert_eq!(lines.len(), 10_000);
        assert_ne!(whole(key(1, "a"), 64), whole(key(1, "b"), 64));
        assert_ne!(whole(key(1, "a"), 64), whole(key(2, "a"), 64));
        assert!(verify(key(1, "a"), 64, &text[..64]).is_err());
    }

    #[test]
    fn the_far_end_does_not_overflow() {
        let mut bytes = [0; 200];
        fill(key(1, "a"), u64::MAX - 99, &mut bytes);
        assert_eq!(verify(key(1, "a"), u64::MAX - 99, &bytes), Ok(()));
    }

    proptest! {
        #![proptest_config(crate::cases(300))]

        #[test]
        fn any_range_is_that_of_the_whole(start in 0..500_usize, length in 0..500_usize) {
            let key = key(9, "range");
            let all = whole(key, 1000);
            let mut part = vec![0; length];
            fill(key, start as u64, &mut part);
            prop_assert_eq!(&part, &all[start..start + length]);
            prop_assert_eq!(verify(key, start as u64, &part), Ok(()));
        }

        #[test]
        fn the_first_wrong_byte_is_found(start in 0..500_u64, length in 1..500_usize, wrong: prop::sample::Index, flip in 1..=255_u8) {
            let key = key(9, "wrong");
            let mut part = vec![0; length];
            fill(key, start, &mut part);
            let wrong = wrong.index(length);
            part[wrong] ^= flip;
            part[wrong + 1..].fill(0);
            prop_assert_eq!(verify(key, start, &part), Err(start + wrong as u64));
        }
    }
}
