//! Asking whether bytes of a file are in memory, in whichever way the kernel answers truthfully here.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use rustix::io::{Errno, ReadWriteFlags};
use sys::residency::Map;

/// The ways to ask, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residency {
    /// `cachestat`, whose "no" is final; a "yes" is confirmed by `mincore`, since it counts pages that the disk is still
    /// reading, until the whole file has been seen in memory and no helper has fetched from it since. Nothing is read.
    /// Linux 6.5, and only for files of one's own, of which `mincore` tells the truth.
    CacheStat,
    /// `preadv2` with `RWF_NOWAIT`: reads what is there, up to what is not. Not on every file system.
    ReadNoWait,
    /// `mincore` on a mapping made for the question. Everywhere, but says "resident" of other people's files.
    Mincore,
}

/// The way that answered last, plus one; 0 before the first question.
static METHOD: AtomicU8 = AtomicU8::new(0);

/// The way that answered the latest question of this process; `None` before the first.
pub fn method() -> Option<Residency> {
    match METHOD.load(Relaxed) {
        0 => None,
        1 => Some(Residency::CacheStat),
        2 => Some(Residency::ReadNoWait),
        _ => Some(Residency::Mincore),
    }
}

/// Bytes read at a time where the question has to be asked, or made true, by reading.
const PIECE: usize = 64 << 10;

/// Up to this length the question is asked of the whole file first: in memory and settled, it needs no other.
const ASKED_WHOLE: u64 = 8 << 20;

/// What is kept with an open file for asking about it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Made for the first question that needs one.
    map: OnceLock<Option<Map>>,
    /// The whole file was seen in memory and read to its end, and nobody here has had the disk asked for it since: pages
    /// that are there are no longer on their way.
    settled: AtomicBool,
}

impl Asked {
    /// The disk is about to be asked for some of the file.
    pub(crate) fn unsettle(&self) {
        self.settled.store(false, Relaxed);
    }
}

/// Whether all of `range` of a file with `len` bytes is in memory. Where the kernel would not say, the answer is no.
pub(crate) fn is_resident(file: &File, asked: &Asked, len: u64, range: Range<u64>) -> bool {
    let ask = |method: Residency| match method {
        Residency::CacheStat => cached_and_read(file, asked, len, range.clone()),
        Residency::ReadNoWait => read_without_waiting(file, range.clone()),
        Residency::Mincore => sys::residency::mincore(file.as_fd(), range.clone()),
    };
    for method in [
        Residency::CacheStat,
        Residency::ReadNoWait,
        Residency::Mincore,
    ] {
        if let Ok(resident) = ask(method) {
            METHOD.store(method as u8 + 1, Relaxed);
            return resident;
        }
    }
    false
}

fn cached_and_read(file: &File, asked: &Asked, len: u64, range: Range<u64>) -> io::Result<bool> {
    let cached = |range: Range<u64>| sys::residency::cachestat(file.as_fd(), range);
    // Without a mapping (too many of them, as a rule) the next method has to say.
    let map = || {
        let map = asked
            .map
            .get_or_init(|| Map::new(file.as_fd(), 0..len).ok());
        map.as_ref()
            .ok_or(io::Error::from(io::ErrorKind::Unsupported))
    };
    if len <= ASKED_WHOLE {
        if !cached(0..len)? {
            asked.unsettle();
        } else if asked.settled.load(Relaxed) {
            return Ok(true);
        } else if map()?.is_resident(0..len)? {
            asked.settled.store(true, Relaxed);
            return Ok(true);
        }
    }
    Ok(cached(range.clone())? && map()?.is_resident(range)?)
}

fn read_without_waiting(file: &File, range: Range<u64>) -> io::Result<bool> {
    match read(file, range, ReadWriteFlags::NOWAIT) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads all of `range`, waiting for the disk, so that the page cache has it.
pub(crate) fn make_resident(file: &File, range: Range<u64>) -> io::Result<()> {
    Ok(read(file, range, ReadWriteFlags::empty())?)
}

fn read(file: &File, range: Range<u64>, flags: ReadWriteFlags) -> Result<(), Errno> {
    let mut piece = [0; PIECE];
    let mut offset = range.start;
    while offset < range.end {
        let count = usize::try_from(range.end - offset).map_or(PIECE, |left| left.min(PIECE));
        match rustix::io::preadv2(
            file,
            &mut [IoSliceMut::new(&mut piece[..count])],
            offset,
            flags,
        ) {
            // The file has become shorter; whoever sends it will notice.
            Ok(0) => return Ok(()),
            Ok(count) => offset += count as u64,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
