//! Whether a body is what it must be.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// First answers, whole or still coming in, are kept for comparison up to this much memory in all.
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

/// How much of answers is kept at present, in bytes.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// The comparison of one body under way.
#[derive(Debug, Default)]
pub struct Check {
    offset: u64,
    wrong: Option<u64>,
    /// Its beginning, as far as it came in while there was no first answer to compare it with.
    kept: Vec<u8>,
}

impl Check {
    /// A new body begins.
    pub fn begin(&mut self) {
        self.offset = 0;
        self.wrong = None;
        self.drop_kept();
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
                        self.keep(piece);
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
                    // Another connection's answer became the first while this one came in.
                    self.wrong = difference(first, 0, &self.kept).or(self.wrong);
                    first.len() as u64
                }
                None => {
                    self.become_first(first);
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

    /// Keeps a piece, if all before it was kept and there is room. A body that is too large is never kept whole, and so never the first answer.
    fn keep(&mut self, piece: &[u8]) {
        if self.kept.len() as u64 != self.offset {
            return;
        }
        let length = piece.len() as u64;
        if KEPT.fetch_add(length, Relaxed) + length <= MAX_KEPT_BYTES {
            self.kept.extend_from_slice(piece);
        } else {
            KEPT.fetch_sub(length, Relaxed);
        }
    }

    fn become_first(&mut self, first: &OnceLock<Box<[u8]>>) {
        if self.kept.len() as u64 == self.offset {
            let whole = std::mem::take(&mut self.kept).into_boxed_slice();
            // Losing a race to another thread leaves that one's answer as the first.
            if let Err(unused) = first.set(whole) {
                KEPT.fetch_sub(unused.len() as u64, Relaxed);
            }
        }
    }

    fn drop_kept(&mut self) {
        let unused = std::mem::take(&mut self.kept);
        if !unused.is_empty() {
            KEPT.fetch_sub(unused.len() as u64, Relaxed);
        }
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        self.drop_kept();
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
    fn answers_that_come_in_beside_the_first_are_compared_from_their_beginning_on() {
        for (beginning, rest, found) in [
            ("hel", "lo", Ok(())),
            ("hxl", "lo", Err(1)),
            ("hxl", "xo", Err(1)),
            ("hel", "xo", Err(3)),
            ("hello!", "", Err(5)),
        ] {
            let expected = Expected::FirstAnswer(OnceLock::new());
            let mut beside = Check::default();
            beside.begin();
            beside.piece(&expected, beginning.as_bytes());
            assert_eq!(check(&expected, &[b"hello"]), Ok(()));
            beside.piece(&expected, rest.as_bytes());
            assert_eq!(beside.end(&expected), found, "{beginning}{rest}");
        }
    }

    #[test]
    fn what_does_not_fit_into_memory_is_not_kept() {
        let expected = Expected::FirstAnswer(OnceLock::new());
        let mut check = Check::default();
        check.begin();
        check.piece(&expected, b"hello");
        // As if the rest of a large body had found no room.
        check.offset = MAX_KEPT_BYTES;
        check.piece(&expected, b"!");
        assert_eq!(check.kept, b"hello");
        assert_eq!(check.end(&expected), Ok(()));
        assert!(matches!(expected, Expected::FirstAnswer(first) if first.get().is_none()));
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
