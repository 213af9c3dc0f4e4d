//! Whether a body is what it must be.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// First answers are kept for comparison up to this much memory in all.
const MAX_KEPT_BYTES: u64 = 256 << 20;

/// What a body must be.
#[derive(Debug, Default)]
pub enum Expected {
    /// Not verified.
    #[default]
    Anything,
    /// A file of a file set, or a part of one.
    File {
        /// What its bytes are derived from.
        key: workload::content::Key,
        /// Where in the file the body begins.
        from: u64,
        /// Its length.
        length: u64,
    },
    /// What the server answered first, whatever it was.
    FirstAnswer(OnceLock<Box<[u8]>>),
}

/// Bodies of first answers that were kept, in bytes.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// The comparison of one body under way.
#[derive(Debug, Default)]
pub struct Check {
    offset: u64,
    wrong: Option<u64>,
    /// The first answer, while it is still the first.
    first: Vec<u8>,
}

impl Check {
    /// A new body begins.
    pub fn begin(&mut self) {
        self.offset = 0;
        self.wrong = None;
        self.first.clear();
    }

    /// A piece of the body.
    pub fn piece(&mut self, expected: &Expected, piece: &[u8]) {
        if self.wrong.is_none() {
            self.wrong = match expected {
                Expected::Anything => None,
                Expected::File { key, from, length } => {
                    check_file(*key, *from, *length, self.offset, piece)
                }
                Expected::FirstAnswer(first) => match first.get() {
                    Some(first) => difference(first, self.offset, piece),
                    None => {
                        self.first.extend_from_slice(piece);
                        None
                    }
                },
            };
        }
        self.offset += piece.len() as u64;
    }

    /// The body is whole. An error is the offset of the first wrong or missing byte.
    pub fn end(&mut self, expected: &Expected) -> Result<(), u64> {
        let length = match expected {
            Expected::Anything => return Ok(()),
            Expected::File { length, .. } => *length,
            Expected::FirstAnswer(first) => match first.get() {
                Some(first) => {
                    // Another thread's answer may have become the first while this one came in.
                    if self.wrong.is_none() && self.first.len() as u64 == self.offset {
                        self.wrong = difference(first, 0, &self.first);
                    }
                    first.len() as u64
                }
                None => {
                    self.keep(first);
                    return Ok(());
                }
            },
        };
        match self.wrong {
            Some(offset) => Err(offset),
            None if self.offset != length => Err(self.offset.min(length)),
            None => Ok(()),
        }
    }

    fn keep(&mut self, first: &OnceLock<Box<[u8]>>) {
        let length = self.first.len() as u64;
        if KEPT.fetch_add(length, Relaxed) + length <= MAX_KEPT_BYTES {
            // Losing a race to another thread leaves that one's answer as the first.
            let _ = first.set(std::mem::take(&mut self.first).into_boxed_slice());
        } else {
            KEPT.fetch_sub(length, Relaxed);
        }
    }
}

fn check_file(
    key: workload::content::Key,
    from: u64,
    length: u64,
    offset: u64,
    piece: &[u8],
) -> Option<u64> {
    let within = length.saturating_sub(offset).min(piece.len() as u64) as usize;
    let wrong = workload::content::verify(key, from + offset, &piece[..within]).err();
    let wrong = wrong.map(|wrong| wrong - from);
    wrong.or((within < piece.len()).then_some(length))
}

fn difference(first: &[u8], offset: u64, piece: &[u8]) -> Option<u64> {
    let start = usize::try_from(offset).map_or(first.len(), |start| start.min(first.len()));
    let rest = &first[start..];
    let within = rest.len().min(piece.len());
    if rest[..within] == piece[..within] {
        return (within < piece.len()).then_some(first.len() as u64);
    }
    let wrong = rest.iter().zip(piece).position(|(a, b)| a != b)?;
    Some(offset + wrong as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &Expected, pieces: &[&[u8]]) -> Result<(), u64> {
        let mut check = Check::default();
        check.begin();
        pieces.iter().for_each(|piece| check.piece(expected, piece));
        check.end(expected)
    }

    #[test]
    fn later_answers_are_compared_with_the_first() {
        let expected = Expected::FirstAnswer(OnceLock::new());
        assert_eq!(check(&expected, &[b"hel", b"lo"]), Ok(()));
        assert_eq!(check(&expected, &[b"h", b"ello"]), Ok(()));
        assert_eq!(check(&expected, &[b"he", b"xlo"]), Err(2));
        assert_eq!(check(&expected, &[b"hell"]), Err(4));
        assert_eq!(check(&expected, &[b"hello", b"!"]), Err(5));
    }

    #[test]
    fn files_of_a_set_are_known() {
        let key = workload::content::key(1, "file.txt");
        let mut body = vec![0; 1000];
        workload::content::fill(key, 0, &mut body);
        let expected = Expected::File {
            key,
            from: 0,
            length: 1000,
        };
        assert_eq!(check(&expected, &[&body[..100], &body[100..]]), Ok(()));
        assert_eq!(check(&expected, &[&body[..999]]), Err(999));
        body.push(0);
        assert_eq!(check(&expected, &[&body]), Err(1000));
        body.pop();
        body[500] ^= 1;
        assert_eq!(check(&expected, &[&body]), Err(500));
    }

    #[test]
    fn parts_of_files_are_known() {
        let key = workload::content::key(1, "file.txt");
        let mut body = vec![0; 100];
        workload::content::fill(key, 70, &mut body);
        let expected = Expected::File {
            key,
            from: 70,
            length: 100,
        };
        assert_eq!(check(&expected, &[&body[..30], &body[30..]]), Ok(()));
        assert_eq!(check(&expected, &[&body[..99]]), Err(99));
        body[50] ^= 1;
        assert_eq!(check(&expected, &[&body]), Err(50));
        workload::content::fill(key, 71, &mut body);
        assert_eq!(check(&expected, &[&body]), Err(0));
    }
}
