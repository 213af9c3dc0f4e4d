//! Who waits for the disk, and who never does.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::fs::File;
use std::time::{Duration, Instant};

use files::Delivery::PageCache;
use files::{Body, Slow};
use support::{Ground, find, memory, open, path};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn what_never_waits_never_waits() {
    let ground = Ground::new();
    ground.write("slow/small.txt", "small");
    ground.write("slow/large.bin", vec![b'l'; 100_000]);
    ground.write("quick.txt", "quick");
    let mut recipe = ground.recipe();
    // Longer than what never waits takes on any machine.
    let delay = Duration::from_secs(2);
    recipe.slow = Some(Slow {
        prefix: b"slow/".to_vec(),
        delay,
        every: 1,
    });
    recipe.revalidate = HOUR;
    let files = open(recipe);
    let timed = |what: &dyn Fn()| {
        let since = Instant::now();
        what();
        since.elapsed()
    };
    let now = Instant::now();
    assert!(timed(&|| assert!(find(&files, "quick.txt").is_ok())) < delay);
    let check = |name: &str| {
        let range = || 0..5;
        assert!(
            timed(&|| assert!(files.try_find(path(name), now).is_none())) < delay,
            "{name}"
        );
        assert!(
            timed(&|| assert!(find(&files, name).is_ok())) >= delay,
            "{name}"
        );
        assert!(
            timed(&|| assert!(files.try_find(path(name), now).is_some())) < delay,
            "{name}"
        );
        let entry = files.try_find(path(name), now).unwrap();
        // Found, but not read.
        assert!(
            timed(&|| assert!(files.try_load(&entry, range(), PageCache).is_none())) < delay,
            "{name}"
        );
        assert!(
            timed(&|| drop(files.make_resident(&entry, range(), PageCache).unwrap())) >= delay,
            "{name}"
        );
        assert!(
            timed(&|| assert!(files.try_load(&entry, range(), PageCache).is_some())) < delay,
            "{name}"
        );
        assert!(
            timed(&|| assert!(files.load(&entry, 0..entry.len(), PageCache).is_ok())) < delay,
            "{name}"
        );
    };
    std::thread::scope(|scope| {
        scope.spawn(|| check("slow/small.txt"));
        scope.spawn(|| check("slow/large.bin"));
        assert!(timed(&|| assert!(find(&files, "slow/nowhere").is_err())) >= delay);
    });
    // What is kept in memory is at hand even where the file has been opened afresh.
    let small = files.try_find(path("slow/small.txt"), now).unwrap();
    assert_eq!(memory(files.kept(&small)), b"small");
}

#[test]
fn fetching_makes_it_resident() {
    let ground = Ground::new();
    ground.write("large.bin", vec![b'l'; 3 << 20]);
    let file = File::open(ground.at("large.bin")).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let files = ground.open();
    let entry = find(&files, "large.bin").unwrap();
    // A file system without a disk keeps everything; elsewhere it is gone now.
    files.make_resident(&entry, 0..3 << 20, PageCache).unwrap();
    assert!(matches!(
        files.try_load(&entry, 0..3 << 20, PageCache),
        Some(Body::File)
    ));
    assert!(files::residency::method().is_some());
}
