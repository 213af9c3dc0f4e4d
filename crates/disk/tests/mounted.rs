//! A mounted disk: what costs a seek, what costs nothing, and who waits for whom.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::Duration;

use disk::{Counts, Disk, Distribution, Left, Model, Mounted};
use rustix::fs::{Advice, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, ReadWriteFlags};
use sys::residency::{cachestat, mincore};
use tempfile::TempDir;

const LARGE: usize = 300_000;

/// A disk over a small site; unmounted before its directories are removed.
struct Site {
    disk: Option<Mounted>,
    place: TempDir,
}

impl Site {
    /// None, with a notice, where nothing can be mounted.
    fn new(seek: Duration, arms: usize) -> Option<Self> {
        if let Err(reason) = disk::available() {
            println!("skipped: {reason}");
            return None;
        }
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        std::fs::create_dir_all(root.join("inside/deeper")).unwrap();
        for name in ["a", "b", "c", "d"] {
            std::fs::write(root.join(name), name.repeat(5000)).unwrap();
        }
        std::fs::write(root.join("inside/deeper/file"), b"deep").unwrap();
        let large: Vec<u8> = (0..LARGE).map(|at| (at / 7 % 251) as u8).collect();
        std::fs::write(root.join("large"), large).unwrap();
        std::os::unix::fs::symlink("inside/deeper", root.join("link")).unwrap();
        let disk = Mounted::new(&Disk {
            root,
            mountpoint: place.path().join("disk"),
            model: Model {
                seek,
                distribution: Distribution::Constant,
                transfer_bytes_per_s: 1 << 30,
                arms,
                always_seek: false,
                seed: 1,
            },
            metadata_seek: true,
            read_ahead_bytes: 128 << 10,
        });
        Some(Self {
            disk: Some(disk.unwrap()),
            place,
        })
    }

    fn quick() -> Option<Self> {
        Self::new(Duration::from_micros(100), 1)
    }

    fn disk(&self) -> &Mounted {
        self.disk.as_ref().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.disk().mountpoint().join(name)
    }

    fn beneath(&self, name: &str) -> PathBuf {
        self.place.path().join("root").join(name)
    }

