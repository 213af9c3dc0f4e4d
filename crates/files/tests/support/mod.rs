//! A document root to look things up in.

// Each test file uses a part of it.
#![allow(dead_code, reason = "every test binary has a copy of its own")]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use files::{Entry, Files, Missing, Path, Recipe, Resolver};
use tempfile::TempDir;

/// What the header cache keeps here.
#[derive(Debug)]
pub(crate) struct Header {
    /// Length of the file that it is of.
    pub(crate) len: u64,
    /// The name that it was asked for by.
    pub(crate) name: Vec<u8>,
    /// What tells it from other states of the file.
    pub(crate) changed: (i64, u32),
    pub(crate) revision: u64,
}

/// What holds for one of them holds for the other.
pub(crate) const RESOLVERS: [Resolver; 2] = [Resolver::Kernel, Resolver::Walk];

/// A root, with something beside it that must never be seen.
pub(crate) struct Ground {
    directory: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("root")).unwrap();
        fs::create_dir(directory.path().join("outside")).unwrap();
        fs::write(directory.path().join("outside/secret.txt"), "secret").unwrap();
        fs::write(directory.path().join("secret.txt"), "secret").unwrap();
        Self { directory }
    }

    pub(crate) fn root(&self) -> PathBuf {
        fs::canonicalize(self.directory.path().join("root")).unwrap()
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.directory.path().join("outside")
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join("root").join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn link(&self, name: &str, target: impl AsRef<std::path::Path>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// Waits until what was written may be held: for a moment a file could change and bear the same times.
    pub(crate) fn settle(&self) {
        std::thread::sleep(Duration::from_millis(40));
    }

    pub(crate) fn recipe(&self) -> Recipe {
        Recipe {
            root: files::Root::open(self.root()).unwrap(),
            name_cache: 100,
            revalidate: Duration::from_secs(3600),
            header_cache: true,
            content_cache_bytes: 1 << 20,
            content_cache_file_bytes: 8 << 10,
            name_cache_idle: Duration::from_secs(60),
            helper_memory_bytes: 1 << 20,
            dotfiles: false,
            lowest_descriptor: 0,
            slow: None,
            defect: None,
        }
    }

    /// As [`recipe`](Self::recipe), with a resolver of one's choice.
    pub(crate) fn resolved_by(&self, resolver: Resolver) -> Recipe {
        Recipe {
            root: files::Root::open_with(self.root(), resolver).unwrap(),
            ..self.recipe()
        }
    }

    pub(crate) fn open(&self) -> Files<Header> {
        open(self.recipe())
    }
}

pub(crate) fn open(recipe: Recipe) -> Files<Header> {
    let describe = |file: &files::Metadata<'_>| Header {
        len: file.len,
        name: file.name.into(),
        changed: file.changed,
        revision: file.revision,
    };
    Files::open(recipe, describe).unwrap()
}

/// The path that `text` is after normalising: a slash at its end means a directory.
pub(crate) fn path(text: &str) -> Path<'_> {
    match text.strip_suffix('/') {
        Some(directory) => Path {
            bytes: directory.as_bytes(),
            directory: true,
        },
        None => Path {
            bytes: text.as_bytes(),
            directory: text.is_empty(),
        },
    }
}

pub(crate) type Found = Result<Arc<Entry<Header>>, Missing>;

pub(crate) fn find(files: &Files<Header>, text: &str) -> Found {
    files.find(path(text), Instant::now())
}

/// What went wrong, or what is in the file.
pub(crate) fn outcome(found: &Found) -> Result<Vec<u8>, Missing> {
    match found {
        Ok(entry) => Ok(contents(entry)),
        Err(missing) => Err(*missing),
    }
}

pub(crate) fn contents(entry: &Entry<Header>) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let length = rustix::io::pread(&entry.file, &mut bytes[..], 0).unwrap();
    bytes.truncate(length);
    bytes
}

/// The bytes of a body that is held.
pub(crate) fn memory(body: Option<files::Body>) -> Vec<u8> {
    match body {
        Some(files::Body::Memory { bytes, .. }) => bytes.to_vec(),
        other => panic!("{other:?} is not in memory"),
    }
}

/// Where the kernel says that an open file is.
pub(crate) fn place(entry: &Entry<Header>) -> PathBuf {
    fs::read_link(format!("/proc/self/fd/{}", entry.file.as_raw_fd())).unwrap()
}

/// A root with links of all kinds on every floor: within, out, absolute, in circles.
pub(crate) fn tree() -> Ground {
    let ground = Ground::new();
    for directory in ["", "a/", "a/b/", "a/b/a/"] {
        let name = |name: &str| format!("{directory}{name}");
        ground.write(&name("c.txt"), name("c.txt"));
        ground.write(&name("index.html"), name("index.html"));
        ground.link(
            &name("inside"),
            if directory.is_empty() { "a/b" } else { "." },
        );
        ground.link(&name("up"), if directory.is_empty() { "a" } else { ".." });
        ground.link(&name("up2"), "../../..");
        ground.link(&name("out"), "../../../../../../../../../..");
        ground.link(&name("out-file"), ground.outside().join("secret.txt"));
        ground.link(&name("absolute"), ground.outside());
        ground.link(&name("absolute-in"), ground.root());
        ground.link(&name("loop"), "self");
        ground.link(&name("self"), "loop");
        ground.link(&name("proc"), "/proc/self/cwd");
    }
    for odd in [&b"..\\"[..], b"\xff\xfe", b"a\nb", b"*"] {
        fs::write(ground.root().join(OsStr::from_bytes(odd)), "odd").unwrap();
    }
    ground
}

/// Says that it is over when it is dropped: a scope whose threads wait for that comes to an end even if a test fails.
pub(crate) struct OnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
