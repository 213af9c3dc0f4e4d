//! Mounting and unmounting.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fuser::{Config, Filesystem, MountOption, Session, SessionUnmounter};
use rustix::mount::UnmountFlags;

use crate::arms::Model;
use crate::backing::Backing;
use crate::queue::Queue;
use crate::tally::Counts;
use crate::volume::Volume;
use crate::{Error, checks};

/// What to mount.
#[derive(Debug, Clone)]
pub struct Disk {
    /// The directory whose contents the disk has. It is taken not to change while the disk is mounted.
    pub root: PathBuf,
    /// The directory where they appear; made if it is missing.
    pub mountpoint: PathBuf,
    /// How slow it is.
    pub model: Model,
    /// Whether look-ups that the kernel has no answer to cost a seek, as reads do.
    pub metadata_seek: bool,
    /// Bytes that the kernel reads ahead of a sequential reader at most. It grants no more than its own limit, 128 KiB as a
    /// rule.
    pub read_ahead_bytes: u32,
}

/// How long after unmounting the kernel may take to say goodbye, when nobody uses the disk any more.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mounted disk; unmounted when dropped.
pub struct Mounted {
    mountpoint: PathBuf,
    queue: Arc<Queue>,
    read_ahead: Arc<Mutex<u32>>,
    session: Option<Running>,
}

/// How a disk was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nobody used it any more.
    Unused,
    /// Somebody still has files open, and gets errors from now on.
    InUse,
}

struct Running {
    unmounter: SessionUnmounter,
    thread: JoinHandle<io::Result<()>>,
}

impl Mounted {
    /// Mounts a disk and returns when it can be used.
    ///
    /// # Errors
    /// Which directory cannot be used, or what is missing for mounting.
    pub fn new(disk: &Disk) -> Result<Self, Error> {
        checks::device()?;
        let (root, mountpoint) = checks::directories(&disk.root, &disk.mountpoint)?;
        let backing = Backing::open(&root).map_err(|source| Error::Root { path: root, source })?;
        let queue = Queue::new(disk.model, disk.metadata_seek).map_err(|source| Error::Own {
            what: "start the disk's threads",
            source,
        })?;
        let queue = Arc::new(queue);
        let read_ahead = Arc::default();
        let volume = Volume::new(
            backing,
            Arc::clone(&queue),
            disk.read_ahead_bytes,
            Arc::clone(&read_ahead),
        );
        let session = start(volume, &mountpoint)?;
        Ok(Self {
            mountpoint,
            queue,
            read_ahead,
            session: Some(session),
        })
    }

    /// Where it is mounted, as an absolute path.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// How far the kernel reads ahead at most, in bytes.
    pub fn read_ahead_bytes(&self) -> u32 {
        *self
            .read_ahead
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the disk has done so far.
    pub fn counts(&self) -> Counts {
        self.queue.counts()
    }

    /// Whether somebody else has unmounted it.
    pub fn is_gone(&self) -> bool {
        self.session
            .as_ref()
            .is_none_or(|session| session.thread.is_finished())
    }

    /// Unmounts it.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn unmount(mut self) -> io::Result<Left> {
        self.end()
    }

    fn end(&mut self) -> io::Result<Left> {
        match self.session.take() {
            Some(session) => session.end(&self.mountpoint),
            None => Ok(Left::Unused),
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Nobody is there to be told.
        let _ = self.end();
    }
}

impl Running {
    fn end(mut self, mountpoint: &Path) -> io::Result<Left> {
        if !self.thread.is_finished()
            && let Err(error) = self.unmounter.unmount()
        {
            // Somebody is still there: take it out of sight, and away when the last of them is gone.
            match rustix::mount::unmount(mountpoint, UnmountFlags::DETACH) {
                Ok(()) => {}
                Err(_) => return Err(error),
            }
        }
        let deadline = Instant::now() + GOODBYE;
        while !self.thread.is_finished() {
            if Instant::now() >= deadline {
                return Ok(Left::InUse);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        match self.thread.join() {
            Ok(ended) => ended.map(|()| Left::Unused),
            Err(_) => Err(io::Error::other("the file system's thread has failed")),
        }
    }
}

/// Mounts a file system on a directory that has been checked, and has a thread serve it.
fn start(volume: impl Filesystem, mountpoint: &Path) -> Result<Running, Error> {
    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::FSName("archbench".into()),
        MountOption::Subtype("disk".into()),
        // Read-only, so that reading changes no access times, after which the kernel would have to ask again.
        MountOption::RO,
        // The kernel checks permissions by what it remembers.
        MountOption::DefaultPermissions,
    ];
    let mut session = Session::new(volume, mountpoint, &config)
        .map_err(|source| checks::explain(mountpoint, source))?;
    let unmounter = session.unmount_callable();
    let thread = std::thread::Builder::new()
        .name("disk".into())
        .spawn(move || session.run())
        .map_err(|source| Error::Own {
            what: "start the disk's thread",
            source,
        })?;
    Ok(Running { unmounter, thread })
}

/// Whether FUSE file systems can be mounted here, tried by mounting an empty one on a new temporary directory.
///
/// # Errors
/// What is missing, and what to do about it, in one sentence.
pub fn available() -> Result<(), String> {
    try_mounting().map_err(|error| error.to_string())
}

fn try_mounting() -> Result<(), Error> {
    struct Nothing;
    impl Filesystem for Nothing {}

    checks::device()?;
    let own = |source| Error::Own {
        what: "make a temporary directory to try mounting on",
        source,
    };
    let directory = tempfile::tempdir().map_err(own)?;
    let path = directory.path();
    start(Nothing, path)?
        .end(path)
        .map_err(|source| Error::Refused {
            path: path.into(),
            source,
        })?;
    Ok(())
}
