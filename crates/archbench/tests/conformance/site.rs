//! What is served: a tree with one of everything that a path can name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};
use tempfile::TempDir;
use workload::content;

use crate::client::Answer;

/// Length of `large.bin`: more than every buffer on its way together.
pub(crate) const LARGE: u64 = 12 << 20;
/// Length of `medium.bin`: too large for the content cache, and more than one piece of what is sent at a time.
pub(crate) const MEDIUM: u64 = 1_300_001;
/// Length of `kept.bin`: in the content cache, and sent beside its head.
pub(crate) const KEPT: u64 = 8000;
/// Length of `sparse.bin`, a hole but for what [`AFTER_4_GIB`] and the end hold.
pub(crate) const SPARSE: u64 = (5 << 30) + 7;
/// Where in `sparse.bin` the word `needle` stands.
const AFTER_4_GIB: u64 = (4 << 30) + 100;
/// Sunday, 06 November 1994, 08:49:37 GMT, and 255 ns.
const MODIFIED: Timespec = Timespec {
    tv_sec: 784_111_777,
    tv_nsec: 255,
};

/// The tree. Nothing in it changes; tests that change files have a tree of their own.
pub(crate) struct Site {
    directory: TempDir,
    _socket: UnixListener,
}

impl Site {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["dir", "dir/deep", "bare", ".dotdir", "spaced dir", "closed"] {
            fs::create_dir(at(name)).unwrap();
        }
        for (name, text) in [
            ("index.html", "<p>root</p>\n"),
            ("file.txt", "abcdefghijklmnopqrstuvwxyz"),
            ("again.txt", "again\n"),
            ("empty.txt", ""),
            ("dir/index.html", "<p>dir</p>\n"),
            ("dir/inner.txt", "inner\n"),
            ("dir/deep/x.css", "p {}\n"),
            ("bare/file.txt", "bare\n"),
            ("spaced dir/index.html", "<p>spaced</p>\n"),
            ("a b.txt", "a b\n"),
            ("100%.txt", "percent\n"),
            (".hidden", "hidden\n"),
            (".dotdir/file.txt", "hidden\n"),
            ("dir/.hidden", "hidden\n"),
            ("forbidden.txt", "forbidden\n"),
            ("closed/file.txt", "closed\n"),
        ] {
            fs::write(at(name), text).unwrap();
        }
        for (name, length) in [
            ("large.bin", LARGE),
            ("medium.bin", MEDIUM),
            ("kept.bin", KEPT),
        ] {
            fs::write(at(name), contents(name, length)).unwrap();
        }
        let odd = directory
            .path()
            .join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe.txt"));
        fs::write(odd, "odd\n").unwrap();
        let sparse = File::create(at("sparse.bin")).unwrap();
        sparse.set_len(SPARSE).unwrap();
        sparse.write_all_at(b"needle", AFTER_4_GIB).unwrap();
        sparse.write_all_at(b"the end", SPARSE - 7).unwrap();
        for (link, target) in [
            ("link.txt", "file.txt"),
            ("dir/up.txt", "../file.txt"),
            ("linked-dir", "dir"),
            ("chain.txt", "dir/up.txt"),
            ("styled.css", "file.txt"),
            ("out.txt", "/etc/passwd"),
            ("out-dir", "/etc"),
            ("climb.txt", "../../../../../../../../etc/passwd"),
            (
                "there-and-back.txt",
                "dir/../../../../../../../../etc/passwd",
            ),
            ("loop-a", "loop-b"),
            ("loop-b", "loop-a"),
            ("dangling", "nowhere"),
            ("magic", "/proc/self/root"),
            ("dir/to-fifo", "../fifo"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        mknodat(
            CWD,
            at("fifo"),
            FileType::Fifo,
            Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        let socket = UnixListener::bind(at("socket")).unwrap();
        fs::set_permissions(at("forbidden.txt"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o000)).unwrap();
        modified_in_1994(directory.path());
        Self {
            directory,
            _socket: socket,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }
}

/// Gives every file below `directory` the same time, so that answers are the same whenever they are asked for.
fn modified_in_1994(directory: &Path) {
    let times = Timestamps {
        last_access: MODIFIED,
        last_modification: MODIFIED,
    };
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        // Whoever is not root may not look into the closed one, in which nothing is read anyhow.
        if entry.file_type().unwrap().is_dir() && entry.file_name() != "closed" {
            modified_in_1994(&entry.path());
        } else {
            utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
        }
    }
}

/// What `name` holds, if it is so long.
pub(crate) fn contents(name: &str, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    content::fill(content::key(1, name), 0, &mut bytes);
    bytes
}

/// Whether `bytes` are those of `name` from `offset` on.
#[track_caller]
pub(crate) fn assert_contents(name: &str, offset: u64, bytes: &[u8]) {
    // Kept, because making them takes a build without optimisation longer than serving them.
    static KNOWN: Mutex<BTreeMap<String, Arc<[u8]>>> = Mutex::new(BTreeMap::new());
    let end = offset + bytes.len() as u64;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let all = known.entry(name.to_owned()).or_default();
    if (all.len() as u64) < end {
        *all = contents(name, end.max(if name == "large.bin" { LARGE } else { 0 })).into();
    }
    let all = Arc::clone(all);
    drop(known);
    let start = usize::try_from(offset).unwrap();
    if all[start..start + bytes.len()] != *bytes {
        let wrong = content::verify(content::key(1, name), offset, bytes);
        panic!("{name} is wrong at {wrong:?}");
    }
}

/// A tree of a test's own, whose files may change.
pub(crate) struct Garden {
    directory: TempDir,
}

impl Garden {
    pub(crate) fn new() -> Self {
        let garden = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        garden.allow("", 0o755);
        garden
    }

    /// Changes who may read a file.
    pub(crate) fn allow(&self, name: &str, mode: u32) {
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file in place.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("below the root")).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Puts another file in its place.
    pub(crate) fn replace(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.write(".new", bytes);
        fs::rename(self.at(".new"), self.at(name)).unwrap();
    }

    pub(crate) fn truncate(&self, name: &str, length: u64) {
        File::options()
            .write(true)
            .open(self.at(name))
            .unwrap()
            .set_len(length)
            .unwrap();
    }

    pub(crate) fn append(&self, name: &str, bytes: &[u8]) {
        use std::io::Write;
        File::options()
            .append(true)
            .open(self.at(name))
            .unwrap()
            .write_all(bytes)
            .unwrap();
    }
}

/// A file that is held as a copy, one of the page cache, and one that takes several turns.
pub(crate) const OF_ALL_LENGTHS: [(&str, u64); 3] = [
    ("kept.bin", KEPT),
    ("medium.bin", MEDIUM),
    ("large.bin", LARGE),
];

/// Asks for each of them twice, the second time out of whatever caches there are, and holds each answer to what the file has.
#[track_caller]
pub(crate) fn assert_of_all_lengths(mut ask: impl FnMut(String) -> Answer) {
    for (name, length) in OF_ALL_LENGTHS.repeat(2) {
        let answer = ask(format!("GET /{name} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let found = (answer.status, answer.body.len() as u64);
        assert_eq!(found, (200, length), "{name}");
        assert_contents(name, 0, &answer.body);
    }
}

/// Asks for what is in a file of zeroes beyond 4 GiB.
#[track_caller]
pub(crate) fn assert_beyond_4_gib(mut ask: impl FnMut(String) -> Answer) {
    let start = AFTER_4_GIB - 100_000;
    let end = AFTER_4_GIB + 1_000_000;
    let answer = ask(format!(
        "GET /sparse.bin HTTP/1.1\r\nHost: h\r\nRange: bytes={start}-{end}\r\n\r\n"
    ));
    let found = (answer.status, answer.body.len() as u64);
    assert_eq!(found, (206, end - start + 1));
    let needle = answer.body.windows(6).position(|bytes| bytes == b"needle");
    assert_eq!(needle, Some(100_000));
    assert_eq!(answer.body.iter().filter(|&&byte| byte != 0).count(), 6);
}

/// Asks for parts anywhere in those files, the same ones each time, and holds each answer to what the file has there.
#[track_caller]
pub(crate) fn assert_ranges_anywhere(mut ask: impl FnMut(String) -> Answer) {
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        // Knuth's generator for 64 bits: any will do here.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for (name, length) in OF_ALL_LENGTHS {
        for _ in 0..15 {
            let start = random(length);
            let end = (start + random(length.min(2 << 20))).min(length - 1);
            let answer = ask(format!(
                "GET /{name} HTTP/1.1\r\nHost: h\r\nRange: bytes={start}-{end}\r\n\r\n"
            ));
            assert_eq!(
                (answer.status, answer.body.len() as u64),
                (206, end - start + 1),
                "{name} {start}-{end}"
            );
            let range = format!("bytes {start}-{end}/{length}");
            assert_eq!(answer.field("content-range"), Some(&range[..]), "{name}");
            assert_contents(name, start, &answer.body);
        }
    }
}
