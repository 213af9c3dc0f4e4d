//! The document root: which file a path names, what is known of it, and whether its bytes are at hand.
//!
//! Every step has two faces. [`Files::find`] and [`Files::load`] may wait for the disk; [`Files::try_find`]
//! and [`Files::try_load`] never do, and say so when they would have to. An architecture is little more than a
//! decision about who calls which. [`Files::fetch`] is for helpers: it waits so that somebody else need not.
//!
//! Three caches stand before the disk, as in Flash (sections 5.2 to 5.4), each of them bounded and with its own switch:
//! names (path to open file), headers (whatever the protocol wants to compute once for each file: `H`), and
//! contents (the bytes of small files, copied; large ones, when they are wanted often, locked in the page cache, so that
//! nobody has to ask whether they are there). Names are looked up afresh after [`Recipe::revalidate`], so that a changed
//! file is seen within that time; headers and contents belong to one state of one file and cannot be stale. A file that has
//! changed just now is not copied yet, as it could change again without a trace in its times: git's "racily clean" entries.
//!
//! A path never leads out of the root: the kernel resolves it (`openat2` with `RESOLVE_BENEATH`), symbolic links
//! and all, so there is no window between a check and its use. Where a sandbox refuses that call, it is resolved here,
//! segment by segment, by names in directories that are open.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`entry`] | an open file and its identity |
//! | [`path`] | paths below the root, as requests name them |
//! | [`root`] | the document root: finding a file in it, and finding the root again |
//! | [`resolve`] | opening a path beneath the root, by the kernel or segment by segment |
//! | [`residency`] | asking whether bytes are in memory |
//! | [`defect`] | a defect that is there on purpose |
//! | [`slow`] | a disk that is slow on purpose |

pub mod defect;
pub mod entry;
pub mod path;
pub mod residency;
pub mod resolve;
pub mod root;
pub mod slow;

use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Weighter};
use rustix::io::{Errno, ReadWriteFlags};
use sys::residency::Locked;

pub use defect::Defect;
use entry::Named;
pub use entry::{Entry, Header, Identity, Metadata};
pub use path::{Path, PathBuf};
pub use residency::Residency;
pub use resolve::Resolver;
pub use root::{Missing, Root};
pub use slow::Slow;

/// How to make a [`Files`]; every process of a server makes its own from the same recipe.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The document root.
    pub root: Root,
    /// How many names to remember, each with an open file; 0 opens the file anew for every request.
    pub name_cache: usize,
    /// How long a name is used before it is looked up afresh.
    pub revalidate: Duration,
    /// Whether headers are computed once for each file or once for each request.
    pub header_cache: bool,
    /// How many bytes of files to hold in memory; 0 holds none.
    pub content_cache_bytes: u64,
    /// The largest file that is copied to be held, in bytes; larger ones are locked in the page cache.
    pub content_cache_file_bytes: u64,
    /// Whether files and directories whose names begin with a dot are served.
    pub dotfiles: bool,
    /// Files that are slow on purpose, if any.
    pub slow: Option<Slow>,
    /// Files that cannot be looked up without a panic, if any.
    pub defect: Option<Defect>,
}

/// Where the bytes of a body are.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory, the whole file.
    Memory(Arc<[u8]>),
    /// In the file; to be sent from there.
    File,
}

/// What the content cache holds of a file.
#[derive(Debug, Clone)]
enum Content {
    /// A copy.
    Bytes(Arc<[u8]>),
    /// The pages of the page cache.
    Locked(Arc<Locked>),
}

impl Content {
    fn body(self) -> Body {
        match self {
            Self::Bytes(bytes) => Body::Memory(bytes),
            Self::Locked(_) => Body::File,
        }
    }
}

/// The largest file that may be copied at all; it is read in one piece.
const COPY_LIMIT: u64 = 16 << 20;
/// The part of the content cache's budget that one locked file may take.
const LOCKED_SHARE: u64 = 8;

