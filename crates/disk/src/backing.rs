//! The directory whose contents the disk has, reached by paths that never lead out of it.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileType, INodeNo};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The kernel gives up on a path when something is renamed meanwhile.
const RENAME_RETRIES: usize = 16;

/// The directory, kept open.
#[derive(Debug)]
pub(crate) struct Backing {
    root: File,
    device: u64,
}

/// One name in a directory.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) inode: INodeNo,
    pub(crate) kind: FileType,
    pub(crate) name: OsString,
}

impl Backing {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let device = root.metadata()?.dev();
        let backing = Self { root, device };
        // So that a kernel without openat2 is met here and not at the first request.
        backing.attributes(Path::new("."))?;
        Ok(backing)
    }

    /// What is at `path`; of a symbolic link, the link itself.
    pub(crate) fn attributes(&self, path: &Path) -> io::Result<FileAttr> {
        let metadata = self.beneath(path, OFlags::PATH)?.metadata()?;
        self.describe(path, &metadata)
    }

    /// The target of the symbolic link at `path`.
    pub(crate) fn target(&self, path: &Path) -> io::Result<Vec<u8>> {
        let link = self.beneath(path, OFlags::PATH)?;
        Ok(rustix::fs::readlinkat(link, "", Vec::new())?.into_bytes())
    }

    /// The bytes of the file at `path` from `offset` on, fewer than `count` only at its end.
    pub(crate) fn read(&self, path: &Path, offset: u64, count: usize) -> io::Result<Vec<u8>> {
        // NONBLOCK, so that a FIFO that has taken the file's place does not wait for a writer.
        let file = self.beneath(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        let mut bytes = vec![0; count];
        let mut done = 0;
        while done < count {
            match file.read_at(&mut bytes[done..], offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(done);
        Ok(bytes)
    }

    /// The names in the directory at `path`.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let directory = self.beneath(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let device = directory.metadata()?.dev();
        let mut listed = Vec::new();
        for entry in rustix::fs::Dir::new(directory)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
            let kind = kind(entry.file_type());
            let inode = self.number(device, entry.ino(), false);
            listed.push(Listed { inode, kind, name });
        }
        Ok(listed)
    }

    /// The file system that the contents lie on.
    pub(crate) fn statistics(&self) -> io::Result<rustix::fs::StatVfs> {
        Ok(rustix::fs::fstatvfs(&self.root)?)
    }

    fn beneath(&self, path: &Path, how: OFlags) -> io::Result<File> {
        // Every part of a path was looked up by itself, so none of them is a symbolic link, but for the last one.
        let flags = how | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let mut retries = RENAME_RETRIES;
        loop {
            match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve) {
                Ok(file) => return Ok(file.into()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if retries > 0 => retries -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn describe(&self, path: &Path, metadata: &Metadata) -> io::Result<FileAttr> {
        let is_root = path == Path::new(".");
        Ok(FileAttr {
            ino: self.number(metadata.dev(), metadata.ino(), is_root),
            size: metadata.len(),
            blocks: metadata.blocks(),
            atime: time(metadata.atime(), metadata.atime_nsec()),
            mtime: time(metadata.mtime(), metadata.mtime_nsec()),
            ctime: time(metadata.ctime(), metadata.ctime_nsec()),
            crtime: UNIX_EPOCH,
            kind: FileType::from_std(metadata.file_type()).ok_or(Errno::IO)?,
            // The lower twelve bits are the permissions; they fit.
            perm: (metadata.mode() & 0o7777) as u16,
            nlink: u32::try_from(metadata.nlink()).unwrap_or(u32::MAX),
            uid: metadata.uid(),
            gid: metadata.gid(),
            rdev: u32::try_from(metadata.rdev()).unwrap_or(0),
            blksize: u32::try_from(metadata.blksize()).unwrap_or(4096),
            flags: 0,
        })
    }

    /// The number of a file on this disk: its own, so that it stays the same when the kernel forgets the file and finds it
    /// again. What lies on another device, or has the root's number, is numbered in the upper half.
    fn number(&self, device: u64, inode: u64, is_root: bool) -> INodeNo {
        const UPPER: u64 = 1 << 63;
        if is_root {
            return INodeNo::ROOT;
        }
        if device != self.device {
            return INodeNo(UPPER | inode ^ device.rotate_left(40));
        }
        INodeNo(if inode <= INodeNo::ROOT.0 {
            UPPER | inode
        } else {
            inode
        })
    }
}

fn time(seconds: i64, nanoseconds: i64) -> SystemTime {
    let nanoseconds = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0));
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    time.and_then(|time| time.checked_add(nanoseconds))
        .unwrap_or(UNIX_EPOCH)
}

fn kind(kind: rustix::fs::FileType) -> FileType {
    use rustix::fs::FileType as Kind;
    match kind {
        Kind::Directory => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::NamedPipe,
        Kind::Socket => FileType::Socket,
        Kind::CharacterDevice => FileType::CharDevice,
        Kind::BlockDevice => FileType::BlockDevice,
        Kind::RegularFile | Kind::Unknown => FileType::RegularFile,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_files_and_never_out() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        std::fs::create_dir(path.join("inside")).unwrap();
        std::fs::write(path.join("inside/file"), b"0123456789").unwrap();
        std::os::unix::fs::symlink("/etc", path.join("out")).unwrap();
        let backing = Backing::open(path).unwrap();

        let file = Path::new("./inside/file");
        let attributes = backing.attributes(file).unwrap();
        assert_eq!(
            (attributes.size, attributes.kind),
            (10, FileType::RegularFile)
        );
        assert_eq!(backing.read(file, 7, 100).unwrap(), b"789");
        assert_eq!(
            backing.read(file, u64::MAX, 100).ok().unwrap_or_default(),
            b""
        );
        assert_eq!(backing.target(Path::new("./out")).unwrap(), b"/etc");
        for outside in ["..", "./out/passwd", "/etc/passwd"] {
            assert!(backing.attributes(Path::new(outside)).is_err(), "{outside}");
        }

        let root = backing.attributes(Path::new(".")).unwrap();
        assert_eq!(root.ino, INodeNo::ROOT);
        let listed = backing.list(Path::new(".")).unwrap();
        let inside = listed.iter().find(|entry| entry.name == "inside").unwrap();
        assert_eq!(inside.kind, FileType::Directory);
        assert_eq!(
            inside.inode,
            backing.attributes(Path::new("./inside")).unwrap().ino
        );
    }

    #[test]
    fn times_before_the_epoch_and_absurd_ones_do_no_harm() {
        assert_eq!(
            time(-1, 500_000_000),
            UNIX_EPOCH - Duration::from_millis(500)
        );
        time(i64::MAX, i64::MAX);
        time(i64::MIN, i64::MIN);
    }
}
