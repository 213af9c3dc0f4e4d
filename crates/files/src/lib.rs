//! The document root: which file a path names, what is known of it, and whether its bytes are at hand.
//!
//! Every step has two faces. [`Files::find`] and [`Files::load`] may wait for the disk; [`Files::try_find`]
//! and [`Files::try_load`] never do, and say so when they would have to. An architecture is little more than a
//! decision about who calls which. [`Files::make_resident`] is for helpers: it waits so that somebody else need not.
//!
//! Three caches stand before the disk, as in Flash (sections 5.2 to 5.4), each of them bounded and with its own switch:
//! names (path to open file), headers (whatever the protocol wants to compute once for each file: `H`), and
//! contents (the bytes of small files, copied; large ones, when they are wanted often, locked in the page cache, so that
//! nobody has to ask whether they are there). Names are looked up afresh after [`Recipe::revalidate`], and copies with them, so
//! that a change is seen within that time even where it leaves no trace in the times of the file (one through a mapping).
//! A file that has changed just now, as finely as its times show, is not copied yet: git's "racily clean" entries. Headers
//! belong to one state of one file, as far as its times and those copies tell it from others.
//!
//! A path never leads out of the root: the kernel resolves it (`openat2` with `RESOLVE_BENEATH`), symbolic links
//! and all, so there is no window between a check and its use. Where a sandbox refuses that call, it is resolved here,
//! segment by segment, by names in directories that are open.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`entry`] | an open file and its identity |
//! | [`calls`] | calls that may wait for the disk, as values |
//! | [`finding`] | finding a file, one call after the other |
//! | [`loading`] | having its bytes at hand, one call after the other |
//! | `load` | having its bytes at hand; with `contents`, the cache of them, and `read` |
//! | [`body`] | where those bytes are, and the memory that they may take |
//! | [`path`] | paths below the root, as requests name them |
//! | [`root`] | the document root: finding a file in it, and finding the root again |
//! | [`resolve`] | opening a path beneath the root, by the kernel or segment by segment |
//! | [`residency`] | asking whether bytes are in memory |
//! | [`defect`] | a defect that is there on purpose |
//! | [`slow`] | a disk that is slow on purpose |

pub mod body;
pub mod calls;
mod contents;
pub mod defect;
pub mod entry;
pub mod finding;
mod load;
pub mod loading;
pub mod path;
mod read;
pub mod residency;
pub mod resolve;
pub mod root;
pub mod slow;

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use rustix::io::Errno;

use body::Pool;
use contents::{Contents, Seen};
use entry::Named;
use residency::FileSystems;

pub use body::{Body, Delivery};
pub use calls::{Call, Returned};
pub use defect::Defect;
pub use entry::{Entry, Header, Identity, Metadata, identity};
pub use finding::Finding;
pub use loading::Loading;
pub use path::{Path, PathBuf};
pub use residency::Residency;
pub use resolve::Resolver;
pub use root::{Missing, Root};
use slow::Access;
pub use slow::Slow;

/// How to make a [`Files`]; every process of a server makes its own from the same recipe.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The document root.
    pub root: Root,
    /// How many names to remember, each with an open file; 0 opens the file anew for every request.
    pub name_cache: usize,
    /// How long a name is used before it is looked up afresh, and a copy before it is held against its file.
    pub revalidate: Duration,
    /// Whether headers are computed once for each file or once for each request.
    pub header_cache: bool,
    /// How many bytes of files to hold in memory; 0 holds none.
    pub content_cache_bytes: u64,
    /// The largest file that is copied to be held, in bytes; larger ones are locked in the page cache.
    pub content_cache_file_bytes: u64,
    /// How long an open file may be without use before [`Files::close_idle`] closes it.
    pub name_cache_idle: Duration,
    /// How many bytes of files may be in memory of ours on their way, where the page cache does not keep them.
    pub helper_memory_bytes: u64,
    /// Whether files and directories whose names begin with a dot are served; `.well-known` at the top is in any case.
    pub dotfiles: bool,
    /// The least number of the descriptors that files are kept open with: those below are for others.
    pub lowest_descriptor: RawFd,
    /// Files that are slow on purpose, if any.
    pub slow: Option<Slow>,
    /// Files that cannot be looked up without a panic, if any.
    pub defect: Option<Defect>,
}