/// The document root with its caches. `H` is what the header cache keeps.
#[derive(Debug)]
pub struct Files<H> {
    recipe: Recipe,
    describe: fn(&Metadata<'_>) -> H,
    started: Instant,
    names: Cache<PathBuf, Arc<Entry<H>>>,
    headers: Cache<Named, Arc<H>>,
    contents: Cache<Identity, Content, Bytes>,
}

impl<H> Files<H> {
    /// Makes the caches; `describe` computes what the header cache keeps.
    ///
    /// # Errors
    /// Where a cache of that size cannot be made.
    pub fn open(recipe: Recipe, describe: fn(&Metadata<'_>) -> H) -> io::Result<Self> {
        let content_files = (recipe.content_cache_bytes / 4096).clamp(16, 1 << 20) as usize;
        Ok(Self {
            describe,
            started: Instant::now(),
            names: Cache::new(recipe.name_cache),
            headers: Cache::new(if recipe.header_cache {
                recipe.name_cache.max(1024)
            } else {
                0
            }),
            contents: Cache::with_options(
                // One shard, because a small budget cut into several could hold no file at all.
                quick_cache::OptionsBuilder::new()
                    .shards(1)
                    .estimated_items_capacity(content_files)
                    .weight_capacity(recipe.content_cache_bytes)
                    .build()
                    .map_err(io::Error::other)?,
                Bytes,
                DefaultHashBuilder::default(),
                quick_cache::sync::DefaultLifecycle::default(),
            ),
            recipe,
        })
    }

    /// Which file `path` names, if that is known without asking the disk.
    pub fn try_find(&self, path: Path<'_>, now: Instant) -> Option<Arc<Entry<H>>> {
        if self.recipe.name_cache == 0 {
            return None;
        }
        let entry = self.names.get(&path)?;
        let age = self
            .age_ns(now)
            .saturating_sub(entry.checked_ns.load(Relaxed));
        (u128::from(age) < self.recipe.revalidate.as_nanos()).then_some(entry)
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
        if let Some(slow) = self.slow(path.bytes) {
            std::thread::sleep(slow);
        }
        if let Some(defect) = &self.recipe.defect {
            defect.strike(path.bytes);
        }
        let found = self.look_up(path, now);
        if found.is_err() {
            self.names.remove(&path);
        }
        found
    }

    /// Asks the disk, and opens the file unless it is the one that is known.
    fn look_up(&self, path: Path<'_>, now: Instant) -> Result<Arc<Entry<H>>, Missing> {
        let located = self.recipe.root.locate(path, self.recipe.dotfiles)?;
        let now_ns = self.age_ns(now);
        if let Some(known) = self.names.peek(&path)
            && known.identity == located.identity
        {
            known.checked_ns.fetch_max(now_ns, Relaxed);
            return Ok(known);
        }
        let (file, identity) = located.open()?;
        let entry = Arc::new(Entry::new(
            file,
            identity,
            path,
            now_ns,
            self.slow(path.bytes),
        ));
        if self.recipe.name_cache > 0 {
            self.names.insert(PathBuf::from(path), Arc::clone(&entry));
        }
        Ok(entry)
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

    /// The bytes of `entry`, if the content cache holds them. Costs no system call.
    pub fn kept(&self, entry: &Entry<H>) -> Option<Body> {
        if self.holding(entry) == Holding::Nothing {
            return None;
        }
        self.contents.get(&entry.identity).map(Content::body)
    }

    /// The bytes of `entry`, if those in `range` can be sent without waiting for the disk. Asks the kernel for
    /// what is not in the content cache; never guesses.
    pub fn try_load(&self, entry: &Entry<H>, range: Range<u64>) -> Option<Body> {
        if let Some(body) = self.kept(entry) {
            return Some(body);
        }
        if !entry.is_fast() {
            return None;
        }
        match self.holding(entry) {
            // Locking may wait, so it is left to whoever fetches.
            Holding::Locked if entry.is_worth_locking() => None,
            Holding::Locked | Holding::Nothing => entry.is_resident(range).then_some(Body::File),
            // One call both asks and reads: EAGAIN where it would have to wait.
            Holding::Copy => match self.copy(entry, ReadWriteFlags::NOWAIT) {
                Ok(body) => Some(body),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                Err(_) => entry.is_resident(range).then(|| {
                    self.copy(entry, ReadWriteFlags::empty())
                        .unwrap_or(Body::File)
                }),
            },
        }
    }

    /// The bytes of `entry`. May wait for the disk, now or, for a file that is not held in memory, when they are
    /// sent: whoever may wait here may wait there as well.
    ///
    /// # Errors
    /// What reading the file reports.
    pub fn load(&self, entry: &Entry<H>) -> io::Result<Body> {
        entry.wait_if_slow();
        if let Some(body) = self.kept(entry) {
            return Ok(body);
        }
        match self.holding(entry) {
            Holding::Copy => self.copy(entry, ReadWriteFlags::empty()),
            Holding::Locked if entry.claim_locking() => {
                self.lock(entry);
                Ok(Body::File)
            }
            Holding::Locked | Holding::Nothing => Ok(Body::File),
        }
    }

    /// Waits until the bytes in `range` are in memory, so that [`try_load`](Self::try_load) has them for somebody
    /// who must not wait.
    ///
    /// # Errors
    /// What reading the file reports.
    pub fn fetch(&self, entry: &Entry<H>, range: Range<u64>) -> io::Result<()> {
        entry.wait_if_slow();
        if self.kept(entry).is_some() {
            return Ok(());
        }
        match self.holding(entry) {
            Holding::Copy => return self.copy(entry, ReadWriteFlags::empty()).map(drop),
            Holding::Locked if entry.claim_locking() && self.lock(entry) => return Ok(()),
            Holding::Locked | Holding::Nothing => {}
        }
        entry.unsettle();
        residency::make_resident(&entry.file, range)
    }

    /// The bytes of `entry` in `range`, for whoever has to see them. May wait for the disk.
    ///
    /// # Errors
    /// What reading the file reports; that it has become shorter.
    pub fn read(&self, entry: &Entry<H>, range: Range<u64>) -> io::Result<Vec<u8>> {
        entry.wait_if_slow();
        read(entry, range, ReadWriteFlags::empty())
    }

    /// As [`read`](Self::read), if that needs no waiting for the disk: one call both asks the kernel and reads.
    pub fn try_read(&self, entry: &Entry<H>, range: Range<u64>) -> Option<Vec<u8>> {
        if !entry.is_fast() {
            return None;
        }
        read(entry, range, ReadWriteFlags::NOWAIT).ok()
    }

    /// In which way the content cache would hold a file.
    fn holding(&self, entry: &Entry<H>) -> Holding {
        let budget = self.recipe.content_cache_bytes;
        let copied = self.recipe.content_cache_file_bytes.min(COPY_LIMIT);
        if entry.len() <= copied && entry.len() <= budget {
            Holding::Copy
        } else if entry.len() <= budget / LOCKED_SHARE {
            Holding::Locked
        } else {
            Holding::Nothing
        }
    }

    /// Locks a file in memory; whether the kernel let it. If not (the limit on locked memory, as a rule), the file is asked
    /// about as if there were no content cache.
    fn lock(&self, entry: &Entry<H>) -> bool {
        let Ok(pages) = Locked::new(entry.file.as_fd(), entry.len()) else {
            return false;
        };
        entry.is_locked();
        self.contents
            .insert(entry.identity, Content::Locked(Arc::new(pages)));
        true
    }

    /// Reads a whole small file and holds it, unless it changes meanwhile: then the file itself is the body, and
    /// the sender meets its new length there. One that has changed just now is read and not held.
    fn copy(&self, entry: &Entry<H>, flags: ReadWriteFlags) -> io::Result<Body> {
        // Asked before it is read: what changes from here on will show.
        let settled = entry.identity.is_settled(SystemTime::now());
        let mut bytes = vec![0; entry.len() as usize];
        let mut done = 0;
        while done < bytes.len() {
            let slices = &mut [IoSliceMut::new(&mut bytes[done..])];
            match rustix::io::preadv2(&entry.file, slices, done as u64, flags) {
                Ok(0) => return Ok(Body::File),
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if Identity::of(&entry.file)?.1 != entry.identity {
            return Ok(Body::File);
        }
        let bytes = Arc::<[u8]>::from(bytes);
        if settled {
            self.contents
                .insert(entry.identity, Content::Bytes(Arc::clone(&bytes)));
        }
        Ok(Body::Memory(bytes))
    }

    fn slow(&self, path: &[u8]) -> Option<Duration> {
        self.recipe.slow.as_ref().and_then(|slow| slow.delay(path))
    }

    fn age_ns(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.started);
        u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)
    }
}

fn read<H>(entry: &Entry<H>, range: Range<u64>, flags: ReadWriteFlags) -> io::Result<Vec<u8>> {
    let length =
        usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let mut done = 0;
    while done < length {
        let slices = &mut [IoSliceMut::new(&mut bytes[done..])];
        match rustix::io::preadv2(&entry.file, slices, range.start + done as u64, flags) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

/// In which way the content cache holds a file, by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holding {
    Copy,
    Locked,
    Nothing,
}

/// Weighs contents by their length.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Identity, Content> for Bytes {
    fn weight(&self, _: &Identity, content: &Content) -> u64 {
        let len = match content {
            Content::Bytes(bytes) => bytes.len(),
            Content::Locked(pages) => pages.bytes(),
        };
        len.max(1) as u64
    }
}
