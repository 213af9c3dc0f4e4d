//! A file that is written through a mapping, for tests of whoever must notice.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

/// The first page of a file, mapped to be written to.
#[derive(Debug)]
pub struct Writer {
    address: NonNull<u8>,
    bytes: usize,
}

impl Writer {
    /// Maps the first page of a file that is open for reading and writing.
    ///
    /// # Errors
    /// What `mmap` reports.
    pub fn new(file: BorrowedFd<'_>) -> io::Result<Self> {
        let bytes = rustix::param::page_size();
        // SAFETY: the mapping is new and replaces nothing.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { address, bytes })
    }

    /// Writes at the beginning of the file, which must not have become shorter: the process would be killed.
    ///
    /// # Panics
    /// If it is more than a page.
    pub fn write(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.bytes, "more than a page");
        // SAFETY: that many bytes are mapped and writable, and nobody in this process refers to them.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.address.as_ptr(), bytes.len())
        };
    }

    /// Has what was written reach the disk.
    ///
    /// # Errors
    /// What `msync` reports.
    pub fn sync(&self) -> io::Result<()> {
        // SAFETY: address and length are those of the mapping.
        crate::check(unsafe {
            libc::msync(self.address.as_ptr().cast(), self.bytes, libc::MS_SYNC)
        })
        .map(drop)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own and nothing refers to it any more.
        unsafe { libc::munmap(self.address.as_ptr().cast(), self.bytes) };
    }
}
