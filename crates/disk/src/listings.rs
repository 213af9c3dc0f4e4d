//! Directories that somebody is reading, each as it was when the reading began.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::FileHandle;

use crate::backing::Listed;

type Listing = Arc<[Listed]>;

/// The open directories.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Option<Listing>>>,
}

impl Listings {
    pub(crate) fn open(&self) -> FileHandle {
        let handle = self.next.fetch_add(1, Relaxed);
        self.listings().insert(handle, None);
        FileHandle(handle)
    }

    /// The names, read with `list` when there are none yet or they are wanted `anew`.
    pub(crate) fn get(
        &self,
        handle: FileHandle,
        anew: bool,
        list: impl FnOnce() -> io::Result<Vec<Listed>>,
    ) -> io::Result<Listing> {
        let known = self.listings().get(&handle.0).cloned().flatten();
        if let Some(known) = known.filter(|_| !anew) {
            return Ok(known);
        }
        let listing = Listing::from(list()?);
        if let Some(place) = self.listings().get_mut(&handle.0) {
            *place = Some(Arc::clone(&listing));
        }
        Ok(listing)
    }

    pub(crate) fn close(&self, handle: FileHandle) {
        self.listings().remove(&handle.0);
    }

    fn listings(&self) -> MutexGuard<'_, HashMap<u64, Option<Listing>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
