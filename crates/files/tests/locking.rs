//! Large files: how they are held in memory without a copy, and what is kept of those that nobody wants any more.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::fs::{self, File};
use std::sync::Arc;
use std::time::{Duration, Instant};

use files::Body;
use files::Delivery::PageCache;
use support::{Ground, find, open, path};

/// How often a large file has to be wanted before it is held, at most.
const OFTEN: usize = 100;

/// Whether the limit on locked memory lets this process lock `bytes`; if not, says that the test is skipped.
fn can_lock(ground: &Ground, bytes: usize) -> bool {
    ground.write("probe.bin", vec![b'p'; bytes]);
    let probe = File::open(ground.at("probe.bin")).unwrap();
    let locked = sys::residency::Locked::new(std::os::fd::AsFd::as_fd(&probe), bytes as u64);
    if let Err(error) = &locked {
        eprintln!("skipped: cannot lock {bytes} bytes in memory ({error}); raise ulimit -l");
    }
    locked.is_ok()
}

#[test]
fn large_files_that_are_wanted_often_are_held_without_a_copy() {
    let ground = Ground::new();
    ground.write("large.bin", vec![b'l'; 100_000]);
    ground.write("larger.bin", vec![b'l'; 200_000]);
    if !can_lock(&ground, 200_000) {
        return;
    }
    let mut recipe = ground.recipe();
    recipe.content_cache_bytes = 1 << 20;
    let files = open(recipe.clone());
    let large = find(&files, "large.bin").unwrap();
    // Whoever must not wait does not lock; somebody is sent to fetch.
    let asked = (0..OFTEN).find(|_| files.try_load(&large, 0..100_000, PageCache).is_none());
    assert!(asked.is_some_and(|asked| asked > 1), "{asked:?}");
    assert!(files.kept(&large).is_none());
    files.make_resident(&large, 0..100_000, PageCache).unwrap();
    assert!(matches!(files.kept(&large), Some(Body::File)));
    assert!(matches!(
        files.try_load(&large, 0..100_000, PageCache),
        Some(Body::File)
    ));
    // Whoever may wait locks for himself.
    let files = open(recipe.clone());
    let large = find(&files, "large.bin").unwrap();
    let loaded = (0..OFTEN).find(|_| {
        assert!(matches!(
            files.load(&large, 0..large.len(), PageCache),
            Ok(Body::File)
        ));
        files.kept(&large).is_some()
    });
    assert!(loaded.is_some_and(|loaded| loaded > 1), "{loaded:?}");
    // One file must not fill the budget, and no budget holds nothing.
    recipe.content_cache_bytes = 0;
    for (files, name) in [(files, "larger.bin"), (open(recipe), "large.bin")] {
        let entry = find(&files, name).unwrap();
        for _ in 0..OFTEN {
            assert!(matches!(
                files.load(&entry, 0..entry.len(), PageCache),
                Ok(Body::File)
            ));
            assert!(files.try_load(&entry, 0..100_000, PageCache).is_some());
        }
        assert!(files.kept(&entry).is_none());
    }
}

/// How often a file was wanted is how often it was wanted whole, into however many pieces it is cut.
#[test]
fn one_crawl_locks_nothing() {
    let ground = Ground::new();
    ground.write("large.bin", vec![b'l'; 100_000]);
    if !can_lock(&ground, 100_000) {
        return;
    }
    let files = ground.open();
    let large = find(&files, "large.bin").unwrap();
    let crawl = |by_loop: bool| {
        for start in (0..100_000).step_by(1000) {
            if by_loop {
                files.try_load(&large, start..start + 1000, PageCache);
            } else {
                files.load(&large, start..start + 1000, PageCache).unwrap();
            }
        }
    };
    crawl(true);
    crawl(false);
    assert!(files.try_load(&large, 0..1000, PageCache).is_some());
    assert!(files.kept(&large).is_none());
    for _ in 0..16 {
        crawl(false);
    }
    assert!(files.kept(&large).is_some());
}

