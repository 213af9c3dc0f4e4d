//! Whether a range of a file is in the page cache, without reading it and without waiting; and keeping a file there.
//!
//! Both calls answer truthfully only for a file that the caller owns or may write: the kernel hides the page
//! cache of other people's files, because its state tells what they read. `cachestat` refuses them with
//! `EPERM`; `mincore` calls every page resident, even one past the end of the file, by which it is found out.
//!
//! `cachestat` looks at the page cache of the file that was opened. Where that is one of another file (overlayfs, which
//! reads and maps the file below), it says that nothing is there; `mincore` asks about the one that is mapped.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

/// The number of cachestat, the same on every architecture (it is newer than their numbers were unified).
const CACHESTAT: libc::c_long = 451;

#[repr(C)]
struct CacheStatRange {
    offset: u64,
    length: u64,
}

#[repr(C)]
#[derive(Default)]
struct CacheStat {
    cached: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// Whether every page of `range` is in the page cache, by cachestat(2) (Linux 6.5).
///
/// A page is there from the moment the disk is asked for it, so "yes" may still mean waiting; "no" is final.
///
/// # Errors
/// `ENOSYS` before Linux 6.5, `EPERM` for a file of somebody else's, `EOPNOTSUPP` for hugetlbfs.
pub fn cachestat(file: BorrowedFd<'_>, range: Range<u64>) -> io::Result<bool> {
    let Some(pages) = pages(&range) else {
        return Ok(true);
    };
    let asked = CacheStatRange {
        offset: range.start,
        length: range.end - range.start,
    };
    let mut found = CacheStat::default();
    // SAFETY: both structures have the layout that the kernel documents and outlive the call; it reads one and
    // writes the other.
    let result = unsafe {
        libc::syscall(
            CACHESTAT,
            file.as_raw_fd(),
            std::ptr::from_ref(&asked),
            std::ptr::from_mut(&mut found),
            0_u32,
        )
    };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(found.cached >= pages)
}

/// Whether every page of `range` is in memory, by mincore(2) on a mapping made for the purpose.
///
/// Three system calls; who asks about a file again and again keeps a [`Map`].
///
/// # Errors
/// What `mmap` and `mincore` report: `ENODEV` for a file that cannot be mapped, `ENOMEM` for a range past the
/// end of the address space.
pub fn mincore(file: BorrowedFd<'_>, range: Range<u64>) -> io::Result<bool> {
    if range.is_empty() {
        return Ok(true);
    }
    Map::new(file, range.clone())?.is_resident(range)
}

/// A file, or a part of one, mapped to be asked about and never to be looked into.
///
/// It has no access rights, so that nothing that happens to the file can hurt this process.
#[derive(Debug)]
pub struct Map {
    address: NonNull<libc::c_void>,
    bytes: usize,
    /// Where in the file it begins, at the beginning of a page.
    start: u64,
}

// SAFETY: the address is only handed to the kernel, which checks it; what is there is never read or written.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Map {
    /// Maps the pages that `range` touches.
    ///
    /// # Errors
    /// `EINVAL` for an empty range; what `mmap` reports: `ENODEV` for a file that cannot be mapped, `ENOMEM` where
    /// there is no address left or this process has too many mappings.
    pub fn new(file: BorrowedFd<'_>, range: Range<u64>) -> io::Result<Self> {
        Self::with_rights(file, range, libc::PROT_NONE)
    }

    /// Maps a file with `len` bytes, if the kernel says what of it is in memory: it is not believed where it says so of a
    /// page past the end.
    ///
    /// # Errors
    /// As [`new`](Self::new); and `EPERM` where the kernel does not tell.
    pub fn believed(file: BorrowedFd<'_>, len: u64) -> io::Result<Self> {
        let past_end = len.div_ceil(page_size()).saturating_mul(page_size());
        let map = Self::new(file, 0..past_end.saturating_add(1))?;
        if map.is_resident(past_end..past_end.saturating_add(1))? {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        Ok(map)
    }

    fn with_rights(
        file: BorrowedFd<'_>,
        range: Range<u64>,
        rights: libc::c_int,
    ) -> io::Result<Self> {
        let page = page_size();
        let pages = pages(&range).ok_or(io::ErrorKind::InvalidInput)?;
        let start = range.start / page * page;
        let bytes = usize::try_from(pages.saturating_mul(page)).map_err(too_large)?;
        let offset = libc::off_t::try_from(start).map_err(too_large)?;
        // SAFETY: the mapping is new and never written; it replaces nothing, and nothing but the kernel looks into it.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                rights,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                offset,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            address: NonNull::new(address).ok_or(io::ErrorKind::OutOfMemory)?,
            bytes,
            start,
        })
    }

    /// Whether every page of `range` is in memory, whole: a page that the disk is still reading is not. Of a file that
    /// this process may neither write nor owns, the kernel says that every page is.
    ///
    /// # Errors
    /// `EINVAL` for a range that is not part of the map; what `mincore` reports.
    pub fn is_resident(&self, range: Range<u64>) -> io::Result<bool> {
        /// Pages asked about in one call.
        const PIECE: usize = 256;
        let page = page_size();
        let Some(mut left) = pages(&range) else {
            return Ok(true);
        };
        let skipped = (range.start / page * page).checked_sub(self.start);
        let mut at =
            usize::try_from(skipped.ok_or(io::ErrorKind::InvalidInput)?).map_err(too_large)?;
        let asked = usize::try_from(left.saturating_mul(page)).map_err(too_large)?;
        if at.checked_add(asked).is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut states = [0_u8; PIECE];
        while left > 0 {
            let count = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
            let bytes = count * rustix::param::page_size();
            // SAFETY: `at` and `bytes` stay within the mapping, as was checked above, and `states` has a byte for each of
            // the `count` pages.
            crate::check(unsafe {
                libc::mincore(
                    self.address.as_ptr().byte_add(at),
                    bytes,
                    states.as_mut_ptr(),
                )
            })?;
            if states[..count].iter().any(|state| state & 1 == 0) {
                return Ok(false);
            }
            at += bytes;
            left -= count as u64;
        }
        Ok(true)
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own and nothing refers to it any more.
        unsafe { libc::munmap(self.address.as_ptr(), self.bytes) };
    }
}

