//! Changes that leave little trace, or none, are seen within `revalidate` all the same.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod namespace;
mod support;

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use files::{Body, Delivery, Entry, Files, Recipe, Root};
use support::{Ground, Header, contents, find, open, path};
use sys::mapping::Writer;

const REVALIDATE: Duration = Duration::from_secs(1);

fn held(files: &Files<Header>, entry: &Entry<Header>) -> Option<Vec<u8>> {
    match files.kept(entry) {
        Some(Body::Memory { bytes, .. }) => Some(bytes.to_vec()),
        Some(other) => panic!("{other:?}"),
        None => None,
    }
}

fn loaded(files: &Files<Header>, entry: &Entry<Header>) -> Vec<u8> {
    match files
        .load(entry, 0..entry.len(), Delivery::PageCache)
        .unwrap()
    {
        Body::Memory { bytes, .. } => bytes.to_vec(),
        _ => contents(entry),
    }
}

/// Writes to a file through a mapping, again and again, and looks at what is served.
fn is_seen(root: &Path, name_cache: usize) {
    std::fs::write(root.join("file.txt"), "state 0").unwrap();
    let file = File::options()
        .read(true)
        .write(true)
        .open(root.join("file.txt"));
    let file = file.unwrap();
    let mut writer = Writer::new(file.as_fd()).unwrap();
    // From the first write on, the page may be written to without another stamp.
    writer.write(b"state 1");
    // Until the clock that stamps files has ticked.
    let ground = Ground::new();
    ground.settle();
    let files = open(Recipe {
        root: Root::open(root).unwrap(),
        revalidate: REVALIDATE,
        name_cache,
        ..ground.recipe()
    });
    let mut now = Instant::now();
    let mut tags = std::collections::HashSet::new();
    for state in 2..8 {
        let entry = files.find(path("file.txt"), now).unwrap();
        let text = loaded(&files, &entry);
        assert_eq!(text, format!("state {}", state - 1).as_bytes());
        assert_eq!(held(&files, &entry).as_deref(), Some(&text[..]), "not held");
        let header = files.header(&entry);
        assert!(
            tags.insert((header.changed, header.revision)),
            "one tag for two states"
        );
        // Whoever remembers names reads nothing afresh before it is time.
        writer.write(format!("state {state}").as_bytes());
        let again = files.find(path("file.txt"), now + REVALIDATE / 2).unwrap();
        assert!(name_cache == 0 || held(&files, &again) == Some(text));
        if state % 2 == 0 {
            // The next write is the first again, and stamped.
            writer.sync().unwrap();
        }
        ground.settle();
        now += REVALIDATE;
    }
}

#[test]
fn what_is_written_through_a_mapping() {
    for name_cache in [100, 0] {
        let ground = Ground::new();
        is_seen(&ground.root(), name_cache);
    }
}

/// There, a mapping leaves no stamp at all.
#[test]
fn and_in_memory() {
    namespace::with_mounts("and_in_memory", || {
        for name_cache in [100, 0] {
            let Some(mount) = namespace::tmpfs() else {
                return;
            };
            is_seen(mount.path(), name_cache);
        }
    });
}

/// And in a container.
#[test]
fn and_in_an_overlay() {
    namespace::with_mounts("and_in_an_overlay", || {
        let ground = Ground::new();
        let Some((merged, _above)) = namespace::overlay(&ground.root()) else {
            return;
        };
        is_seen(merged.path(), 100);
    });
}

/// What was found under one name is not older than what was found under another.
#[test]
fn names_of_one_file_are_fresh_alike() {
    let ground = Ground::new();
    ground.write("file.txt", "state 0");
    std::fs::hard_link(ground.at("file.txt"), ground.at("other.txt")).unwrap();
    let file = File::options()
        .read(true)
        .write(true)
        .open(ground.at("file.txt"));
    let mut writer = Writer::new(file.unwrap().as_fd()).unwrap();
    writer.write(b"state 1");
    ground.settle();
    let files = open(Recipe {
        revalidate: REVALIDATE,
        ..ground.recipe()
    });
    let start = Instant::now();
    let entry = files.find(path("file.txt"), start).unwrap();
    assert_eq!(loaded(&files, &entry), b"state 1");
    writer.write(b"state 2");
    let late = start + REVALIDATE * 9 / 10;
    let other = files.find(path("other.txt"), late).unwrap();
    assert_eq!(loaded(&files, &other), b"state 1");
    assert!(files.try_find(path("other.txt"), late).is_some());
    let then = start + REVALIDATE;
    assert!(files.try_find(path("other.txt"), then).is_none());
    let other = files.find(path("other.txt"), then).unwrap();
    assert_eq!(loaded(&files, &other), b"state 2");
}

/// Where stamps are of whole seconds, or of two, a file may change unseen for as long.
#[test]
fn a_coarse_stamp_is_not_trusted_at_once() {
    namespace::with_mounts("a_coarse_stamp_is_not_trusted_at_once", || {
        let ground = Ground::new();
        let Some(disk) = namespace::ext4_with_small_inodes(&ground.outside()) else {
            return;
        };
        let write = |text: &str| std::fs::write(disk.path().join("file.txt"), text).unwrap();
        let files = open(Recipe {
            root: Root::open(disk.path()).unwrap(),
            revalidate: Duration::ZERO,
            ..ground.recipe()
        });
        // At the beginning of a second, so that both states are of one.
        let second = || std::time::UNIX_EPOCH.elapsed().unwrap().subsec_millis();
        while second() > 100 {
            std::thread::sleep(Duration::from_millis(5));
        }
        for text in ["one", "two"] {
            write(text);
            std::thread::sleep(Duration::from_millis(100));
            let entry = find(&files, "file.txt").unwrap();
            assert_eq!(loaded(&files, &entry), text.as_bytes());
            assert_eq!(held(&files, &entry), None, "{text}");
        }
        std::thread::sleep(Duration::from_millis(2_200));
        let entry = find(&files, "file.txt").unwrap();
        assert_eq!(loaded(&files, &entry), b"two");
        assert_eq!(held(&files, &entry).unwrap(), b"two");
    });
}
