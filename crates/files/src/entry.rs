//! An open file, and what tells one state of it from another.

use std::fs::File;
use std::ops::{Deref, Range};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::Path;
use crate::residency::{self, Asked};

/// One state of one file: two files with the same identity have the same bytes, unless they have changed just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    inode: u64,
    len: u64,
    modified_s: i64,
    modified_ns: u32,
    /// The change time, which unlike the modification time nobody can set back.
    changed_s: i64,
    changed_ns: u32,
}

impl Identity {
    /// What kind of file it is, and which.
    // The fields' types differ between processors.
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless)]
    pub(crate) fn of(file: impl AsFd) -> Result<(FileType, Self), Errno> {
        let stat = rustix::fs::fstat(file)?;
        let identity = Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            len: u64::try_from(stat.st_size).unwrap_or(0),
            modified_s: stat.st_mtime as i64,
            modified_ns: stat.st_mtime_nsec as u32,
            changed_s: stat.st_ctime as i64,
            changed_ns: stat.st_ctime_nsec as u32,
        };
        Ok((FileType::from_raw_mode(stat.st_mode), identity))
    }

    /// Whether it is the same file, in whatever state.
    pub(crate) fn is_same_inode(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether the file, should it change from `now` on, would have another identity. Not if it has changed just now, nor if
    /// its change lies in a future that the clock, set back, has yet to reach.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(changed_s) = u64::try_from(self.changed_s) else {
            return true;
        };
        let changed = Duration::new(changed_s, self.changed_ns);
        now.duration_since(UNIX_EPOCH)
            .is_ok_and(|now| now > changed.saturating_add(TICK))
    }
}

/// Longer than any tick of the clock that stamps files: a jiffy, 10 ms at most, before Linux 6.13. A file that changes twice
/// within one has one stamp for two states.
const TICK: Duration = Duration::from_millis(20);

/// What a header belongs to: one file may have several names, and its type follows from the one that was asked for.
pub(crate) type Named = (Identity, Arc<[u8]>);

/// What the header cache is computed from.
#[derive(Debug, Clone, Copy)]
pub struct Metadata<'a> {
    /// The last segment of the path.
    pub name: &'a [u8],
    /// Length in bytes.
    pub len: u64,
    /// Modification time: seconds since the epoch, and nanoseconds.
    pub modified: (i64, u32),
    /// Change time likewise, which nobody can set back.
    pub changed: (i64, u32),
    /// Another number for each content that was met under the same length and times; 0 for the first.
    pub revision: u64,
}

/// An open file.
#[derive(Debug)]
pub struct Entry<H> {
    /// The file, open for reading. Shared: read it by offset only.
    pub file: File,
    pub(crate) identity: Identity,
    pub(crate) header: OnceLock<Arc<H>>,
    /// When its name was last looked up, in nanoseconds since the cache was made.
    pub(crate) checked_ns: AtomicU64,
    name: Arc<[u8]>,
    /// What the first read costs extra, if this file is slow on purpose.
    slow: Option<Duration>,
    warm: AtomicBool,
    asked: Asked,
    /// How often it was wanted while the content cache did not hold it.
    wanted: AtomicU32,
}

/// A large file is locked in memory when it has been wanted this often: locking costs about as much as sending it once.
const LOCK_AFTER: u32 = 16;
/// In place of a count: the kernel would not lock it.
const NOT_LOCKABLE: u32 = u32::MAX;

impl<H> Entry<H> {
    pub(crate) fn new(
        file: File,
        identity: Identity,
        path: Path<'_>,
        checked_ns: u64,
        slow: Option<Duration>,
    ) -> Self {
        Self {
            file,
            identity,
            header: OnceLock::new(),
            checked_ns: AtomicU64::new(checked_ns),
            name: path.file_name().into(),
            slow,
            warm: AtomicBool::new(false),
            asked: Asked::default(),
            wanted: AtomicU32::new(0),
        }
    }

    /// What the header cache keeps for it, once [`Files::header`](crate::Files::header) has been asked.
    pub fn cached_header(&self) -> Option<&H> {
        self.header.get().map(Arc::as_ref)
    }

    /// Length in bytes, as it was when the file was found.
    pub fn len(&self) -> u64 {
        self.identity.len
    }

    /// Whether the file is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn metadata(&self) -> Metadata<'_> {
        Metadata {
            name: &self.name,
            len: self.len(),
            modified: (self.identity.modified_s, self.identity.modified_ns),
            changed: (self.identity.changed_s, self.identity.changed_ns),
            revision: 0,
        }
    }

    pub(crate) fn named(&self) -> Named {
        (self.identity, Arc::clone(&self.name))
    }

    /// Whether the kernel says that `range` is in memory.
    pub(crate) fn is_resident(&self, range: Range<u64>) -> bool {
        residency::is_resident(&self.file, &self.asked, self.len(), range)
    }

    /// The disk is about to be asked for some of the file.
    pub(crate) fn unsettle(&self) {
        self.asked.unsettle();
    }

    /// Counts that it is wanted and not held; whether that makes it worth locking, and nobody is at it.
    pub(crate) fn is_worth_locking(&self) -> bool {
        let wanted = self.wanted.load(Relaxed);
        // A count lost to another thread does not matter.
        if wanted < LOCK_AFTER {
            self.wanted.store(wanted + 1, Relaxed);
        }
        wanted == LOCK_AFTER
    }

    /// Counts likewise; whether it is the caller who is to lock it. One that then cannot be locked is not tried again.
    pub(crate) fn claim_locking(&self) -> bool {
        self.is_worth_locking()
            && self
                .wanted
                .compare_exchange(LOCK_AFTER, NOT_LOCKABLE, Relaxed, Relaxed)
                .is_ok()
    }

    /// It begins anew to be counted when it is no longer held.
    pub(crate) fn is_locked(&self) {
        self.wanted.store(0, Relaxed);
    }

    /// Whether reading needs no waiting beyond what the real disk asks for.
    pub(crate) fn is_fast(&self) -> bool {
        self.slow.is_none() || self.warm.load(Relaxed)
    }

    pub(crate) fn wait_if_slow(&self) {
        if let Some(slow) = self.slow
            && !self.warm.load(Relaxed)
        {
            std::thread::sleep(slow);
            self.warm.store(true, Relaxed);
        }
    }
}

/// What the header cache keeps for a file, or, with that cache off, a fresh copy.
#[derive(Debug)]
pub enum Header<'e, H> {
    /// From the cache.
    Cached(&'e H),
    /// Computed for this call.
    Fresh(H),
}

impl<H> Deref for Header<'_, H> {
    type Target = H;

    fn deref(&self) -> &H {
        match self {
            Self::Cached(header) => header,
            Self::Fresh(header) => header,
        }
    }
}
