//! The file system: what the kernel asks for, when it gets it.
//!
//! One thread takes the kernel's requests in their order and hands them to the [`Queue`], with what is to be answered when
//! the arms are done. It never waits, so that nothing but the arms is a queue.
//!
//! What the kernel remembers, it does not ask for: names and attributes are given to it for a day, pages for as long as it
//! has memory for them, and opening a file is none of this disk's business at all (`FUSE_NO_OPEN_SUPPORT`). So a warm
//! `openat2`, `fstat` or `pread` costs no request, as on a disk.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, InitFlags,
    KernelConfig, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, Request,
};

use crate::arms::Place;
use crate::backing::Backing;
use crate::listings::Listings;
use crate::nodes::Nodes;
use crate::queue::Queue;

/// How long the kernel may believe what it was told of a name or a file.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// What the kernel wants in the background at a time: everything, since queueing is the arms' business.
const BACKGROUND: u16 = u16::MAX;

/// The file system.
pub(crate) struct Volume {
    shelf: Arc<Shelf>,
    queue: Arc<Queue>,
    read_ahead: u32,
    granted: Arc<Mutex<u32>>,
}

/// What answers are made from.
struct Shelf {
    backing: Backing,
    nodes: Nodes,
    listings: Listings,
}

impl Volume {
    /// `granted` is told how far the kernel will read ahead.
    pub(crate) fn new(
        backing: Backing,
        queue: Arc<Queue>,
        read_ahead: u32,
        granted: Arc<Mutex<u32>>,
    ) -> Self {
        let shelf = Arc::new(Shelf {
            backing,
            nodes: Nodes::new(),
            listings: Listings::default(),
        });
        Self {
            shelf,
            queue,
            read_ahead,
            granted,
        }
    }
}

impl Shelf {
    /// Finds what the kernel asks for by name. What is not there has no inode, and the kernel remembers that as well.
    fn find(&self, path: PathBuf) -> io::Result<FileAttr> {
        match self.backing.attributes(&path) {
            Ok(attributes) => {
                self.nodes.looked_up(path, &attributes);
                Ok(attributes)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(NOTHING),
            Err(error) => Err(error),
        }
    }

    fn attributes(&self, inode: INodeNo) -> io::Result<FileAttr> {
        let node = self.nodes.get(inode).ok_or(rustix::io::Errno::STALE)?;
        let mut attributes = self.backing.attributes(&node.path)?;
        // Another file may have taken its name; to the kernel it goes on as the one it knows.
        attributes.ino = inode;
        self.nodes.looked_at(inode, attributes.size);
        Ok(attributes)
    }
}

impl Filesystem for Volume {
    fn init(&mut self, _: &Request, kernel: &mut KernelConfig) -> io::Result<()> {
        for wanted in [
            // Look-ups in one directory do not wait for each other.
            InitFlags::FUSE_PARALLEL_DIROPS,
            // Opening what is known costs nothing.
            InitFlags::FUSE_NO_OPEN_SUPPORT,
            InitFlags::FUSE_CACHE_SYMLINKS,
        ] {
            // Old kernels lack some; they ask more often.
            let _ = kernel.add_capabilities(wanted);
        }
        let _ = kernel.set_max_background(BACKGROUND);
        let _ = kernel.set_congestion_threshold(BACKGROUND);
        // Less than a page is none at all; 0 itself cannot be said.
        let mut granted = self.read_ahead.max(1);
        if let Err(nearest) = kernel.set_max_readahead(granted) {
            granted = nearest;
            let _ = kernel.set_max_readahead(nearest);
        }
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = granted.min(self.read_ahead);
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let Some(path) = self.shelf.nodes.child(parent, name) else {
            return reply.error(Errno::ESTALE);
        };
        let shelf = Arc::clone(&self.shelf);
        self.queue.look_up(move || match shelf.find(path) {
            Ok(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            Err(error) => reply.error(error.into()),
        });
    }

    fn forget(&self, _: &Request, inode: INodeNo, count: u64) {
        self.shelf.nodes.forget(inode, count);
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let shelf = Arc::clone(&self.shelf);
        self.queue.look_up(move || match shelf.attributes(inode) {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(error) => reply.error(error.into()),
        });
    }

    /// The target of a link lies in its inode, which has been paid for.
    fn readlink(&self, _: &Request, inode: INodeNo, reply: ReplyData) {
        self.queue.count_free();
        let target = self
            .shelf
            .nodes
            .get(inode)
            .ok_or(Errno::ESTALE)
            .and_then(|node| Ok(self.shelf.backing.target(&node.path)?));
        match target {
            Ok(target) => reply.data(&target),
            Err(error) => reply.error(error),
        }
    }

    /// Asked once: the kernel learns that it need not ask, and keeps pages from one opening to the next.
    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.queue.count_free();
        reply.error(Errno::ENOSYS);
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let Some(node) = self.shelf.nodes.get(inode) else {
            return reply.error(Errno::ESTALE);
        };
        // The kernel asks for whole pages; the disk has no more than the file.
        let bytes = node.len.saturating_sub(offset).min(u64::from(size));
        let place = Place {
            inode: inode.0,
            offset,
        };
        let shelf = Arc::clone(&self.shelf);
        self.queue.read(place, bytes, move || {
            match shelf.backing.read(&node.path, offset, size as usize) {
                Ok(bytes) => reply.data(&bytes),
                Err(error) => reply.error(error.into()),
            }
        });
    }

