//! The memory that packets lie in, shared with the kernel: frames of one size (the kernel's af_xdp.rst, "UMEM").

use std::io;
use std::ptr::NonNull;

/// Bytes of a frame: a packet of Ethernet's usual length, and what the kernel wants before it.
pub(super) const FRAME_BYTES: u32 = 2048;

/// Frames, each of which belongs at any time either to the kernel or to whoever took its address out of a ring.
#[derive(Debug)]
pub(super) struct Frames {
    map: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping is this value's alone and belongs to no thread.
unsafe impl Send for Frames {}

impl Frames {
    pub(super) fn new(count: u32) -> io::Result<Self> {
        let bytes = count as usize * FRAME_BYTES as usize;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let map = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { map, bytes })
    }

    /// What the kernel has to know of it.
    pub(super) fn registration(&self) -> libc::xdp_umem_reg {
        // SAFETY: plain integers, for which all zeroes are a value.
        let mut registration: libc::xdp_umem_reg = unsafe { std::mem::zeroed() };
        registration.addr = self.map.as_ptr() as u64;
        registration.len = self.bytes as u64;
        registration.chunk_size = FRAME_BYTES;
        registration
    }

    /// The addresses of frames, by which the rings name them, from the `first` on.
    pub(super) fn addresses(first: u32, count: u32) -> impl Iterator<Item = u64> {
        (first..first + count).map(|number| u64::from(number) * u64::from(FRAME_BYTES))
    }

    /// A packet that the kernel put into a frame; nothing where what it says of it leads out of the memory.
    ///
    /// # Safety
    /// The frame must not be the kernel's, nor be written to, while the slice lives.
    pub(super) unsafe fn packet(&self, address: u64, length: u32) -> &[u8] {
        match self.within(address, length) {
            // SAFETY: it lies within the mapping, and whoever calls sees to it that nobody writes to it.
            Some(start) => unsafe { std::slice::from_raw_parts(start, length as usize) },
            None => &[],
        }
    }

    /// So many bytes of a frame, to be written to; nothing where the frame is shorter.
    ///
    /// # Safety
    /// The frame must not be the kernel's, and nobody else may refer to it while the slice lives.
    #[expect(
        clippy::mut_from_ref,
        reason = "whoever took its address has the frame for itself"
    )]
    pub(super) unsafe fn room(&self, address: u64, length: u32) -> &mut [u8] {
        match self.within(address, length) {
            // SAFETY: it lies within the mapping, and whoever calls has the frame for itself.
            Some(start) => unsafe { std::slice::from_raw_parts_mut(start, length as usize) },
            None => &mut [],
        }
    }

    fn within(&self, address: u64, length: u32) -> Option<*mut u8> {
        let start = usize::try_from(address).ok()?;
        let end = start.checked_add(length as usize)?;
        // SAFETY: it is looked at before that the place lies within the mapping.
        (end <= self.bytes).then(|| unsafe { self.map.add(start).as_ptr() })
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, of this length; no slice of it outlives it, and the socket that the kernel has it for
        // keeps its pages by itself.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.bytes) };
    }
}
