//! Bytes are read once, on whatever file system they are, and whoever must not wait never does.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod fuse;
mod namespace;
mod support;

use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use files::{Body, Delivery, Entry, Files, Recipe, Root};
use fuse::{LARGE, Manner};
use rustix::fs::Advice;
use rustix::io::Errno;
use support::{Ground, Header, find, open};

/// What is sent at a time.
const PIECE: u64 = 256 << 10;

/// Serves a root without a content cache: with one, whatever is small enough is read once anyway.
fn serve(root: &Path, ground: &Ground) -> Files<Header> {
    open(Recipe {
        root: Root::open(root).unwrap(),
        content_cache_bytes: 0,
        ..ground.recipe()
    })
}

/// What an event loop with a helper has to send of `range`; and whether it took the helper.
fn at_hand(files: &Files<Header>, entry: &Entry<Header>, range: Range<u64>) -> (Body, bool) {
    match files.try_load(entry, range.clone(), Delivery::PageCache) {
        Some(body) => (body, false),
        None => {
            let body = files.make_resident(entry, range, Delivery::PageCache);
            (body.unwrap(), true)
        }
    }
}

/// The bytes of `range` that are in memory of ours.
fn in_memory(body: &Body, range: Range<u64>) -> Option<&[u8]> {
    match body {
        Body::Memory { bytes, start } => {
            let within = |at: u64| ((at - start) as usize).min(bytes.len());
            Some(&bytes[within(range.start)..within(range.end)])
        }
        Body::File => None,
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    from_file: u64,
    from_memory: u64,
    helped: u64,
    /// Bytes that this thread read until all was at hand.
    read: u64,
}

/// Has all of a file sent, piece by piece.
fn send(files: &Files<Header>, entry: &Entry<Header>) -> Sent {
    let mut sent = Sent::default();
    let before = bytes_read();
    let mut at = 0;
    while at < entry.len() {
        let range = at..entry.len().min(at + PIECE);
        let (body, helped) = at_hand(files, entry, range.clone());
        sent.helped += u64::from(helped);
        match in_memory(&body, range.clone()) {
            Some(bytes) => {
                let expected = &fuse::large()[range.start as usize..][..bytes.len()];
                assert!(bytes == expected, "other bytes at {at}");
                sent.from_memory += bytes.len() as u64;
                at += bytes.len() as u64;
            }
            None => {
                sent.from_file += range.end - range.start;
                at = range.end;
            }
        }
    }
    sent.read = bytes_read() - before;
    sent
}

/// Bytes that this thread has read so far.
fn bytes_read() -> u64 {
    let counts = fs::read_to_string("/proc/thread-self/io").unwrap();
    let count = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
    count.unwrap().parse().unwrap()
}

/// A twentieth of what is sent.
const SLACK: u64 = LARGE / 20;

/// Sends a file that has left the memory, as far as its file system lets it, and again.
#[track_caller]
fn is_read_once(files: &Files<Header>, name: &str) {
    let entry = find(files, name).unwrap();
    let file = &entry.file;
    file.sync_all().unwrap();
    rustix::fs::fadvise(file, 0, None, Advice::DontNeed).unwrap();
    let cold = send(files, &entry);
    assert_eq!(cold.from_file, LARGE, "{cold:?}");
    assert!(cold.read <= LARGE + SLACK, "{cold:?}");
    let warm = send(files, &entry);
    assert_eq!((warm.from_file, warm.helped), (LARGE, 0), "{warm:?}");
    assert!(warm.read <= SLACK, "{warm:?}");
}

#[test]
fn from_the_disk_at_hand() {
    let ground = Ground::new();
    ground.write("large.bin", fuse::large());
    is_read_once(&serve(&ground.root(), &ground), "large.bin");
}

#[test]
fn from_memory() {
    namespace::with_mounts("from_memory", || {
        let ground = Ground::new();
        let Some(mount) = namespace::tmpfs() else {
            return;
        };
        let at = |name: &str| mount.path().join(name);
        // Reading a hole leaves nothing behind, and says nothing about the others.
        File::create(at("hole.bin"))
            .unwrap()
            .set_len(PIECE)
            .unwrap();
        let files = serve(mount.path(), &ground);
        let hole = find(&files, "hole.bin").unwrap();
        for _ in 0..3 {
            let before = bytes_read();
            let (body, helped) = at_hand(&files, &hole, 0..PIECE);
            assert!(helped && in_memory(&body, 0..PIECE) == Some(&[0; PIECE as usize]));
            assert!(bytes_read() - before <= PIECE + SLACK);
        }
        fs::write(at("large.bin"), fuse::large()).unwrap();
        for _ in 0..2 {
            let sent = send(&files, &find(&files, "large.bin").unwrap());
            assert_eq!(sent.from_file + sent.from_memory, LARGE);
            assert!(sent.read <= LARGE + SLACK, "{sent:?}");
        }
        is_read_once(&files, "large.bin");
        let (body, _) = at_hand(&files, &hole, 0..PIECE);
        assert!(in_memory(&body, 0..PIECE).is_some());
        is_read_once(&files, "large.bin");
    });
}

#[test]
fn from_an_overlay() {
    namespace::with_mounts("from_an_overlay", || {
        let ground = Ground::new();
        ground.write("below.bin", fuse::large());
        let Some((merged, _above)) = namespace::overlay(&ground.root()) else {
            return;
        };
        fs::write(merged.path().join("above.bin"), fuse::large()).unwrap();
        let files = serve(merged.path(), &ground);
        // What is in memory is believed to be, from the first question on.
        let above = find(&files, "above.bin").unwrap();
        let warm = send(&files, &above);
        assert_eq!((warm.from_file, warm.helped), (LARGE, 0), "{warm:?}");
        is_read_once(&files, "below.bin");
    });
}

#[test]
fn through_fuse_with_a_page_cache() {
    namespace::with_mounts("through_fuse_with_a_page_cache", || {
        let ground = Ground::new();
        ground.write("mount/.place", "");
        let Some(mounted) = fuse::mount(&ground.at("mount"), Manner::Cached) else {
            return;
        };
        let files = serve(&ground.at("mount"), &ground);
        is_read_once(&files, "large.bin");
        let asked = mounted.wires.read_bytes.load(Relaxed);
        assert!(asked <= LARGE + SLACK, "{asked}");
    });
}

#[test]
fn through_fuse_without_one() {
    namespace::with_mounts("through_fuse_without_one", || {
        let ground = Ground::new();
        ground.write("mount/.place", "");
        let Some(mounted) = fuse::mount(&ground.at("mount"), Manner::Direct) else {
            return;
        };
        let files = serve(&ground.at("mount"), &ground);
        let entry = find(&files, "large.bin").unwrap();
        for round in 1..=3 {
            let sent = send(&files, &entry);
            assert_eq!((sent.from_memory, sent.from_file), (LARGE, 0), "{sent:?}");
            let asked = mounted.wires.read_bytes.load(Relaxed);
            assert!(asked <= round * (LARGE + SLACK), "{asked}");
        }
    });
}

#[test]
fn memory_of_ours_is_bounded() {
    namespace::with_mounts("memory_of_ours_is_bounded", || {
        let ground = Ground::new();
        ground.write("mount/.place", "");
        let Some(_mounted) = fuse::mount(&ground.at("mount"), Manner::Direct) else {
            return;
        };
        let mut recipe = ground.recipe();
        recipe.root = Root::open(ground.at("mount")).unwrap();
        recipe.content_cache_bytes = 0;
        recipe.helper_memory_bytes = 2 * PIECE;
        let files = open(recipe);
        let entry = find(&files, "large.bin").unwrap();
        let lent = || match at_hand(&files, &entry, 0..PIECE) {
            (Body::Memory { bytes, start: 0 }, true) => bytes,
            other => panic!("{other:?}"),
        };
        let mut all: Vec<_> = (0..4).map(|_| lent()).collect();
        let lengths: Vec<_> = all.iter().map(|bytes| bytes.len() as u64).collect();
        assert_eq!(lengths, [PIECE, PIECE, 16 << 10, 16 << 10]);
        // What is given back is lent again, and is the same memory.
        let first = all.remove(0);
        let place = first.as_ptr();
        drop(first);
        let again = lent();
        assert_eq!((again.len() as u64, again.as_ptr()), (PIECE, place));
    });
}

#[test]
fn what_has_to_be_seen_comes_in_memory_of_ours() {
    let ground = Ground::new();
    ground.write("large.bin", fuse::large());
    ground.write("small.txt", "small");
    let files = ground.open();
    for name in ["large.bin", "small.txt"] {
        let entry = find(&files, name).unwrap();
        let range = 0..entry.len().min(PIECE);
        let body = files.make_resident(&entry, range.clone(), Delivery::Memory);
        let expected = fs::read(ground.at(name)).unwrap();
        assert!(body.is_ok_and(|body| {
            in_memory(&body, range.clone()) == Some(&expected[..range.end as usize])
        }));
        let loaded = files.load(&entry, range.clone(), Delivery::Memory);
        assert!(matches!(loaded, Ok(Body::Memory { start: 0, .. })));
        let tried = files.try_load(&entry, range, Delivery::Memory);
        assert!(matches!(tried, Some(Body::Memory { start: 0, .. })));
    }
}

/// A disk that fails is one thing, a client who is slow is another.
#[test]
fn a_failing_file_is_told_from_a_failing_client() {
    namespace::with_mounts("a_failing_file_is_told_from_a_failing_client", || {
        let ground = Ground::new();
        ground.write("mount/.place", "");
        for (manner, content_cache) in [
            (Manner::Cached, 0),
            (Manner::Cached, 1 << 20),
            (Manner::Direct, 0),
            (Manner::Direct, 1 << 20),
        ] {
            let Some(mounted) = fuse::mount(&ground.at("mount"), manner) else {
                return;
            };
            let mut recipe = ground.recipe();
            recipe.root = Root::open(ground.at("mount")).unwrap();
            recipe.content_cache_bytes = content_cache;
            for error in [Errno::IO, Errno::AGAIN] {
                let files = open(recipe.clone());
                for name in ["large.bin", "file.txt"] {
                    mounted.fail(error);
                    let entry = find(&files, name).unwrap();
                    let range = 0..entry.len().min(PIECE);
                    // Before anything is promised: a 500, whoever asks.
                    assert!(
                        files
                            .try_load(&entry, range.clone(), Delivery::PageCache)
                            .is_none()
                    );
                    let told = [
                        files.load(&entry, range.clone(), Delivery::PageCache),
                        files.load(&entry, range.clone(), Delivery::Memory),
                        files.make_resident(&entry, range.clone(), Delivery::PageCache),
                        files.make_resident(&entry, range.clone(), Delivery::Memory),
                    ];
                    for told in told {
                        let kind = told.unwrap_err().kind();
                        assert_ne!(kind, std::io::ErrorKind::WouldBlock, "{name}");
                    }
                    // While it is sent.
                    assert!(entry.blame(0).is_some());
                    mounted.mend();
                    assert!(entry.blame(0).is_none());
                    // It is opened anew, and may be readable again.
                    let again = find(&files, name).unwrap();
                    assert!(!std::sync::Arc::ptr_eq(&entry, &again));
                    assert!(
                        files
                            .load(&again, range.clone(), Delivery::PageCache)
                            .is_ok()
                    );
                    // So that it is not in memory when it fails next.
                    rustix::fs::fadvise(&again.file, 0, None, Advice::DontNeed).unwrap();
                }
            }
        }
    });
}