    /// Asked once, as [`Filesystem::open`].
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        self.queue.count_free();
        reply.error(Errno::ENOSYS);
    }

    fn opendir(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.queue.count_free();
        let handle = self.shelf.listings.open();
        reply.opened(
            handle,
            FopenFlags::FOPEN_CACHE_DIR | FopenFlags::FOPEN_KEEP_CACHE,
        );
    }

    fn readdir(
        &self,
        _: &Request,
        inode: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let Some(node) = self.shelf.nodes.get(inode) else {
            return reply.error(Errno::ESTALE);
        };
        let shelf = Arc::clone(&self.shelf);
        let answer = move || {
            let list = || shelf.backing.list(&node.path);
            match shelf.listings.get(handle, offset == 0, list) {
                Ok(listing) => {
                    let from = usize::try_from(offset).unwrap_or(usize::MAX);
                    for (entry, next) in listing.iter().skip(from).zip(offset + 1..) {
                        if reply.add(entry.inode, next, entry.kind, &entry.name) {
                            break;
                        }
                    }
                    reply.ok();
                }
                Err(error) => reply.error(error.into()),
            }
        };
        // The whole directory is read at once; what follows comes from there.
        if offset == 0 {
            self.queue.look_up(answer);
        } else {
            self.queue.count_free();
            answer();
        }
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.queue.count_free();
        self.shelf.listings.close(handle);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        self.queue.count_free();
        match self.shelf.backing.statistics() {
            Ok(found) => reply.statfs(
                found.f_blocks,
                found.f_bfree,
                found.f_bavail,
                found.f_files,
                found.f_ffree,
                u32::try_from(found.f_bsize).unwrap_or(4096),
                u32::try_from(found.f_namemax).unwrap_or(255),
                u32::try_from(found.f_frsize).unwrap_or(4096),
            ),
            Err(error) => reply.error(error.into()),
        }
    }
}

/// How the kernel is told that there is nothing by a name: inode 0.
const NOTHING: FileAttr = FileAttr {
    ino: INodeNo(0),
    size: 0,
    blocks: 0,
    atime: UNIX_EPOCH,
    mtime: UNIX_EPOCH,
    ctime: UNIX_EPOCH,
    crtime: UNIX_EPOCH,
    kind: FileType::RegularFile,
    perm: 0,
    nlink: 0,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 0,
    flags: 0,
};
