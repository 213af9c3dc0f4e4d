//! A file system of our own behind FUSE, which does what disks and networks do and no test can wait for.

#![allow(dead_code, reason = "every test binary has a copy of its own")]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen, Request, Session,
};
use rustix::mount::UnmountFlags;

/// What is in `file.txt`.
pub(crate) const CONTENTS: &[u8] = b"from far away";
/// Length of `large.bin`.
pub(crate) const LARGE: u64 = 1 << 20;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As most do: the kernel keeps what it has read.
    Cached,
    /// The kernel keeps nothing, so that every read goes out.
    Direct,
}

/// What it is told while it is mounted, and what it tells.
#[derive(Debug, Default)]
pub(crate) struct Wires {
    /// Bytes that it was asked for, and gave.
    pub(crate) read_bytes: AtomicU64,
    /// Whether reading fails, and as what: an error number; 0 for none.
    pub(crate) failure: AtomicU64,
}

/// The file system, mounted.
pub(crate) struct Mounted {
    pub(crate) wires: Arc<Wires>,
    place: PathBuf,
    /// Keeps the mount in place when what serves it has ended.
    held: Option<File>,
    thread: Option<JoinHandle<()>>,
}

/// Mounts it; `None`, which says that the test is skipped, where that is not allowed.
pub(crate) fn mount(place: &Path, manner: Manner) -> Option<Mounted> {
    let wires = Arc::new(Wires::default());
    let far = Far {
        manner,
        wires: Arc::clone(&wires),
    };
    let mut config = Config::default();
    config.mount_options = vec![fuser::MountOption::DefaultPermissions];
    let session = match Session::new(far, place, &config) {
        Ok(session) => session,
        Err(error) => {
            println!("skipped: no FUSE file system can be mounted here: {error}");
            return None;
        }
    };
    let thread = std::thread::spawn(move || drop(session.run()));
    Some(Mounted {
        wires,
        place: place.into(),
        held: Some(File::open(place.join("file.txt")).unwrap()),
        thread: Some(thread),
    })
}

impl Mounted {
    /// What serves it ends, as when a process is killed or a network is cut. The mount stays, and is dead.
    pub(crate) fn end(&mut self) {
        // Somebody uses it: it is not unmounted, only cut off.
        let forced = rustix::mount::unmount(&self.place, UnmountFlags::FORCE);
        assert_eq!(forced.unwrap_err(), rustix::io::Errno::BUSY);
    }

    pub(crate) fn unmount(&mut self) {
        self.held = None;
        let _ = rustix::mount::unmount(&self.place, UnmountFlags::DETACH);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// From now on, reading fails.
    pub(crate) fn fail(&self, error: rustix::io::Errno) {
        let number = error.raw_os_error().unsigned_abs();
        self.wires.failure.store(number.into(), Relaxed);
    }

    /// From now on, it does not.
    pub(crate) fn mend(&self) {
        self.wires.failure.store(0, Relaxed);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let _ = rustix::mount::unmount(&self.place, UnmountFlags::FORCE);
            self.unmount();
        }
    }
}

struct Far {
    manner: Manner,
    wires: Arc<Wires>,
}

/// The kernel is to ask anew each time.
const NOT_REMEMBERED: Duration = Duration::ZERO;

fn attributes(inode: u64) -> Option<FileAttr> {
    let (size, kind, perm) = match inode {
        1 => (0, FileType::Directory, 0o755),
        2 => (CONTENTS.len() as u64, FileType::RegularFile, 0o644),
        3 => (LARGE, FileType::RegularFile, 0o644),
        _ => return None,
    };
    let time = UNIX_EPOCH + Duration::from_secs(784_111_777);
    Some(FileAttr {
        ino: INodeNo(inode),
        size,
        blocks: size.div_ceil(512),
        atime: time,
        mtime: time,
        ctime: time,
        crtime: time,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    })
}

impl Filesystem for Far {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let inode = match (parent.0, name.as_encoded_bytes()) {
            (1, b"file.txt") => 2,
            (1, b"large.bin") => 3,
            _ => 0,
        };
        match attributes(inode) {
            Some(found) => reply.entry(&NOT_REMEMBERED, &found, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match attributes(inode.0) {
            Some(found) => reply.attr(&NOT_REMEMBERED, &found),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let flags = match self.manner {
            Manner::Cached => FopenFlags::FOPEN_KEEP_CACHE,
            Manner::Direct => FopenFlags::FOPEN_DIRECT_IO,
        };
        reply.opened(FileHandle(0), flags);
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
        let failure = self.wires.failure.load(Relaxed);
        if failure != 0 {
            let number = i32::try_from(failure).unwrap();
            return reply.error(Errno::from_i32(number));
        }
        let all = contents(inode.0);
        let start = usize::try_from(offset).unwrap().min(all.len());
        let end = all.len().min(start + size as usize);
        self.wires
            .read_bytes
            .fetch_add((end - start) as u64, Relaxed);
        reply.data(&all[start..end]);
    }
}

fn contents(inode: u64) -> Vec<u8> {
    match inode {
        2 => CONTENTS.to_vec(),
        _ => large(),
    }
}

/// What is in `large.bin`.
pub(crate) fn large() -> Vec<u8> {
    (0..LARGE).map(|at| (at % 251) as u8).collect()
}
