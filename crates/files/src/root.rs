//! The document root: the directory that is served, and finding it again when it was lost.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use crate::{Identity, Resolver};

/// Why there is nothing to serve under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing there, or nothing that may be seen from outside.
    NotFound,
    /// It may not be read.
    Forbidden,
    /// A directory with an index file, asked for without its slash.
    NeedsSlash,
    /// No descriptor or memory left just now.
    Busy,
    /// The disk failed.
    Failed,
}

/// The document root: a directory that is open, so that it stays the same whatever its name comes to mean, in this process
/// and in those that are forked.
///
/// Only when it is lost (deleted; or its file system has gone, as when what serves a network or FUSE mount ends) does its name
/// say what is served from then on.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
    resolver: Resolver,
    /// What `openat2` said, if that is why the kernel does not resolve.
    refusal: Option<Errno>,
    directory: Arc<RwLock<Arc<File>>>,
    /// It was lost once: what its name means now may be something that holds its place until it is back.
    lost_before: Arc<AtomicBool>,
}

impl Root {
    /// Opens the directory at `path`, which has to be entered and need not be listed.
    ///
    /// # Errors
    /// Where it is missing, is no directory or may not be entered.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let directory = open_directory(&path)?;
        // So that what keeps the kernel from resolving, or this user from entering, is met here and not at the first request.
        match Resolver::Kernel.open(&directory, b".", OFlags::PATH) {
            Ok(_) => Ok(Self::new(path, directory, Resolver::Kernel, None)),
            Err(refusal @ (Errno::NOSYS | Errno::PERM)) => {
                Resolver::Walk.open(&directory, b".", OFlags::PATH)?;
                Ok(Self::new(path, directory, Resolver::Walk, Some(refusal)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the directory at `path`, whose paths are resolved by whom the caller says.
    ///
    /// # Errors
    /// As [`open`](Self::open); and where the kernel is to resolve, whatever it says to `openat2`.
    pub fn open_with(path: impl Into<PathBuf>, resolver: Resolver) -> io::Result<Self> {
        let path = path.into();
        let directory = open_directory(&path)?;
        resolver.open(&directory, b".", OFlags::PATH)?;
        Ok(Self::new(path, directory, resolver, None))
    }

    fn new(path: PathBuf, directory: File, resolver: Resolver, refusal: Option<Errno>) -> Self {
        Self {
            path,
            resolver,
            refusal,
            directory: Arc::new(RwLock::new(Arc::new(directory))),
            lost_before: Arc::default(),
        }
    }

    /// Where it was opened.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Who resolves paths beneath it.
    pub fn resolver(&self) -> Resolver {
        self.resolver
    }

    /// Why it is not the kernel that resolves, in words for whoever started the server; `None` where it is.
    pub fn refusal(&self) -> Option<&'static str> {
        Some(match self.refusal? {
            Errno::NOSYS => {
                "there is no openat2 here: Linux before 5.6, or a sandbox that hides it (seccomp)"
            }
            _ => "openat2 is refused here: by a sandbox (seccomp), as a rule",
        })
    }

    /// The directory, or the one that has its name now where it was lost, if there is a `doubt`.
    pub(crate) fn present(&self, doubt: bool) -> Result<Arc<File>, Errno> {
        let directory = self.directory();
        if doubt && is_gone(&directory) {
            return self.renew();
        }
        Ok(directory)
    }

    fn directory(&self) -> Arc<File> {
        let directory = self.directory.read();
        Arc::clone(&directory.unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether `error` came of the directory itself and not of what was looked for in it.
    pub(crate) fn is_lost(&self, directory: &File, error: Errno) -> bool {
        match Missing::from(error) {
            Missing::NotFound if error == Errno::NOENT => {
                is_deleted(directory)
                    || (self.lost_before.load(Relaxed) && self.has_another_name(directory))
            }
            Missing::Failed => is_gone(directory),
            _ => false,
        }
    }

    /// Whether its name means another directory by now.
    fn has_another_name(&self, directory: &File) -> bool {
        let there = open_directory(&self.path).and_then(|there| Identity::of(&there));
        match (there, Identity::of(directory)) {
            (Ok((_, there)), Ok((_, here))) => !there.is_same_inode(&here),
            (there, _) => there.is_ok(),
        }
    }

    /// The directory that has the name of the lost one now.
    pub(crate) fn renew(&self) -> Result<Arc<File>, Errno> {
        self.lost_before.store(true, Relaxed);
        let directory = Arc::new(open_directory(&self.path)?);
        let mut place = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Arc::clone(&directory);
        Ok(directory)
    }
}

/// Opens a directory to look things up in, which takes the right to enter it and not that to list it.
fn open_directory(path: &std::path::Path) -> Result<File, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map(File::from)
}

/// Whether a directory has no name any more, and so can have nothing in it ever again.
fn is_deleted(directory: &File) -> bool {
    match rustix::fs::fstat(directory).map(|stat| stat.st_nlink) {
        Ok(0) => true,
        // Where links to directories are not counted (overlayfs), the name under which the kernel knows it tells.
        Ok(1) => {
            let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
            rustix::fs::readlink(link, Vec::new()).is_ok_and(|name| {
                name.as_bytes().ends_with(b" (deleted)")
                    && rustix::fs::stat(&name).is_err_and(|error| error == Errno::NOENT)
            })
        }
        _ => false,
    }
}

/// Whether the file system of a directory does not answer any more. What it answered a moment ago does not count.
fn is_gone(directory: &File) -> bool {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
    match rustix::fs::statx(directory, "", flags, StatxFlags::MODE) {
        Ok(_) => false,
        Err(Errno::NOSYS | Errno::PERM) => rustix::fs::fstat(directory).is_err(),
        Err(_) => true,
    }
}

impl From<Errno> for Missing {
    fn from(error: Errno) -> Self {
        match error {
            // XDEV is how the kernel refuses a way out of the root; NXIO is a socket.
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::NAMETOOLONG
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NXIO
            | Errno::NODEV
            | Errno::INVAL => Self::NotFound,
            Errno::ACCESS | Errno::PERM => Self::Forbidden,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => Self::Busy,
            _ => Self::Failed,
        }
    }
}
