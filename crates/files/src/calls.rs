//! The calls that may wait for the disk, as values: whoever finds or loads a file says which is next, and somebody makes it, by a
//! system call in which it waits, or as an entry of a ring that tells when it is over.

use std::fs::File;
use std::time::Duration;

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::read::{self, Waiting};
use crate::resolve::Resolver;
use crate::{Identity, Missing};

/// A call that may wait for the disk.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// Let this time pass: the disk is slow on purpose.
    Wait(Duration),
    /// Open what a path names beneath a directory.
    Open {
        /// Who resolves the path. Where it is not the kernel, the call is a walk of many, and can only be [made](Call::make).
        resolver: Resolver,
        /// The directory, below which `path` has to stay.
        directory: &'a File,
        /// Relative to it.
        path: &'a [u8],
        /// How it is to be opened.
        flags: OFlags,
    },
    /// Ask what kind of file it is, and which.
    Identify(&'a File),
    /// Read so many bytes.
    Read {
        /// The file.
        file: &'a File,
        /// Where they begin.
        offset: u64,
        /// How many there are, unless the file ends before.
        length: usize,
    },
}

/// What came of a [`Call`].
#[derive(Debug)]
pub enum Returned {
    /// The time has passed.
    Waited,
    /// Opened.
    Opened(Result<File, Errno>),
    /// What it is.
    Identified(Result<(FileType, Identity), Errno>),
    /// What was read.
    Read(Result<Vec<u8>, Errno>),
}

impl Call<'_> {
    /// Makes it, and waits as long as that takes.
    pub fn make(self) -> Returned {
        match self {
            Self::Wait(time) => {
                std::thread::sleep(time);
                Returned::Waited
            }
            Self::Open {
                resolver,
                directory,
                path,
                flags,
            } => Returned::Opened(resolver.open(directory, path, flags)),
            Self::Identify(file) => Returned::Identified(Identity::of(file)),
            Self::Read {
                file,
                offset,
                length,
            } => {
                let mut bytes = vec![0; length];
                let read = read::part(file, &mut bytes, offset, Waiting::Allowed);
                Returned::Read(read.map(|count| {
                    bytes.truncate(count);
                    bytes
                }))
            }
        }
    }
}

/// Something came back that was not asked for: whoever made the call has a defect.
pub(crate) const UNASKED: Missing = Missing::Failed;
