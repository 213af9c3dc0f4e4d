//! What can go wrong before the disk stands.

use std::io;
use std::path::PathBuf;

/// Why there is no disk.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory with the contents cannot be used.
    #[error("cannot use {path} as the contents of the disk: {source}; give a directory that may be read", path = path.display())]
    Root {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The directory to mount on cannot be used.
    #[error("cannot mount on {path}: {source}; give an empty directory of your own", path = path.display())]
    Mountpoint {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something is in the directory to mount on.
    #[error("cannot mount on {path}: it is not empty, or a disk is mounted there already; give an empty directory", path = path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// One directory lies in the other, so that the disk would contain itself.
    #[error("cannot mount {root} on {mountpoint}: one lies in the other, and the disk would wait for itself; give a directory elsewhere", root = root.display(), mountpoint = mountpoint.display())]
    Nested {
        /// The directory with the contents.
        root: PathBuf,
        /// The directory to mount on.
        mountpoint: PathBuf,
    },
    /// A file system whose process is dead is still mounted there.
    #[error("cannot mount on {path}: a dead FUSE mount is in the way, left by a process that was killed; remove it with 'umount {path}' as root or 'fusermount3 -u {path}' as yourself", path = path.display())]
    Stale {
        /// The directory.
        path: PathBuf,
    },
    /// The kernel's side of FUSE is missing or closed.
    #[error("cannot use /dev/fuse: {source}; {todo}")]
    Device {
        /// What the kernel said.
        source: io::Error,
        /// What to do about it.
        todo: &'static str,
    },
    /// Neither the right to mount nor the program that has it.
    #[error(
        "cannot mount FUSE file systems here: that takes root or the program fusermount3; install the package fuse3"
    )]
    NoHelper,
    /// The kernel, or fusermount3, refused to mount.
    #[error("cannot mount a FUSE file system on {path}: {source}; it takes root (in a container: '--cap-add SYS_ADMIN') or the program fusermount3 of the package fuse3", path = path.display())]
    Refused {
        /// The directory.
        path: PathBuf,
        /// What was said.
        source: io::Error,
    },
    /// Threads, signals or a temporary directory.
    #[error("cannot {what}: {source}")]
    Own {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}