/// What nobody asks for is not kept open, neither by its name nor by its pages.
#[test]
fn names_that_are_not_used_give_their_descriptors_back() {
    let ground = Ground::new();
    for name in ["used.bin", "unused.bin"] {
        ground.write(name, vec![b'l'; 100_000]);
    }
    let lockable = can_lock(&ground, 200_000);
    let mut recipe = ground.recipe();
    recipe.name_cache_idle = Duration::from_secs(60);
    let files = open(recipe);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let [used, unused] = ["used.bin", "unused.bin"].map(|name| {
        let entry = files.find(path(name), start).unwrap();
        for _ in 0..OFTEN {
            files.load(&entry, 0..entry.len(), PageCache).unwrap();
        }
        assert_eq!(files.kept(&entry).is_some(), lockable);
        Arc::downgrade(&entry)
    });
    for seconds in (5..=120).step_by(5) {
        let entry = files.try_find(path("used.bin"), at(seconds)).unwrap();
        assert_eq!(files.kept(&entry).is_some(), lockable);
        files.close_idle(at(seconds));
        let open = unused.upgrade().is_some();
        assert!(
            open == (seconds <= 65) || (60..70).contains(&seconds),
            "{seconds}"
        );
    }
    assert!(used.upgrade().is_some());
    // Nothing refers to the deleted file any more: neither a descriptor nor a mapping.
    fs::remove_file(ground.at("unused.bin")).unwrap();
    for table in ["maps", "fd"] {
        let deleted = match table {
            "maps" => fs::read_to_string("/proc/self/maps").unwrap(),
            _ => fs::read_dir("/proc/self/fd")
                .unwrap()
                .filter_map(|fd| fs::read_link(fd.unwrap().path()).ok())
                .map(|link| link.display().to_string())
                .collect(),
        };
        let gone = format!("{}/unused.bin (deleted)", ground.root().display());
        assert!(!deleted.contains(&gone), "{table}");
    }
}

#[test]
fn a_file_that_was_replaced_or_deleted_keeps_no_space() {
    let ground = Ground::new();
    for name in ["replaced.bin", "deleted.bin"] {
        ground.write(name, vec![b'l'; 100_000]);
    }
    if !can_lock(&ground, 200_000) {
        return;
    }
    let mut recipe = ground.recipe();
    recipe.revalidate = Duration::ZERO;
    let files = open(recipe);
    for name in ["replaced.bin", "deleted.bin"] {
        let entry = find(&files, name).unwrap();
        for _ in 0..OFTEN {
            files.load(&entry, 0..entry.len(), PageCache).unwrap();
        }
        assert!(files.kept(&entry).is_some());
    }
    ground.write("new.bin", "new");
    fs::rename(ground.at("new.bin"), ground.at("replaced.bin")).unwrap();
    fs::remove_file(ground.at("deleted.bin")).unwrap();
    assert!(find(&files, "replaced.bin").is_ok());
    assert!(find(&files, "deleted.bin").is_err());
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let root = ground.root().display().to_string();
    let kept = maps
        .lines()
        .find(|line| line.contains(&root) && line.ends_with(" (deleted)"));
    assert_eq!(kept, None);
}

#[test]
fn locked_files_keep_to_the_budget_and_give_way_to_each_other() {
    let ground = Ground::new();
    for number in 0..20 {
        ground.write(&format!("{number}"), vec![b'x'; 100_000]);
    }
    if !can_lock(&ground, 1 << 20) {
        return;
    }
    let mut recipe = ground.recipe();
    recipe.content_cache_bytes = 1 << 20;
    let files = open(recipe);
    let mut held_once = 0;
    for number in 0..20 {
        let entry = find(&files, &number.to_string()).unwrap();
        for _ in 0..OFTEN {
            files.load(&entry, 0..entry.len(), PageCache).unwrap();
        }
        held_once += usize::from(files.kept(&entry).is_some());
    }
    let held = (0..20).filter(|number| {
        let entry = find(&files, &number.to_string()).unwrap();
        files.kept(&entry).is_some()
    });
    let held = held.count();
    assert!((1..=10).contains(&held), "{held}");
    assert!(held_once > held, "{held_once} were ever held");
}

#[test]
fn what_cannot_be_locked_is_served_all_the_same() {
    let ground = Ground::new();
    ground.write("large.bin", vec![b'l'; 100_000]);
    let files = ground.open();
    let large = find(&files, "large.bin").unwrap();
    // What is no longer there cannot be locked.
    let file = File::options().write(true).open(ground.at("large.bin"));
    file.unwrap().set_len(10).unwrap();
    for _ in 0..OFTEN {
        assert!(matches!(
            files.load(&large, 0..large.len(), PageCache),
            Ok(Body::File)
        ));
    }
    assert!(files.kept(&large).is_none());
    assert!(files.try_load(&large, 0..10, PageCache).is_some());
    for _ in 0..OFTEN {
        files.make_resident(&large, 0..10, PageCache).unwrap();
    }
}
