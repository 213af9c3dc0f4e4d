//! The content cache: small files as copies, large ones locked in the page cache, on one budget.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use rustix::io::Errno;
use sys::residency::{Locked, cachestat, mincore};

use crate::body::Body;
use crate::entry::Identity;
use crate::read::{self, Waiting};

/// The largest file that may be copied at all; it is read in one piece.
const COPY_LIMIT: u64 = 16 << 20;
/// The part of the budget that one locked file may take.
const LOCKED_SHARE: u64 = 8;

/// In which way the cache holds a file, by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    Copy,
    Locked,
    Nothing,
}

/// What is held of a file.
#[derive(Debug, Clone)]
enum Content {
    Copy(Arc<Copy>),
    Pages(Arc<Pages>),
}

#[derive(Debug)]
struct Copy {
    bytes: Arc<[u8]>,
    /// When these were last seen to be the bytes of the file, in nanoseconds of the clock of `Files`.
    seen_ns: AtomicU64,
    revision: u64,
}

/// The pages of the page cache.
#[derive(Debug)]
struct Pages {
    locked: Locked,
    used_ns: AtomicU64,
}

/// What is known of the bytes of a file beyond what its times say.
#[derive(Debug, Clone, std::marker::Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Another number for each content that was met under one identity; 0 for the first.
    pub(crate) revision: u64,
    /// Since when that has not been looked at.
    pub(crate) at_ns: u64,
}

/// The contents of files, by identity.
#[derive(Debug)]
pub(crate) struct Contents {
    cache: Cache<Identity, Content, Bytes>,
    budget: u64,
    copied: u64,
}

impl Contents {
    /// Holds `budget` bytes at most, and of those files whole that have no more than `copied`.
    pub(crate) fn new(budget: u64, copied: u64) -> io::Result<Self> {
        let files = (budget / 4096).clamp(16, 1 << 20) as usize;
        let options = OptionsBuilder::new()
            // One, because a small budget cut into several could hold no file at all.
            .shards(1)
            .estimated_items_capacity(files)
            .weight_capacity(budget)
            .build()
            .map_err(io::Error::other)?;
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Ok(Self {
            cache: Cache::with_options(options, Bytes, hasher, lifecycle),
            budget,
            copied: copied.min(COPY_LIMIT).min(budget),
        })
    }

    pub(crate) fn holding(&self, len: u64) -> Holding {
        if len <= self.copied {
            Holding::Copy
        } else if len <= self.budget / LOCKED_SHARE {
            Holding::Locked
        } else {
            Holding::Nothing
        }
    }

    /// What is held of a file that is wanted by somebody who found it at `used_ns`.
    pub(crate) fn get(&self, identity: &Identity, used_ns: u64) -> Option<Body> {
        Some(match self.cache.get(identity)? {
            Content::Copy(copy) => Body::Memory {
                bytes: Arc::clone(&copy.bytes),
                start: 0,
            },
            Content::Pages(pages) => {
                if pages.used_ns.load(Relaxed) < used_ns {
                    pages.used_ns.store(used_ns, Relaxed);
                }
                Body::File
            }
        })
    }

    /// Holds a copy.
    pub(crate) fn hold(&self, identity: Identity, bytes: Arc<[u8]>, seen: Seen) {
        let copy = Copy {
            bytes,
            seen_ns: AtomicU64::new(seen.at_ns),
            revision: seen.revision,
        };
        self.cache.insert(identity, Content::Copy(Arc::new(copy)));
    }

    /// Locks a file in memory, waiting for the disk.
    ///
    /// # Errors
    /// Where the kernel does not let it: past the limit on locked memory, as a rule.
    pub(crate) fn lock(&self, identity: Identity, file: &File, used_ns: u64) -> io::Result<()> {
        let pages = Pages {
            locked: Locked::new(file.as_fd(), identity.len())?,
            used_ns: AtomicU64::new(used_ns),
        };
        self.cache.insert(identity, Content::Pages(Arc::new(pages)));
        Ok(())
    }

    pub(crate) fn forget(&self, identity: &Identity) {
        self.cache.remove(identity);
    }

    /// Gives up the pages that nobody has wanted since. A copy keeps nothing of a file open.
    pub(crate) fn give_up_unused(&self, since_ns: u64) {
        self.cache.retain(|_, content| match content {
            Content::Copy(_) => true,
            Content::Pages(pages) => pages.used_ns.load(Relaxed) >= since_ns,
        });
    }

    /// What is known of the bytes of a file that was looked up at `now_ns` and not found to have changed.
    ///
    /// A file can change and show nothing: its file system stamps coarsely, or it is written through a mapping, which is stamped
    /// when a page is first written to and not again until the page has been written back. So a copy older than `fresh_ns` is
    /// held against the file, if that is in memory: what is not cannot be written to without a stamp.
    pub(crate) fn look(
        &self,
        identity: &Identity,
        file: &File,
        revision: u64,
        now_ns: u64,
        fresh_ns: u64,
    ) -> Seen {
        let unheld = Seen {
            revision,
            at_ns: now_ns,
        };
        let Some(Content::Copy(copy)) = self.cache.peek(identity) else {
            return unheld;
        };
        let at_ns = copy.seen_ns.load(Relaxed);
        let revision = copy.revision;
        if now_ns.saturating_sub(at_ns) < fresh_ns {
            return Seen { revision, at_ns };
        }
        let seen = Seen {
            revision,
            at_ns: now_ns,
        };
        let Some(bytes) = bytes_in_memory(file, identity.len()) else {
            return seen;
        };
        if *bytes == *copy.bytes {
            copy.seen_ns.fetch_max(now_ns, Relaxed);
            return seen;
        }
        self.forget(identity);
        Seen {
            revision: fingerprint(&bytes),
            at_ns: now_ns,
        }
    }
}

/// The bytes of a small file, if the page cache has them; `None` also where that cannot be told, or where reading fails.
fn bytes_in_memory(file: &File, len: u64) -> Option<Vec<u8>> {
    match read::whole(file, len, Waiting::Never) {
        Ok(bytes) => bytes,
        Err(Errno::OPNOTSUPP) => {
            let counted = cachestat(file.as_fd(), 0..len).is_ok_and(|cached| cached);
            (counted || mincore(file.as_fd(), 0..len).is_ok_and(|resident| resident))
                .then(|| read::whole(file, len, Waiting::Allowed).ok().flatten())
                .flatten()
        }
        Err(_) => None,
    }
}

/// A number that tells these bytes from others, the same in every process that meets them; never 0.
fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Weighs contents by their length.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Identity, Content> for Bytes {
    fn weight(&self, _: &Identity, content: &Content) -> u64 {
        let len = match content {
            Content::Copy(copy) => copy.bytes.len(),
            Content::Pages(pages) => pages.locked.bytes(),
        };
        len.max(1) as u64
    }
}
