//! Resolving a path beneath a directory, and nowhere else: by the kernel in one call, or segment by segment.
//!
//! Both give the same answers, and both follow symbolic links for as long as these stay beneath the directory: one that is
//! absolute, that climbs out, even if it comes back, or that is no path at all (`/proc/self/exe`) leads nowhere.

use std::fs::File;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The kernel gives up on a path with `..` in it (in a symbolic link) when something is renamed meanwhile; this
/// many times in a row would be an attack.
const RENAME_RETRIES: usize = 16;

/// Symbolic links that are followed on one way: the kernel's own limit.
const LINKS: usize = 40;

/// Bytes of a path that the kernel takes, with the NUL at its end.
const PATH_MAX: usize = 4096;

/// Who resolves paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    /// The kernel, by `openat2` with `RESOLVE_BENEATH` (Linux 5.6).
    Kernel,
    /// This process, by an `openat` with `O_NOFOLLOW` for each segment. Going up returns to the directory that it came down
    /// from, so that no directory is ever entered but by a name in one that was beneath the root.
    Walk,
}

impl Resolver {
    /// Opens what `path` names beneath `directory`.
    pub(crate) fn open(self, directory: &File, path: &[u8], flags: OFlags) -> Result<File, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        let mut retries = RENAME_RETRIES;
        loop {
            let opened = match self {
                Self::Kernel => open_by_kernel(directory, path, flags),
                Self::Walk => Walk::new(directory, path).and_then(|walk| walk.open(flags)),
            };
            match opened {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if retries > 0 => retries -= 1,
                opened => return opened,
            }
        }
    }
}

impl Resolver {
    /// What the kernel is told to refuse: whatever leads out of the directory, or is no path at all.
    pub fn flags() -> ResolveFlags {
        ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS
    }
}

fn open_by_kernel(directory: &File, path: &[u8], flags: OFlags) -> Result<File, Errno> {
    rustix::fs::openat2(directory, path, flags, Mode::empty(), Resolver::flags()).map(File::from)
}

/// A path on its way.
struct Walk<'a> {
    root: &'a File,
    /// The directories below the root that it is in, the innermost last.
    inside: Vec<File>,
    /// The segments that are left, the next one last. An empty one, as a slash at the end makes it, asks for a directory.
    ahead: Vec<Box<[u8]>>,
    links: usize,
}

impl<'a> Walk<'a> {
    fn new(root: &'a File, path: &[u8]) -> Result<Self, Errno> {
        let mut walk = Self {
            root,
            inside: Vec::new(),
            ahead: Vec::new(),
            links: 0,
        };
        walk.go(path)?;
        Ok(walk)
    }

    /// Puts the segments of `path` before those that are left.
    fn go(&mut self, path: &[u8]) -> Result<(), Errno> {
        match path.first() {
            None => return Err(Errno::NOENT),
            Some(b'/') => return Err(Errno::XDEV),
            Some(_) if path.len() >= PATH_MAX => return Err(Errno::NAMETOOLONG),
            Some(_) => {}
        }
        let segments = path.rsplit(|&byte| byte == b'/');
        self.ahead.extend(segments.map(Box::from));
        Ok(())
    }

    fn open(mut self, flags: OFlags) -> Result<File, Errno> {
        while let Some(segment) = self.ahead.pop() {
            match &*segment {
                b"" | b"." => {}
                b".." => {
                    self.inside.pop().ok_or(Errno::XDEV)?;
                }
                name => {
                    if let Some(opened) = self.enter(name, flags)? {
                        return Ok(opened);
                    }
                }
            }
        }
        // It ends in a directory.
        open_in(self.here(), b".", flags)
    }

    fn here(&self) -> &File {
        self.inside.last().unwrap_or(self.root)
    }

    /// Goes on into a directory or along a link; or opens what is no directory, if nothing is to follow.
    fn enter(&mut self, name: &[u8], flags: OFlags) -> Result<Option<File>, Errno> {
        let found = open_in(self.here(), name, OFlags::PATH | OFlags::CLOEXEC)?;
        match FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode) {
            FileType::Directory => self.inside.push(found),
            FileType::Symlink => {
                self.links += 1;
                if self.links > LINKS {
                    return Err(Errno::LOOP);
                }
                let target = rustix::fs::readlinkat(&found, "", Vec::new())?;
                self.go(target.as_bytes())?;
            }
            _ if !self.ahead.is_empty() => return Err(Errno::NOTDIR),
            _ if flags.contains(OFlags::PATH) => return Ok(Some(found)),
            _ => {
                return match open_in(self.here(), name, flags) {
                    // A link has taken its place meanwhile.
                    Err(Errno::LOOP) => Err(Errno::AGAIN),
                    opened => opened.map(Some),
                };
            }
        }
        Ok(None)
    }
}

fn open_in(directory: &File, name: &[u8], flags: OFlags) -> Result<File, Errno> {
    let flags = flags | OFlags::NOFOLLOW;
    rustix::fs::openat(directory, name, flags, Mode::empty()).map(File::from)
}
