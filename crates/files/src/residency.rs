//! Asking whether bytes of a file are in memory, in whichever way the kernel answers truthfully here.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sys::residency::{Map, cachestat};

/// The ways to ask, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residency {
    /// `cachestat`, of which `mincore` confirms a "no", and a "yes" until the whole file has been seen in memory and nobody
    /// here has fetched from it since: it counts pages that the disk is still reading, and where a file is read through
    /// another one (overlayfs) it knows of none. Nothing is read. Linux 6.5, and only for files of one's own.
    CacheStat,
    /// `mincore` on a mapping made for the question, for files of one's own.
    Mincore,
    /// `preadv2` with `RWF_NOWAIT`: what is there is read, and sent from memory of ours. Not on every file system.
    ReadNoWait,
    /// None: whoever may wait reads into memory of ours.
    Nothing,
}

impl Residency {
    const ALL: [Self; 4] = [
        Self::CacheStat,
        Self::Mincore,
        Self::ReadNoWait,
        Self::Nothing,
    ];

    /// Notes that it was this way that answered.
    pub(crate) fn note(self) {
        METHOD.store(self as u8 + 1, Relaxed);
    }
}

/// The way that answered last, plus one; 0 before the first question.
static METHOD: AtomicU8 = AtomicU8::new(0);

/// The way that answered the latest question of this process; `None` before the first.
pub fn method() -> Option<Residency> {
    let way = METHOD.load(Relaxed).checked_sub(1)?;
    Residency::ALL.get(usize::from(way)).copied()
}

/// Up to this length the question is asked of the whole file first: in memory and settled, it needs no other.
const ASKED_WHOLE: u64 = 8 << 20;

/// What the kernel says of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All of it is in memory.
    Yes,
    /// Some of it is not.
    No,
    /// It does not say.
    Unknown,
}

/// What is known of the page cache of a file system, learned from one file for all.
#[derive(Debug, Default)]
pub(crate) struct FileSystem {
    /// `cachestat` said "no" of what is in memory.
    cachestat_misses: AtomicBool,
    /// `RWF_NOWAIT` is refused.
    refuses_nowait: AtomicBool,
    cache: AtomicU8,
}

/// Whether what is read from a file system stays in its page cache, where it can be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageCache {
    /// Nothing has been read from it yet.
    Untried,
    /// What was read from it was there afterwards.
    Keeps,
    /// It was not.
    KeepsNothing,
}

impl FileSystem {
    pub(crate) fn page_cache(&self) -> PageCache {
        match self.cache.load(Relaxed) {
            0 => PageCache::Untried,
            1 => PageCache::Keeps,
            _ => PageCache::KeepsNothing,
        }
    }

    pub(crate) fn learn(&self, found: PageCache) {
        self.cache.store(found as u8, Relaxed);
    }

    pub(crate) fn refuses_nowait(&self) -> bool {
        self.refuses_nowait.load(Relaxed)
    }

    pub(crate) fn note_nowait_refused(&self) {
        self.refuses_nowait.store(true, Relaxed);
    }
}

/// The file systems that files were found on, by their devices.
#[derive(Debug, Default)]
pub(crate) struct FileSystems(Mutex<Vec<(u64, Arc<FileSystem>)>>);

impl FileSystems {
    pub(crate) fn on(&self, device: u64) -> Arc<FileSystem> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file_system)) = known.iter().find(|(known, _)| *known == device) {
            return Arc::clone(file_system);
        }
        // Those of which no file is open may have gone, and their numbers may come to mean others.
        known.retain(|(_, file_system)| Arc::strong_count(file_system) > 1);
        let file_system = Arc::default();
        known.push((device, Arc::clone(&file_system)));
        file_system
    }
}

