//! Whether a range of a file is in the page cache, without reading it and without waiting.
//!
//! Both calls answer truthfully only for a file that the caller owns or may write: the kernel hides the page
//! cache of other people's files, because its state tells what they read. `cachestat` refuses them with
//! `EPERM`; `mincore` calls every page resident.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

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

/// Whether every page of `range` is in the page cache, by mincore(2) on a mapping made for the purpose.
///
/// Three system calls; the last resort where [`cachestat`] is missing.
///
/// # Errors
/// What `mmap` and `mincore` report: `ENODEV` for a file that cannot be mapped, `ENOMEM` for a range past the
/// end of the address space.
pub fn mincore(file: BorrowedFd<'_>, range: Range<u64>) -> io::Result<bool> {
    let Some(pages) = pages(&range) else {
        return Ok(true);
    };
    let page = page_size();
    let start = range.start / page * page;
    let too_large = |_| io::Error::from_raw_os_error(libc::EOVERFLOW);
    let bytes = usize::try_from(pages * page).map_err(too_large)?;
    let offset = libc::off_t::try_from(start).map_err(too_large)?;
    let mut states = vec![0_u8; usize::try_from(pages).map_err(too_large)?];
    // SAFETY: the mapping is new, private, without access rights, never dereferenced, and unmapped before this
    // function returns; `states` has one byte for each of its pages.
    unsafe {
        let address = libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_NONE,
            libc::MAP_PRIVATE,
            file.as_raw_fd(),
            offset,
        );
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let result = crate::check(libc::mincore(address, bytes, states.as_mut_ptr()));
        libc::munmap(address, bytes);
        result?;
    }
    Ok(states.iter().all(|state| state & 1 == 1))
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
}