/// The document root with its caches. `H` is what the header cache keeps.
#[derive(Debug)]
pub struct Files<H> {
    recipe: Recipe,
    describe: fn(&Metadata<'_>) -> H,
    started: Instant,
    names: Cache<PathBuf, Arc<Entry<H>>>,
    headers: Cache<Named, Arc<H>>,
    contents: Contents,
    file_systems: FileSystems,
    helper_memory: Pool,
}

impl<H> Files<H> {
    /// Makes the caches; `describe` computes what the header cache keeps.
    ///
    /// # Errors
    /// Where a cache of that size cannot be made.
    pub fn open(recipe: Recipe, describe: fn(&Metadata<'_>) -> H) -> io::Result<Self> {
        let headers = if recipe.header_cache {
            recipe.name_cache.max(1024)
        } else {
            0
        };
        Ok(Self {
            describe,
            started: Instant::now(),
            names: Cache::new(recipe.name_cache),
            headers: Cache::new(headers),
            contents: Contents::new(recipe.content_cache_bytes, recipe.content_cache_file_bytes)?,
            file_systems: FileSystems::default(),
            helper_memory: Pool::new(recipe.helper_memory_bytes),
            recipe,
        })
    }

    /// Which file `path` names, if that is known without asking the disk.
    pub fn try_find(&self, path: Path<'_>, now: Instant) -> Option<Arc<Entry<H>>> {
        if self.recipe.name_cache == 0 {
            return None;
        }
        let entry = self.names.get(&path)?;
        let now_ns = self.age_ns(now);
        let age = now_ns.saturating_sub(entry.checked_ns());
        if age >= self.revalidate_ns() || entry.is_doubted() {
            return None;
        }
        entry.use_at(now_ns, self.idle_ns());
        Some(entry)
    }

    /// Which file `path` names. May wait for the disk.
    ///
    /// # Errors
    /// Why there is nothing to serve under that path.
    pub fn find(&self, path: Path<'_>, now: Instant) -> Result<Arc<Entry<H>>, Missing> {
        // Somebody else may have found it since the caller tried.
        if let Some(entry) = self.try_find(path, now) {
            return Ok(entry);
        }
        let mut finding = self.begin_find(path, now)?;
        loop {
            let returned = finding.call().make();
            if let Some(found) = finding.returned(returned, self) {
                return found;
            }
        }
    }

    /// What is known of the bytes of a file that was looked up.
    fn look(&self, identity: &Identity, file: &File, revision: u64, now: Instant) -> Seen {
        let (now_ns, fresh_ns) = (self.age_ns(now), self.revalidate_ns());
        self.contents
            .look(identity, file, revision, now_ns, fresh_ns)
    }

    /// The file by a descriptor that leaves the lower ones to others.
    fn out_of_the_way(&self, file: File) -> Result<File, Errno> {
        let lowest = self.recipe.lowest_descriptor;
        if file.as_raw_fd() >= lowest {
            return Ok(file);
        }
        rustix::io::fcntl_dupfd_cloexec(&file, lowest).map(File::from)
    }

    /// What the protocol wants to know of `entry`: from the header cache, or computed.
    pub fn header<'e>(&self, entry: &'e Entry<H>) -> Header<'e, H> {
        if !self.recipe.header_cache {
            return Header::Fresh((self.describe)(&entry.metadata()));
        }
        Header::Cached(entry.header.get_or_init(|| {
            let named = entry.named();
            self.headers.get(&named).unwrap_or_else(|| {
                let header = Arc::new((self.describe)(&entry.metadata()));
                self.headers.insert(named, Arc::clone(&header));
                header
            })
        }))
    }

    /// Gives back the descriptors of files that nobody has asked for in [`Recipe::name_cache_idle`], and the pages locked of
    /// such. To be called now and then, for nobody else does where nobody asks for anything.
    pub fn close_idle(&self, now: Instant) {
        // Use is noted by eighths of that time.
        let idle_ns = self.idle_ns().saturating_add(self.idle_ns() / 8);
        if let Some(since_ns) = self.age_ns(now).checked_sub(idle_ns) {
            self.names.retain(|_, entry| entry.used_ns() >= since_ns);
            self.contents.give_up_unused(since_ns);
            self.helper_memory.trim();
        }
    }

    fn slow(&self, path: &[u8], access: Access) -> Option<Duration> {
        let slow = self.recipe.slow.as_ref()?;
        slow.delay(path, access)
    }

    fn revalidate_ns(&self) -> u64 {
        nanoseconds(self.recipe.revalidate)
    }

    fn idle_ns(&self) -> u64 {
        nanoseconds(self.recipe.name_cache_idle)
    }

    fn age_ns(&self, now: Instant) -> u64 {
        nanoseconds(now.saturating_duration_since(self.started))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
