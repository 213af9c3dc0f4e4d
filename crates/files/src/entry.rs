//! An open file, and what tells one state of it from another.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::Path;
use crate::contents::Seen;
use crate::read;
use crate::residency::{Answer, Asked};

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
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        reason = "the fields' types differ between processors"
    )]
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

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The file system that it is on.
    pub(crate) fn device(&self) -> u64 {
        self.device
    }

    /// Whether the file, should it change from `now` on, would have another identity. Not if it has changed just now, nor if
    /// its change lies in a future that the clock, set back, has yet to reach.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(changed_s) = u64::try_from(self.changed_s) else {
            return true;
        };
        let changed = Duration::new(changed_s, self.changed_ns);
        let granularity = if self.changed_ns.is_multiple_of(ROUND_NS) {
            COARSE
        } else {
            TICK
        };
        now.duration_since(UNIX_EPOCH)
            .is_ok_and(|now| now > changed.saturating_add(granularity))
    }
}

/// What kind of file it is, and which, as `statx` tells it.
pub fn identity(status: &sys::ring::Status) -> (FileType, Identity) {
    let identity = Identity {
        device: status.device,
        inode: status.inode,
        len: status.length,
        modified_s: status.modified.0,
        modified_ns: status.modified.1,
        changed_s: status.changed.0,
        changed_ns: status.changed.1,
    };
    (FileType::from_raw_mode(status.mode), identity)
}

/// Longer than any tick of the clock that stamps files: a jiffy, 10 ms at most, before Linux 6.13. A file that changes twice
/// within one has one stamp for two states.
const TICK: Duration = Duration::from_millis(20);
/// A stamp that is a multiple of it is taken for one of a file system that knows no finer ones: that it is by chance happens
/// to one in ten million, and that one is held a little later.
const ROUND_NS: u32 = 10_000_000;
/// Longer than the coarsest stamps: two seconds (FAT; one on ext4 with small inodes).
const COARSE: Duration = Duration::from_millis(2_100);

/// What a header belongs to: a state of a file, by identity and revision, and the name that was asked for, from which its type
/// follows; one file may have several.
pub(crate) type Named = (Identity, u64, Arc<[u8]>);

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
    /// Another number for each content that was met under one identity.
    pub(crate) revision: u64,
    pub(crate) header: OnceLock<Arc<H>>,
    /// When its name was last looked up, and when it was last asked for, in nanoseconds since the cache was made.
    checked_ns: AtomicU64,
    used_ns: AtomicU64,
    name: Arc<[u8]>,
    /// What the first read costs extra, if this file is slow on purpose.
    slow: Option<Duration>,
    warm: AtomicBool,
    pub(crate) asked: Asked,
    /// How many of its bytes were wanted while the content cache did not hold it.
    wanted_bytes: AtomicU64,
    /// Some of it has been read.
    readable: AtomicBool,
    /// It could not be read.
    doubted: AtomicBool,
}

/// A large file is locked in memory when it has been wanted as often as this, in bytes: locking costs about as much as
/// sending it once.
const LOCK_AFTER: u64 = 16;
/// In place of a count: the kernel would not lock it.
const NOT_LOCKABLE: u64 = u64::MAX;

impl<H> Entry<H> {
    pub(crate) fn new(
        file: File,
        identity: Identity,
        path: Path<'_>,
        seen: Seen,
        used_ns: u64,
        slow: Option<Duration>,
        asked: Asked,
    ) -> Self {
        Self {
            file,
            identity,
            revision: seen.revision,
            header: OnceLock::new(),
            checked_ns: AtomicU64::new(seen.at_ns),
            used_ns: AtomicU64::new(used_ns),
            name: path.file_name().into(),
            slow,
            warm: AtomicBool::new(false),
            asked,
            wanted_bytes: AtomicU64::new(0),
            readable: AtomicBool::new(false),
            doubted: AtomicBool::new(false),
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

    /// Why the file cannot be read at `offset`, where sending from it failed and the client may or may not be to blame; `None`
    /// if it can. A file that cannot is opened anew for the next request. May wait for the disk.
    pub fn blame(&self, offset: u64) -> Option<io::Error> {
        let error = read::probe(&self.file, offset).err()?;
        Some(self.fail(error))
    }

    /// Notes that the file cannot be read.
    pub(crate) fn fail(&self, error: Errno) -> io::Error {
        self.doubted.store(true, Relaxed);
        read::failure(error)
    }

    /// Whether the file could not be read.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted.load(Relaxed)
    }

    /// Reads a byte of a file of which nothing has been read yet.
    pub(crate) fn try_reading(&self, offset: u64) -> io::Result<()> {
        if !self.has_been_read_before() {
            read::probe(&self.file, offset).map_err(|error| self.fail(error))?;
            self.has_been_read();
        }
        Ok(())
    }

    pub(crate) fn has_been_read_before(&self) -> bool {
        self.readable.load(Relaxed)
    }

    pub(crate) fn has_been_read(&self) {
        self.readable.store(true, Relaxed);
    }

    pub(crate) fn checked_ns(&self) -> u64 {
        self.checked_ns.load(Relaxed)
    }

    /// Its name was looked up and means the same.
    pub(crate) fn check(&self, at_ns: u64) {
        self.checked_ns.fetch_max(at_ns, Relaxed);
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            revision: self.revision,
            at_ns: self.checked_ns(),
        }
    }

