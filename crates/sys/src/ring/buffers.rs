//! The buffers that are received into: the kernel takes one when something has come, so that a connection that is idle has none.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

/// A ring of free buffers shared with the kernel, and the buffers behind it, in one mapping.
pub(super) struct ReceiveBuffers {
    map: NonNull<u8>,
    map_bytes: usize,
    /// Where the first buffer begins.
    first: usize,
    count: u16,
    bytes: u32,
    /// How many were ever put into the ring, modulo 2¹⁶.
    tail: u16,
}

impl ReceiveBuffers {
    /// The number that the kernel knows them by.
    pub(super) const GROUP: u16 = 0;

    pub(super) fn new(ring: &IoUring, count: u16, bytes: u32) -> io::Result<Self> {
        const PAGE: usize = 4096;
        if !count.is_power_of_two() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let entries = usize::from(count) * size_of::<BufRingEntry>();
        let first = entries.next_multiple_of(PAGE);
        let map_bytes = first + usize::from(count) * bytes as usize;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let map = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                map_bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if map == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let map = NonNull::new(map.cast()).ok_or(io::ErrorKind::InvalidData)?;
        let mut buffers = Self {
            map,
            map_bytes,
            first,
            count,
            bytes,
            tail: 0,
        };
        // SAFETY: the mapping begins on a page, has room for so many entries, and outlives the ring or is leaked.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                map.as_ptr() as u64,
                count,
                Self::GROUP,
                0,
            )?;
        }
        for buffer in 0..count {
            buffers.give_back(buffer);
        }
        Ok(buffers)
    }

    fn start(&self, buffer: u16) -> *mut u8 {
        debug_assert!(buffer < self.count);
        let offset = self.first + usize::from(buffer % self.count) * self.bytes as usize;
        // SAFETY: the offset lies within the mapping, whatever the number is.
        unsafe { self.map.as_ptr().add(offset) }
    }

    /// What the kernel has put into a buffer that it has said it has filled.
    pub(super) fn filled(&self, buffer: u16, length: usize) -> &[u8] {
        // SAFETY: the bytes are within the mapping and were initialised with zeroes; the kernel does not write to the buffer
        // until it is given back, which takes `&mut self`.
        unsafe { std::slice::from_raw_parts(self.start(buffer), length.min(self.bytes as usize)) }
    }

    /// The kernel may fill it again.
    pub(super) fn give_back(&mut self, buffer: u16) {
        let (address, base) = (
            self.start(buffer) as u64,
            self.map.as_ptr().cast::<BufRingEntry>(),
        );
        let place = usize::from(self.tail & (self.count - 1));
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the place is one of the entries, and one that the kernel has taken before: no more buffers are given back
        // than there are. The tail is an aligned half word of the first entry that both sides access as a whole, and stored last.
        unsafe {
            let entry = &mut *base.add(place);
            entry.set_addr(address);
            entry.set_len(self.bytes);
            entry.set_bid(buffer);
            let tail = BufRingEntry::tail(base).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }

    /// The kernel may write there for ever.
    pub(super) fn leak(&mut self) {
        self.map_bytes = 0;
    }
}

impl Drop for ReceiveBuffers {
    fn drop(&mut self) {
        if self.map_bytes > 0 {
            // SAFETY: the mapping is this value's, of this length, and nothing is received into it any more.
            unsafe { libc::munmap(self.map.as_ptr().cast(), self.map_bytes) };
        }
    }
}