/// A file that stays in memory, by mlock(2), for as long as this value lives.
///
/// The lock holds what was in the file when it was made; a file that becomes shorter takes its pages along. Nobody reads
/// through the mapping, so that nothing that happens to the file can hurt this process.
#[derive(Debug)]
pub struct Locked(Map);

impl Locked {
    /// Reads the first `len` bytes of a file into memory where they are not there yet, waiting for the disk, and keeps them
    /// there.
    ///
    /// # Errors
    /// `ENOMEM` past the limit on locked memory (`RLIMIT_MEMLOCK`) and for a file that has become shorter, `EPERM` where
    /// that limit is 0, and what [`Map::new`] reports.
    pub fn new(file: BorrowedFd<'_>, len: u64) -> io::Result<Self> {
        let map = Map::with_rights(file, 0..len, libc::PROT_READ)?;
        // SAFETY: address and length are those of a mapping that `map` keeps.
        crate::check(unsafe { libc::mlock(map.address.as_ptr(), map.bytes) })?;
        Ok(Self(map))
    }

    /// How many bytes are locked: whole pages.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }
}

fn too_large(_: std::num::TryFromIntError) -> io::Error {
    io::Error::from_raw_os_error(libc::EOVERFLOW)
}

/// How many pages `range` touches; `None` for an empty one.
fn pages(range: &Range<u64>) -> Option<u64> {
    let page = page_size();
    (range.start < range.end).then(|| range.end.div_ceil(page) - range.start / page)
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn what_was_just_written_is_resident_and_a_hole_is_not() {
        let file = tempfile::tempfile().unwrap();
        rustix::io::pwrite(&file, &[1; 20_000], 0).unwrap();
        file.set_len(1 << 20).unwrap();
        let ask = |range: Range<u64>| {
            let by_mincore = mincore(file.as_fd(), range.clone()).unwrap();
            match cachestat(file.as_fd(), range) {
                Ok(resident) => assert_eq!(resident, by_mincore),
                Err(error) => assert_eq!(error.raw_os_error(), Some(libc::ENOSYS)),
            }
            by_mincore
        };
        assert!(ask(0..20_000));
        assert!(ask(4_000..4_100));
        assert!(ask(5_000..5_000));
        assert!(!ask(0..1 << 20));
        assert!(!ask(500_000..500_001));
    }

    #[test]
    fn a_map_is_believed_of_files_of_ones_own() {
        for len in [0, 1, 4_096, 20_000] {
            let file = tempfile::tempfile().unwrap();
            rustix::io::pwrite(&file, &vec![1; len], 0).unwrap();
            let map = Map::believed(file.as_fd(), len as u64).unwrap();
            assert!(map.is_resident(0..len as u64).unwrap());
        }
        if !rustix::process::geteuid().is_root() {
            let others = std::fs::File::open("/proc/self/exe").unwrap();
            let shell = std::fs::File::open("/bin/sh").unwrap();
            assert!(Map::believed(others.as_fd(), 1).is_ok());
            let refused = Map::believed(shell.as_fd(), shell.metadata().unwrap().len());
            assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EPERM));
        }
    }

    #[test]
    fn a_locked_file_is_in_memory_for_as_long_as_the_lock_lives() {
        let file = tempfile::tempfile().unwrap();
        rustix::io::pwrite(&file, &[1; 20_000], 0).unwrap();
        let locked_kb = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("VmLck:"));
            let kb = line.unwrap().split_whitespace().nth(1).unwrap();
            kb.parse::<u64>().unwrap()
        };
        assert_eq!(locked_kb(), 0);
        let locked = Locked::new(file.as_fd(), 20_000).unwrap();
        assert_eq!(locked_kb(), locked.bytes() as u64 / 1024);
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        assert!(mincore(file.as_fd(), 0..20_000).unwrap());
        // A file that becomes shorter hurts nobody, not even whoever locks it then.
        file.set_len(0).unwrap();
        assert!(Locked::new(file.as_fd(), 20_000).is_err());
        drop(locked);
        assert_eq!(locked_kb(), 0);
    }

    #[test]
    fn a_map_is_asked_about_any_part_of_it_and_nothing_else() {
        let file = tempfile::tempfile().unwrap();
        rustix::io::pwrite(&file, &[1; 20_000], 0).unwrap();
        file.set_len(8 << 20).unwrap();
        let map = Map::new(file.as_fd(), 4_096..6 << 20).unwrap();
        assert!(map.is_resident(4_096..20_000).unwrap());
        assert!(map.is_resident(9_000..9_000).unwrap());
        assert!(!map.is_resident(4_096..6 << 20).unwrap());
        assert!(!map.is_resident(5 << 20..6 << 20).unwrap());
        for outside in [0..5_000, 4_096..7 << 20, 7 << 20..8 << 20, 0..u64::MAX] {
            assert!(map.is_resident(outside).is_err());
        }
        // A file that becomes shorter takes its pages along.
        file.set_len(0).unwrap();
        assert!(!map.is_resident(4_096..20_000).unwrap());
        assert!(Map::new(file.as_fd(), 5..5).is_err());
    }
}
