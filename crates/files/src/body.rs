//! Where the bytes of an answer are, and the memory that they may take.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

/// Where the bytes of a body are.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory: those of the file from `start` on, the whole file or a part.
    Memory {
        /// As many as there are.
        bytes: Arc<[u8]>,
        /// Where in the file the first of them is.
        start: u64,
    },
    /// In the file; to be sent from there.
    File,
}

/// Where the bytes of a file have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In the page cache: the kernel sends them from there. In memory of ours only where it keeps nothing.
    PageCache,
    /// In memory of ours: what is to be encrypted has to be seen.
    Memory,
}

impl Delivery {
    /// Whether the bytes are where they have to be.
    pub(crate) fn suits(self, body: &Body) -> bool {
        self == Self::PageCache || matches!(body, Body::Memory { .. })
    }
}

/// Memory for parts of files on their way, which is lent as shared bytes and used again when nobody refers to them any more.
#[derive(Debug)]
pub(crate) struct Pool {
    limit_bytes: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that are lent, and those that nobody but the pool refers to.
    buffers: Vec<Arc<[u8]>>,
    /// Bytes of buffers that are being read into.
    filling_bytes: u64,
}

impl Pool {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            state: Mutex::default(),
        }
    }

    /// Lends `length` bytes once `fill` has filled them, or `None` where the pool is used up. `fill` says how many it has filled; if
    /// these are fewer, the file has ended, and a copy of what there is is lent.
    pub(crate) fn lend(
        &self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, Errno>,
    ) -> Option<Result<Arc<[u8]>, Errno>> {
        let mut buffer = self.take(length)?;
        // Nobody else refers to it.
        let filled = Arc::get_mut(&mut buffer).map_or(Ok(0), fill);
        let lent = filled.map(|filled| match buffer.get(..filled) {
            Some(bytes) if filled < length => Arc::from(bytes),
            _ => Arc::clone(&buffer),
        });
        let mut state = self.state();
        state.filling_bytes -= length as u64;
        state.buffers.push(buffer);
        Some(lent)
    }

    /// A buffer that nobody refers to.
    fn take(&self, length: usize) -> Option<Arc<[u8]>> {
        let mut state = self.state();
        let is_idle = |buffer: &Arc<[u8]>| Arc::strong_count(buffer) == 1;
        let mut idle = state.buffers.iter();
        let fitting = idle.position(|buffer| buffer.len() == length && is_idle(buffer));
        let buffer = match fitting {
            Some(place) => state.buffers.swap_remove(place),
            None => {
                while state.bytes() + length as u64 > self.limit_bytes {
                    let place = state.buffers.iter().position(is_idle)?;
                    state.buffers.swap_remove(place);
                }
                Arc::from(vec![0; length])
            }
        };
        state.filling_bytes += length as u64;
        Some(buffer)
    }

    /// Gives back to the system what nobody refers to.
    pub(crate) fn trim(&self) {
        let mut state = self.state();
        state.buffers.retain(|buffer| Arc::strong_count(buffer) > 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bytes(&self) -> u64 {
        let kept: usize = self.buffers.iter().map(|buffer| buffer.len()).sum();
        kept as u64 + self.filling_bytes
    }
}
