//! What the answers about one file have in common (RFC 9110, section 8): computed once, copied into
//! every answer.

use std::io::Write as _;

use crate::semantics::{date, media_type};

/// The representation metadata of one state of one file: its "header cache".
///
/// It holds the ready-made tail of the answer's head, so that an answer to a plain GET is rendered
/// by a few copies:
///
/// ```text
/// Last-Modified: …   left out if the date cannot be represented
/// ETag: "…"
/// Accept-Ranges: bytes
/// Content-Type: …    and the Content-Encoding, for what is stored compressed
/// Content-Length: …
///                    the empty line
/// ```
///
/// The order is that of need: answers that say less are prefixes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    len: u64,
    /// Seconds since the epoch; `u64::MAX` if there is no Last-Modified.
    modified: u64,
    block: Box<[u8]>,
    etag_start: u16,
    ranges_start: u16,
    type_start: u16,
    length_start: u16,
}

const UNDATED: u64 = u64::MAX;
const LAST_MODIFIED: &[u8] = b"Last-Modified: ";
const ETAG: &[u8] = b"ETag: ";

/// What tells one state of a file from another; the entity tag is made of all of it (RFC 9110, section 8.8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileState {
    /// Size in bytes.
    pub len: u64,
    /// Modification time: seconds since the epoch, and nanoseconds.
    pub modified: (i64, u32),
    /// Change time likewise: unlike the modification time, nobody can set it back.
    pub changed: (i64, u32),
    /// Another number for each content that was met under the same size and times; 0 for the first.
    pub revision: u64,
}

impl Entity {
    /// `name` is the last component of the file's path, by whose extension the content type is
    /// known.
    ///
    /// Any time will do. One that an HTTP-date cannot represent, before 1970 or after 9999, leaves
    /// Last-Modified out.
    pub fn new(name: &[u8], state: FileState) -> Entity {
        let mut block = Vec::with_capacity(256);
        let len = state.len;
        let dated = u64::try_from(state.modified.0)
            .ok()
            .and_then(|s| Some((s, date::format(s)?)));
        if let Some((_, date)) = &dated {
            block.extend_from_slice(LAST_MODIFIED);
            block.extend_from_slice(date);
            block.extend_from_slice(b"\r\n");
        }
        let etag_start = block.len();
        // 64 bits, so that a boundary made of the tag is within the 70 characters of RFC 2046; a time wraps after 584 years.
        let ns = |(s, ns): (i64, u32)| {
            s.wrapping_mul(1_000_000_000)
                .wrapping_add(i64::from(ns))
                .cast_unsigned()
        };
        let (modified, changed) = (ns(state.modified), ns(state.changed));
        write_to(
            &mut block,
            format_args!("ETag: \"{len:x}-{modified:x}-{changed:x}"),
        );
        if state.revision != 0 {
            write_to(&mut block, format_args!("-{:x}", state.revision));
        }
        block.extend_from_slice(b"\"\r\n");
        let ranges_start = block.len();
        block.extend_from_slice(b"Accept-Ranges: bytes\r\n");
        let type_start = block.len();
        media_type::write_fields(name, &mut block);
        let length_start = block.len();
        write_to(&mut block, format_args!("Content-Length: {len}\r\n\r\n"));
        // The longest content type known is far below 64 KiB, and nothing else here has a length of
        // its own.
        let position = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Entity {
            len,
            modified: dated.map_or(UNDATED, |(s, _)| s),
            etag_start: position(etag_start),
            ranges_start: position(ranges_start),
            type_start: position(type_start),
            length_start: position(length_start),
            block: block.into_boxed_slice(),
        }
    }

