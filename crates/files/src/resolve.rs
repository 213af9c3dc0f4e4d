//! Opening a path beneath the root, and nowhere else.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::{Identity, Path};

/// The file that stands for its directory.
const INDEX: &[u8] = b"index.html";

/// The kernel gives up on a path with `..` in it (in a symbolic link) when something is renamed meanwhile; this
/// many times in a row would be an attack.
const RENAME_RETRIES: usize = 16;

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
/// and in those that are forked. Only when it is deleted is its name looked up again.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
    directory: Arc<RwLock<Arc<File>>>,
}

impl Root {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// Where it is missing, is no directory, may not be entered, or the kernel has no `openat2` (Linux before 5.6).
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let directory = open_directory(&path)?;
        // So that a kernel without openat2, or a root without the right to enter it, is met here and not at the
        // first request.
        open_at(&directory, b".")?;
        Ok(Self {
            path,
            directory: Arc::new(RwLock::new(Arc::new(directory))),
        })
    }

    /// Where it was opened.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Opens the regular file that `path` names.
    pub(crate) fn open_file(
        &self,
        path: Path<'_>,
        dotfiles: bool,
    ) -> Result<(File, Identity), Missing> {
        if !dotfiles && has_dotfile(path.bytes) {
            return Err(Missing::NotFound);
        }
        if path.directory {
            return self
                .open_regular(&index_of(path.bytes))
                .map_err(|missing| match missing {
                    Missing::NeedsSlash => Missing::NotFound,
                    other => other,
                });
        }
        self.open_regular(path.bytes)
    }

    fn open_regular(&self, path: &[u8]) -> Result<(File, Identity), Missing> {
        let file = self.open_beneath(path).map_err(Missing::from)?;
        let stat = rustix::fs::fstat(&file).map_err(Missing::from)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((file, Identity::from_stat(&stat))),
            FileType::Directory => Err(self.missing_slash(path)),
            _ => Err(Missing::NotFound),
        }
    }

    /// A directory was asked for by its bare name: that leads somewhere only if it has an index file.
    fn missing_slash(&self, path: &[u8]) -> Missing {
        let index = self
            .open_beneath(&index_of(path))
            .and_then(|file| rustix::fs::fstat(&file))
            .map(|stat| FileType::from_raw_mode(stat.st_mode));
        match index {
            Ok(FileType::RegularFile) => Missing::NeedsSlash,
            Ok(_) => Missing::NotFound,
            Err(error) => Missing::from(error),
        }
    }

    fn open_beneath(&self, path: &[u8]) -> Result<File, Errno> {
        let directory = {
            let directory = self.directory.read();
            Arc::clone(&directory.unwrap_or_else(PoisonError::into_inner))
        };
        match open_at(&directory, path) {
            Err(Errno::NOENT) if is_deleted(&directory) => {
                let directory: Arc<File> = self.renewed()?;
                open_at(&directory, path)
            }
            opened => opened,
        }
    }

    /// The directory that has the name of the deleted one now.
    fn renewed(&self) -> Result<Arc<File>, Errno> {
        let directory = Arc::new(open_directory(&self.path)?);
        let mut place = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Arc::clone(&directory);
        Ok(directory)
    }
}

fn open_directory(path: &std::path::Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map(File::from)
}

/// Whether a directory has no name any more, and so can have nothing in it ever again.
fn is_deleted(directory: &File) -> bool {
    rustix::fs::fstat(directory).is_ok_and(|stat| stat.st_nlink == 0)
}

fn open_at(directory: &File, path: &[u8]) -> Result<File, Errno> {
    // NONBLOCK, so that opening a FIFO does not wait for a writer; regular files ignore it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut retries = RENAME_RETRIES;
    loop {
        match rustix::fs::openat2(directory, path, flags, Mode::empty(), resolve) {
            Ok(file) => return Ok(File::from(file)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if retries > 0 => retries -= 1,
            Err(error) => return Err(error),
        }
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

impl Path<'_> {
    /// The last segment; the index file's name for a directory.
    pub(crate) fn file_name(&self) -> &[u8] {
        if self.directory {
            return INDEX;
        }
        self.bytes
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or(self.bytes)
    }
}

fn index_of(directory: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
    [directory, slash, INDEX].concat()
}

fn has_dotfile(path: &[u8]) -> bool {
    path.first() == Some(&b'.') || path.windows(2).any(|pair| pair == b"/.")
}
