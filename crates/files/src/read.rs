//! Reading a file by offset: whole, a part of it, or only so that the page cache has it.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;

use rustix::io::{Errno, ReadWriteFlags};

/// Bytes read at a time where nobody looks at them.
const PIECE: usize = 64 << 10;

/// Whether a read may wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    Allowed,
    /// It fails with `EAGAIN` instead, or with `EOPNOTSUPP` where the file system knows no such reads.
    Never,
}

/// Reads a file that has `len` bytes; `None` if it has become shorter.
pub(crate) fn whole(file: &File, len: u64, waiting: Waiting) -> Result<Option<Vec<u8>>, Errno> {
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| Errno::NOMEM)?];
    let filled = part(file, &mut bytes, 0, waiting)?;
    Ok((filled == bytes.len()).then_some(bytes))
}

/// Fills `bytes` from a file, from `offset` on, and returns how many: fewer where the file ends before.
pub(crate) fn part(
    file: &File,
    bytes: &mut [u8],
    offset: u64,
    waiting: Waiting,
) -> Result<usize, Errno> {
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = &mut bytes[filled..];
        match at(file, rest, offset + filled as u64, waiting)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Reads a part of a file and keeps nothing of it.
pub(crate) fn through(file: &File, range: Range<u64>) -> Result<(), Errno> {
    let mut piece = [0; PIECE];
    let mut offset = range.start;
    while offset < range.end {
        let length = usize::try_from(range.end - offset).map_or(PIECE, |left| left.min(PIECE));
        match at(file, &mut piece[..length], offset, Waiting::Allowed)? {
            // The file has become shorter; whoever sends it will notice.
            0 => return Ok(()),
            count => offset += count as u64,
        }
    }
    Ok(())
}

/// Whether the byte at `offset` can be read, or is past the end.
pub(crate) fn probe(file: &File, offset: u64) -> Result<(), Errno> {
    at(file, &mut [0], offset, Waiting::Allowed).map(drop)
}

fn at(file: &File, bytes: &mut [u8], offset: u64, waiting: Waiting) -> Result<usize, Errno> {
    let flags = match waiting {
        Waiting::Allowed => ReadWriteFlags::empty(),
        Waiting::Never => ReadWriteFlags::NOWAIT,
    };
    let slices = &mut [IoSliceMut::new(bytes)];
    rustix::io::retry_on_intr(|| rustix::io::preadv2(file, slices, offset, flags))
}

/// What it means that a read failed which was allowed to wait. Nothing that a file system says is a reason to try again when
/// the *client* is ready, as an error of this name from a socket would be.
pub(crate) fn failure(error: Errno) -> io::Error {
    match error {
        Errno::AGAIN => io::Error::other("the file system answers a read with EAGAIN"),
        error => error.into(),
    }
}
