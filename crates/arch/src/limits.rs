//! How many threads and descriptors a process has room for.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use rustix::io::fcntl_dupfd_cloexec;

/// How many threads this process has room for, whatever else limits them. Each takes four of the mappings that a process may have
/// (`vm.max_map_count`), two for its stack and two for the one on which it would handle signals; a thread that finds no room for the
/// latter ends the process.
pub fn threads_that_fit() -> usize {
    /// What Linux has by default.
    const MAPPINGS: usize = 65_530;
    const OTHERS: usize = 1000;
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    let limit = limit.ok().and_then(|limit| limit.trim().parse().ok());
    limit.unwrap_or(MAPPINGS).saturating_sub(OTHERS) / 4
}

/// That so many threads fit, which `option` asked for, like `--threads`.
///
/// # Errors
/// That they do not, in words for the person who asked for them.
pub fn fit(threads: u32, option: &str) -> std::io::Result<()> {
    let most = threads_that_fit();
    if threads as usize <= most {
        return Ok(());
    }
    Err(std::io::Error::other(format!(
        "cannot start {threads} threads: one process has room for {most} (vm.max_map_count); try a smaller {option}"
    )))
}

/// How many descriptors below `end` this process has free, of which it may have more: copies of `any` are made until there are none.
pub(crate) fn free_descriptors_below(end: RawFd, any: BorrowedFd<'_>) -> std::io::Result<usize> {
    let mut copies = Vec::new();
    loop {
        let copy = fcntl_dupfd_cloexec(any, 0)?;
        if copy.as_raw_fd() >= end {
            return Ok(copies.len());
        }
        copies.push(copy);
    }
}
