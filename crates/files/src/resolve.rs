//! Opening a path beneath the root, and nowhere else.

use std::fs::File;
use std::io;

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

/// The root directory.
#[derive(Debug)]
pub(crate) struct Root {
    directory: File,
    dotfiles: bool,
}

impl Root {
    pub(crate) fn open(path: &std::path::Path, dotfiles: bool) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let root = Self {
            directory,
            dotfiles,
        };
        // So that a kernel without openat2, or a root without the right to enter it, is met here and not at the
        // first request.
        root.open_beneath(b".")?;
        Ok(root)
    }

    /// Opens the regular file that `path` names.
    pub(crate) fn open_file(&self, path: Path<'_>) -> Result<(File, Identity), Missing> {
        if !self.dotfiles && has_dotfile(path.bytes) {
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
        // NONBLOCK, so that opening a FIFO does not wait for a writer; regular files ignore it.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut retries = RENAME_RETRIES;
        loop {
            match rustix::fs::openat2(&self.directory, path, flags, Mode::empty(), resolve) {
                Ok(file) => return Ok(File::from(file)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if retries > 0 => retries -= 1,
                Err(error) => return Err(error),
            }
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