    pub(crate) fn used_ns(&self) -> u64 {
        self.used_ns.load(Relaxed)
    }

    /// It is asked for. Noted by eighths of the time after which it would be closed, so that threads that ask for the same
    /// file do not take turns at writing.
    pub(crate) fn use_at(&self, now_ns: u64, idle_ns: u64) {
        if now_ns.saturating_sub(self.used_ns()) > idle_ns / 8 {
            self.used_ns.store(now_ns, Relaxed);
        }
    }

    /// What of it a header is computed from.
    pub fn metadata(&self) -> Metadata<'_> {
        Metadata {
            name: &self.name,
            len: self.len(),
            modified: (self.identity.modified_s, self.identity.modified_ns),
            changed: (self.identity.changed_s, self.identity.changed_ns),
            revision: self.revision,
        }
    }

    pub(crate) fn named(&self) -> Named {
        (self.identity, self.revision, Arc::clone(&self.name))
    }

    /// What the kernel says of `range`: whether it is in memory.
    pub(crate) fn ask(&self, range: Range<u64>) -> Answer {
        self.asked.ask(&self.file, self.len(), range)
    }

    /// As [`ask`](Self::ask), though it has not said so far.
    pub(crate) fn ask_afresh(&self, range: Range<u64>) -> Answer {
        self.asked.ask_afresh(&self.file, self.len(), range)
    }

    /// Counts that `range` is wanted and not held; whether the file has become worth locking, and nobody is at it.
    pub(crate) fn is_worth_locking(&self, range: &Range<u64>) -> bool {
        let wanted = self.wanted_bytes.load(Relaxed);
        let enough = self.worth_locking_bytes();
        // A count lost to another thread does not matter.
        if wanted < enough {
            let bytes = range.end.saturating_sub(range.start).min(self.len());
            self.wanted_bytes
                .store(wanted.saturating_add(bytes).min(enough), Relaxed);
        }
        wanted == enough
    }

    /// Whether it is the caller who is to lock it. If it then cannot be locked, it is not tried again.
    pub(crate) fn claim_locking(&self) -> bool {
        let enough = self.worth_locking_bytes();
        self.wanted_bytes
            .compare_exchange(enough, NOT_LOCKABLE, Relaxed, Relaxed)
            .is_ok()
    }

    fn worth_locking_bytes(&self) -> u64 {
        self.len().saturating_mul(LOCK_AFTER).min(NOT_LOCKABLE - 1)
    }

    /// It begins anew to be counted when it is no longer held.
    pub(crate) fn is_locked(&self) {
        self.wanted_bytes.store(0, Relaxed);
    }

    /// Whether reading needs no waiting beyond what the real disk asks for.
    pub(crate) fn is_fast(&self) -> bool {
        self.slow.is_none() || self.warm.load(Relaxed)
    }

    /// What the first read costs extra, until it has been paid.
    pub(crate) fn slowness(&self) -> Option<Duration> {
        self.slow.filter(|_| !self.warm.load(Relaxed))
    }

    pub(crate) fn has_warmed_up(&self) {
        self.warm.store(true, Relaxed);
    }

    pub(crate) fn wait_if_slow(&self) {
        if let Some(slow) = self.slowness() {
            std::thread::sleep(slow);
            self.has_warmed_up();
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
