//! The four rings of an XDP socket: each has one side that puts entries in and one that takes them out, and the kernel is the other one
//! (the kernel's af_xdp.rst).

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// A ring of entries in memory that the kernel shares: two counters that only grow, and a power of two of places.
#[derive(Debug)]
struct Shared<T> {
    map: NonNull<u8>,
    bytes: usize,
    offsets: libc::xdp_ring_offset,
    places: u32,
    entry: PhantomData<T>,
}

// SAFETY: the mapping is this value's alone and belongs to no thread.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// Maps the ring at `page_offset` of a socket on which it was made with so many places.
    fn map(
        socket: BorrowedFd<'_>,
        page_offset: u64,
        offsets: libc::xdp_ring_offset,
        places: u32,
    ) -> io::Result<Self> {
        let bytes = offsets.desc as usize + places as usize * size_of::<T>();
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                socket.as_raw_fd(),
                page_offset as libc::off_t,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            map: NonNull::new(address.cast()).ok_or(io::ErrorKind::InvalidData)?,
            bytes,
            offsets,
            places,
            entry: PhantomData,
        })
    }

    fn counter(&self, offset: u64) -> &AtomicU32 {
        // SAFETY: the kernel gave the offset of an aligned counter within the mapping, which lives as long as this value and which both
        // sides access as a whole.
        unsafe { AtomicU32::from_ptr(self.map.add(offset as usize).as_ptr().cast()) }
    }

    fn produced(&self) -> &AtomicU32 {
        self.counter(self.offsets.producer)
    }

    fn consumed(&self) -> &AtomicU32 {
        self.counter(self.offsets.consumer)
    }

    fn place(&self, number: u32) -> *mut T {
        let index = (number & (self.places - 1)) as usize;
        // SAFETY: the index is below the number of places, all of which were mapped behind `desc`.
        unsafe {
            let first: *mut T = self.map.add(self.offsets.desc as usize).as_ptr().cast();
            first.add(index)
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, of this length, and nothing borrowed from it outlives this value.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.bytes) };
    }
}

/// Our side of a ring that we fill.
#[derive(Debug)]
pub(super) struct Producer<T> {
    ring: Shared<T>,
    /// What was put in, shown to the kernel or not.
    next: u32,
}

impl<T: Copy> Producer<T> {
    pub(super) fn map(
        socket: BorrowedFd<'_>,
        page_offset: u64,
        offsets: libc::xdp_ring_offset,
        places: u32,
    ) -> io::Result<Self> {
        let ring = Shared::map(socket, page_offset, offsets, places)?;
        Ok(Self { ring, next: 0 })
    }

    /// Puts an entry in, which the kernel sees after [`show`](Self::show). Whoever calls knows that there is a place: there are no more
    /// entries than places.
    pub(super) fn put(&mut self, entry: T) {
        debug_assert!(
            self.waiting() < self.ring.places,
            "more entries than places"
        );
        // SAFETY: the place is within the mapping and aligned; the kernel does not read it before the counter says so.
        unsafe { self.ring.place(self.next).write(entry) };
        self.next = self.next.wrapping_add(1);
    }

    /// Lets the kernel see all that was put in.
    pub(super) fn show(&self) {
        self.ring.produced().store(self.next, Ordering::Release);
    }

    /// How many entries the kernel has not taken yet.
    pub(super) fn waiting(&self) -> u32 {
        let taken = self.ring.consumed().load(Ordering::Acquire);
        self.next.wrapping_sub(taken)
    }
}

/// Our side of a ring that the kernel fills.
#[derive(Debug)]
pub(super) struct Consumer<T> {
    ring: Shared<T>,
    /// What was taken out.
    next: u32,
}

impl<T: Copy> Consumer<T> {
    pub(super) fn map(
        socket: BorrowedFd<'_>,
        page_offset: u64,
        offsets: libc::xdp_ring_offset,
        places: u32,
    ) -> io::Result<Self> {
        let ring = Shared::map(socket, page_offset, offsets, places)?;
        Ok(Self { ring, next: 0 })
    }

    /// The next entry, which stays where it is.
    pub(super) fn peek(&self) -> Option<T> {
        if self.ring.produced().load(Ordering::Acquire) == self.next {
            return None;
        }
        // SAFETY: the place is within the mapping and aligned, and the kernel has written it before it counted it.
        Some(unsafe { self.ring.place(self.next).read() })
    }

    /// Takes the next entry out; its place is the kernel's again.
    pub(super) fn take(&mut self) -> Option<T> {
        let entry = self.peek()?;
        self.next = self.next.wrapping_add(1);
        self.ring.consumed().store(self.next, Ordering::Release);
        Some(entry)
    }
}