    /// Size of the file in bytes.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a number of bytes, not a collection"
    )]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// When the file was modified, in seconds since the epoch, and never later than `now`, which is
    /// when the answer is made: what lies in the future counts as modified just now (RFC 9110,
    /// 8.8.2.1).
    pub(crate) fn modified(&self, now: Option<u64>) -> Option<u64> {
        (self.modified != UNDATED).then(|| now.map_or(self.modified, |now| now.min(self.modified)))
    }

    /// Whether the file claims to be modified later than `now`.
    pub(crate) fn is_from_the_future(&self, now: Option<u64>) -> bool {
        self.modified != UNDATED && now.is_some_and(|now| now < self.modified)
    }

    /// The value of Last-Modified.
    pub(crate) fn last_modified(&self) -> Option<&[u8]> {
        self.block[..self.etag_start.into()]
            .get(LAST_MODIFIED.len()..LAST_MODIFIED.len() + date::LEN)
    }

    /// Where in the fields the value of Last-Modified begins, for a file that has one.
    pub(crate) fn date_position(&self) -> usize {
        LAST_MODIFIED.len()
    }

    /// The value of ETag, quotes included.
    pub(crate) fn etag(&self) -> &[u8] {
        let line = self.etag_line();
        &line[ETAG.len()..line.len() - 2]
    }

    /// What stands between the parts of an answer with several ranges (RFC 2046, 5.1.1): the entity
    /// tag without its quotes, so that every server of the same file sends the same bytes.
    ///
    /// A file could contain it, if its owner foresaw the nanosecond in which it is written. The parts
    /// of the answer that he could so forge are parts of the very file that he can fill as he likes,
    /// sent under its name; it gains him nothing.
    pub(crate) fn boundary(&self) -> &[u8] {
        let tag = self.etag();
        &tag[1..tag.len() - 1]
    }

    pub(crate) fn etag_line(&self) -> &[u8] {
        &self.block[self.etag_start.into()..self.ranges_start.into()]
    }

    /// `Content-Type: …`, with what belongs to it, line ends included.
    pub(crate) fn type_line(&self) -> &[u8] {
        &self.block[self.type_start.into()..self.length_start.into()]
    }

    /// All fields, and the empty line.
    pub(crate) fn whole(&self) -> &[u8] {
        &self.block
    }

    /// The fields up to and including the content type.
    pub(crate) fn up_to_type(&self) -> &[u8] {
        &self.block[..self.length_start.into()]
    }

    /// The fields before the content type.
    pub(crate) fn up_to_ranges(&self) -> &[u8] {
        &self.block[..self.type_start.into()]
    }
}

/// Writing to a vector cannot fail.
fn write_to(block: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = block.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block() {
        let entity = Entity::new(
            b"index.html",
            FileState {
                len: 1234,
                modified: (784_111_777, 255),
                changed: (784_111_778, 0),
                revision: 0,
            },
        );
        assert_eq!(
            String::from_utf8_lossy(entity.whole()),
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"4d2-ae1b981bc490aff-ae1b981f7e3d400\"\r\nAccept-Ranges: bytes\r\n\
             Content-Type: text/html; charset=utf-8\r\nContent-Length: 1234\r\n\r\n"
        );
        assert_eq!(entity.etag(), b"\"4d2-ae1b981bc490aff-ae1b981f7e3d400\"");
        assert_eq!(
            entity.last_modified(),
            Some(&b"Sun, 06 Nov 1994 08:49:37 GMT"[..])
        );
        assert_eq!(
            entity.type_line(),
            b"Content-Type: text/html; charset=utf-8\r\n"
        );
    }

    #[test]
    fn absurd_times() {
        for (s, ns) in [
            (-1, 0),
            (i64::MIN, u32::MAX),
            (i64::MAX, u32::MAX),
            (253_402_300_800, 0),
        ] {
            let entity = Entity::new(
                b"a",
                FileState {
                    len: u64::MAX,
                    modified: (s, ns),
                    changed: (s, ns),
                    revision: u64::MAX,
                },
            );
            assert_eq!(entity.last_modified(), None);
            assert_eq!(entity.modified(Some(1)), None);
            assert!(entity.whole().starts_with(b"ETag: \""));
            assert!(entity.etag().len() <= 72, "too long for a boundary");
        }
    }

    #[test]
    fn whatever_tells_two_states_apart_is_in_the_tag() {
        let state = FileState {
            len: 10,
            modified: (5, 6),
            changed: (7, 8),
            revision: 0,
        };
        let others = [
            FileState { len: 11, ..state },
            FileState {
                modified: (5, 7),
                ..state
            },
            FileState {
                modified: (6, 6),
                ..state
            },
            FileState {
                changed: (7, 9),
                ..state
            },
            FileState {
                changed: (8, 8),
                ..state
            },
            FileState {
                revision: 1,
                ..state
            },
        ];
        let tag = |state| Entity::new(b"a", state).etag().to_vec();
        assert_eq!(tag(state), tag(state));
        for other in others {
            assert_ne!(tag(state), tag(other), "{other:?}");
        }
    }

    #[test]
    fn the_future_is_now() {
        let entity = Entity::new(
            b"a",
            FileState {
                modified: (100, 0),
                ..FileState::default()
            },
        );
        assert_eq!(entity.modified(Some(99)), Some(99));
        assert_eq!(entity.modified(Some(101)), Some(100));
        assert!(entity.is_from_the_future(Some(99)));
        assert!(!entity.is_from_the_future(Some(100)));
        assert!(!entity.is_from_the_future(None));
    }
}