    /// How many requests of any kind `what` takes: reads, metadata, and those that cost nothing.
    fn requests(&self, what: impl FnOnce()) -> (u64, u64, u64) {
        let count = |counts: Counts| (counts.reads.count, counts.metadata.count, counts.free);
        let before = count(self.disk().counts());
        what();
        let after = count(self.disk().counts());
        (after.0 - before.0, after.1 - before.1, after.2 - before.2)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.disk.take());
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn the_disk_has_what_is_beneath_and_cannot_be_written() {
    let Some(site) = Site::quick() else { return };
    for name in ["a", "large", "inside/deeper/file", "link/file"] {
        assert_eq!(read(&site.path(name)), read(&site.beneath(name)), "{name}");
    }
    let names = |path: PathBuf| {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(site.path("")), names(site.beneath("")));
    assert_eq!(names(site.path("inside")), ["deeper"]);
    let (on_disk, beneath) = (site.path("large"), site.beneath("large"));
    let (on_disk, beneath) = (on_disk.metadata().unwrap(), beneath.metadata().unwrap());
    assert_eq!(on_disk.len(), beneath.len());
    assert_eq!(on_disk.modified().unwrap(), beneath.modified().unwrap());
    assert_eq!(on_disk.permissions(), beneath.permissions());

    let missing = File::open(site.path("missing")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let written = std::fs::write(site.path("a"), b"new").unwrap_err();
    assert_eq!(written.kind(), io::ErrorKind::ReadOnlyFilesystem);
}

#[test]
fn what_is_cold_costs_and_what_is_warm_does_not() {
    let Some(site) = Site::quick() else { return };
    let root = File::open(site.path("")).unwrap();
    let open = || {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let path = "inside/deeper/file";
        File::from(rustix::fs::openat2(&root, path, flags, Mode::empty(), resolve).unwrap())
    };
    let find_and_read = || {
        let file = open();
        assert_eq!(file.metadata().unwrap().len(), 4);
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"deep");
    };
    // Two directories and a file; then its only page. The kernel learns here that opening and closing need no asking.
    let (reads, metadata, _) = site.requests(find_and_read);
    assert_eq!((reads, metadata), (1, 3));
    for _ in 0..3 {
        assert_eq!(site.requests(find_and_read), (0, 0, 0));
    }
    // What is not there is remembered as well.
    let miss = || assert!(!site.path("missing").exists());
    assert_eq!(site.requests(miss), (0, 1, 0));
    assert_eq!(site.requests(miss), (0, 0, 0));

    let forget_pages = || rustix::fs::fadvise(open(), 0, None, Advice::DontNeed).unwrap();
    assert_eq!(site.requests(forget_pages), (0, 0, 0));
    assert_eq!(site.requests(find_and_read), (1, 0, 0));
}

#[test]
fn whether_pages_are_in_memory_can_be_asked() {
    let Some(site) = Site::quick() else { return };
    let file = File::open(site.path("large")).unwrap();
    let resident = || {
        let by_mincore = mincore(file.as_fd(), 0..LARGE as u64).unwrap();
        if let Ok(by_cachestat) = cachestat(file.as_fd(), 0..LARGE as u64) {
            assert_eq!(by_cachestat, by_mincore);
        }
        by_mincore
    };
    assert!(!resident());
    // The first pages, and what is read ahead of them, are not all of it.
    file.read_exact_at(&mut [0; 10], 0).unwrap();
    assert!(!resident());
    io::copy(&mut &file, &mut io::sink()).unwrap();
    assert!(resident());
    // Opening does not throw pages away.
    let other = File::open(site.path("large")).unwrap();
    assert!(resident());
    rustix::fs::fadvise(&other, 0, None, Advice::DontNeed).unwrap();
    assert!(!resident());

    // Why the questions above are needed: FUSE does not know the cheap one, not even for what is there.
    file.read_exact_at(&mut [0; 10], 0).unwrap();
    let answer = rustix::io::preadv2(
        &file,
        &mut [IoSliceMut::new(&mut [0; 10])],
        0,
        ReadWriteFlags::NOWAIT,
    );
    assert!(matches!(answer, Err(Errno::OPNOTSUPP) | Ok(10)));
}

#[test]
fn what_is_warm_is_served_while_the_arm_is_busy() {
    let Some(site) = Site::new(Duration::from_millis(300), 1) else {
        return;
    };
    read(&site.path("a"));
    let (finished, order) = std::sync::mpsc::channel();
    let started = Barrier::new(2);
    std::thread::scope(|scope| {
        let (site, started, cold) = (&site, &started, finished.clone());
        scope.spawn(move || {
            started.wait();
            read(&site.path("b"));
            cold.send("cold").unwrap();
        });
        started.wait();
        for _ in 0..3 {
            read(&site.path("a"));
            finished.send("warm").unwrap();
        }
    });
    let order: Vec<_> = order.try_iter().collect();
    assert_eq!(order, ["warm", "warm", "warm", "cold"]);
}

#[test]
fn as_many_requests_are_served_at_a_time_as_there_are_arms() {
    let longest_wait = |arms| {
        let site = Site::new(Duration::from_millis(300), arms)?;
        // The root's own attributes.
        site.path("").metadata().unwrap();
        let before = site.disk().counts().metadata;
        let together = Barrier::new(4);
        std::thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let (path, together) = (site.path(name), &together);
                scope.spawn(move || {
                    together.wait();
                    path.metadata().unwrap();
                });
            }
        });
        let after = site.disk().counts().metadata;
        assert_eq!(after.count - before.count, 4);
        Some(after.max_wait)
    };
    let (Some(one), Some(four)) = (longest_wait(1), longest_wait(4)) else {
        return;
    };
    assert_eq!(four, Duration::ZERO);
    // Some of the four came while another was being served, however slow this machine.
    assert!(one > Duration::ZERO);
}

#[test]
fn a_disk_in_use_is_taken_away_all_the_same() {
    let Some(mut site) = Site::quick() else {
        return;
    };
    let open = File::open(site.path("b")).unwrap();
    let path = site.path("a");
    assert!(path.exists());
    assert_eq!(site.disk.take().unwrap().unmount().unwrap(), Left::InUse);
    assert!(!path.exists());
    drop(open);

    let Some(mut site) = Site::quick() else {
        return;
    };
    let path = site.path("a");
    assert_eq!(read(&path).len(), 5000);
    assert_eq!(site.disk.take().unwrap().unmount().unwrap(), Left::Unused);
    assert!(!path.exists());
}
