//! Counters in memory that forked processes share.

use std::io;
use std::sync::atomic::AtomicU64;

/// Maps `count` counters, all zero, that every process forked later sees and changes as its own.
///
/// The mapping lasts as long as the process: counters must outlive every thread and every child that may
/// still add to them. Pages that are never touched cost no memory.
///
/// # Errors
/// What `mmap` reports, `ENOMEM` as a rule.
pub fn counters(count: usize) -> io::Result<&'static [AtomicU64]> {
    let bytes = count
        .checked_mul(size_of::<AtomicU64>())
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no memory of ours.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is page-aligned, `bytes` long, zeroed (a valid AtomicU64), never unmapped, and
    // reached only through these atomics, in this process and in its children alike.
    Ok(unsafe { std::slice::from_raw_parts(address.cast::<AtomicU64>(), count) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn counters_start_at_zero_and_hold_what_is_added() {
        let counters = counters(1000).unwrap();
        assert!(counters.iter().all(|counter| counter.load(Relaxed) == 0));
        counters[999].fetch_add(7, Relaxed);
        assert_eq!(counters[999].load(Relaxed), 7);
    }

    #[test]
    fn no_counters_or_too_many_are_an_error() {
        assert!(counters(0).is_err());
        assert!(counters(usize::MAX).is_err());
    }
}