/// What is kept with an open file for asking about it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) file_system: Arc<FileSystem>,
    /// Made for the first question that needs one.
    map: OnceLock<Option<Map>>,
    /// The whole file was seen in memory and read to its end, and nobody here has had the disk asked for it since: pages
    /// that are there are no longer on their way.
    settled: AtomicBool,
    /// Nobody has an answer for this file.
    unanswered: AtomicBool,
    /// It was read and not there afterwards, though its file system keeps others: a hole, or memory is short.
    evasive: AtomicBool,
}

impl Asked {
    pub(crate) fn new(file_system: Arc<FileSystem>) -> Self {
        Self {
            file_system,
            map: OnceLock::new(),
            settled: AtomicBool::new(false),
            unanswered: AtomicBool::new(false),
            evasive: AtomicBool::new(false),
        }
    }

    /// The disk is about to be asked for some of the file.
    pub(crate) fn unsettle(&self) {
        self.settled.store(false, Relaxed);
    }

    /// Whether what is read of it is to be expected in memory afterwards.
    pub(crate) fn is_kept_in_memory(&self) -> bool {
        self.file_system.page_cache() == PageCache::Keeps
            && !self.evasive.load(Relaxed)
            && !self.unanswered.load(Relaxed)
    }

    /// What was just read was in memory afterwards, or was not.
    pub(crate) fn learn(&self, answer: Answer) {
        match answer {
            Answer::Yes => {
                self.evasive.store(false, Relaxed);
                self.file_system.learn(PageCache::Keeps);
            }
            Answer::No if self.file_system.page_cache() == PageCache::Untried => {
                self.file_system.learn(PageCache::KeepsNothing);
            }
            Answer::No => self.evasive.store(true, Relaxed),
            Answer::Unknown => {}
        }
    }

    /// Whether all of `range` of the file, which has `len` bytes, is in memory; asked before anybody reads.
    pub(crate) fn ask(&self, file: &File, len: u64, range: Range<u64>) -> Answer {
        // It was found out that it is no use.
        if self.unanswered.load(Relaxed) || self.file_system.page_cache() == PageCache::KeepsNothing
        {
            return Answer::Unknown;
        }
        self.ask_afresh(file, len, range)
    }

    /// As [`ask`](Self::ask), whatever was found out before.
    pub(crate) fn ask_afresh(&self, file: &File, len: u64, range: Range<u64>) -> Answer {
        if !self.file_system.cachestat_misses.load(Relaxed)
            && let Ok(resident) = self.is_cached_and_read(file, len, range.clone())
        {
            Residency::CacheStat.note();
            return resident.into();
        }
        match self.map(file, len).and_then(|map| map.is_resident(range)) {
            Ok(resident) => {
                Residency::Mincore.note();
                resident.into()
            }
            Err(_) => {
                self.unanswered.store(true, Relaxed);
                Answer::Unknown
            }
        }
    }

    fn map(&self, file: &File, len: u64) -> io::Result<&Map> {
        let map = self
            .map
            .get_or_init(|| Map::believed(file.as_fd(), len).ok());
        // Too many of them, or of somebody else's file.
        map.as_ref().ok_or(io::ErrorKind::Unsupported.into())
    }

    fn is_cached_and_read(&self, file: &File, len: u64, range: Range<u64>) -> io::Result<bool> {
        let cached = |range: Range<u64>| cachestat(file.as_fd(), range);
        if len <= ASKED_WHOLE {
            if !cached(0..len)? {
                self.unsettle();
            } else if self.settled.load(Relaxed) {
                return Ok(true);
            } else if self.map(file, len)?.is_resident(0..len)? {
                self.settled.store(true, Relaxed);
                return Ok(true);
            }
        }
        let counted = cached(range.clone())?;
        let resident = self.map(file, len)?.is_resident(range.clone())?;
        // Somebody may have fetched it between the two questions.
        if resident && !counted && !cached(range)? {
            self.file_system.cachestat_misses.store(true, Relaxed);
        }
        Ok(resident)
    }
}

impl From<bool> for Answer {
    fn from(resident: bool) -> Self {
        if resident { Self::Yes } else { Self::No }
    }
}
