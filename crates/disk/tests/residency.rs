//! Whether bytes are "in memory" while the disk is still reading them: an event loop that believed so would wait.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use disk::{Disk, Distribution, Model, Mounted};
use files::{Delivery, Files, Path, Recipe};
use sys::residency::cachestat;

const LEN: u64 = 100_000;

#[test]
fn what_is_still_being_read_is_not_at_hand() {
    if let Err(reason) = disk::available() {
        println!("skipped: {reason}");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("file"), vec![1; LEN as usize]).unwrap();
    let disk = Mounted::new(&Disk {
        root,
        mountpoint: place.path().join("disk"),
        model: Model {
            seek: Duration::from_millis(500),
            distribution: Distribution::Constant,
            transfer_bytes_per_s: 1 << 30,
            arms: 1,
            always_seek: false,
            seed: 1,
        },
        metadata_seek: false,
        read_ahead_bytes: 128 << 10,
    })
    .unwrap();
    let recipe = |content_cache_bytes| Recipe {
        root: files::Root::open(disk.mountpoint()).unwrap(),
        name_cache: 16,
        revalidate: Duration::from_secs(3600),
        header_cache: false,
        content_cache_bytes,
        content_cache_file_bytes: content_cache_bytes,
        name_cache_idle: Duration::from_secs(60),
        helper_memory_bytes: 1 << 20,
        dotfiles: false,
        lowest_descriptor: 0,
        slow: None,
        defect: None,
    };
    // With and without a content cache for it, the question is put in different ways.
    let path = Path {
        bytes: b"file",
        directory: false,
    };
    for content_cache in [0, 1 << 20] {
        let files = Files::open(recipe(content_cache), |_| ()).unwrap();
        let entry = files.find(path, Instant::now()).unwrap();
        let file = File::open(disk.mountpoint().join("file")).unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        assert!(
            files
                .try_load(&entry, 0..LEN, Delivery::PageCache)
                .is_none()
        );
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| file.read_exact_at(&mut [0; LEN as usize], 0).unwrap());
            // The pages are in the page cache as soon as the disk has been asked for them.
            while cachestat(file.as_fd(), 0..4096).is_ok_and(|cached| !cached) {
                std::thread::yield_now();
            }
            let asked = files.try_load(&entry, 0..4096, Delivery::PageCache);
            assert!(asked.is_none() || reader.is_finished());
        });
        assert!(
            files
                .try_load(&entry, 0..LEN, Delivery::PageCache)
                .is_some()
        );
    }
}
