//! The directory that is served: which it may be, and finding it again when it was lost.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod fuse;
mod namespace;
mod support;

use std::fs;
use std::time::Duration;

use files::{Missing, Root};
use fuse::Manner;
use support::{Ground, find, open, outcome};

#[test]
fn a_root_that_cannot_be_served_is_told_at_once() {
    let ground = Ground::new();
    ground.write("file.txt", "file");
    for root in [ground.at("nowhere"), ground.at("file.txt")] {
        assert!(Root::open(root).is_err());
    }
}

#[test]
fn a_root_is_a_directory_and_not_a_name_unless_it_is_deleted() {
    let ground = Ground::new();
    ground.write("file.txt", "old");
    let mut recipe = ground.recipe();
    recipe.root = Root::open(ground.root()).unwrap();
    recipe.revalidate = std::time::Duration::ZERO;
    let files = open(recipe);
    let away = ground.root().with_extension("away");
    fs::rename(ground.root(), &away).unwrap();
    ground.write("file.txt", "new");
    let found =
        |name| find(&files, name).map(|entry| std::io::read_to_string(&entry.file).unwrap());
    assert_eq!(found("file.txt").as_deref(), Ok("old"));
    fs::remove_dir_all(away).unwrap();
    assert_eq!(found("file.txt").as_deref(), Ok("new"));
    fs::remove_dir_all(ground.root()).unwrap();
    assert_eq!(found("file.txt"), Err(Missing::NotFound));
    ground.write("file.txt", "newer");
    assert_eq!(found("file.txt").as_deref(), Ok("newer"));
}

/// Links to directories are not counted there, so that a deleted one does not look deleted.
#[test]
fn a_root_in_an_overlay_is_found_again() {
    namespace::with_mounts("a_root_in_an_overlay_is_found_again", || {
        let ground = Ground::new();
        ground.write("dir/file.txt", "old");
        let Some((merged, _above)) = namespace::overlay(&ground.root()) else {
            return;
        };
        let root = merged.path().join("dir");
        let mut recipe = ground.recipe();
        recipe.root = Root::open(&root).unwrap();
        recipe.revalidate = Duration::ZERO;
        let files = open(recipe);
        let found = || outcome(&find(&files, "file.txt"));
        assert_eq!(found().unwrap(), b"old");
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found(), Err(Missing::NotFound));
        fs::create_dir(&root).unwrap();
        fs::write(root.join("file.txt"), "new").unwrap();
        assert_eq!(found().unwrap(), b"new");
    });
}

#[test]
fn a_file_system_that_went_and_came_back_is_served_again() {
    namespace::with_mounts(
        "a_file_system_that_went_and_came_back_is_served_again",
        || {
            let ground = Ground::new();
            ground.write("mount/place.txt", "nothing is mounted");
            ground.write("mount/dir/place.txt", "nothing is mounted");
            for (root, file) in [("mount", "file.txt"), ("", "mount/file.txt")] {
                let mount = || fuse::mount(&ground.at("mount"), Manner::Cached);
                let Some(mut mounted) = mount() else { return };
                let mut recipe = ground.recipe();
                recipe.root = Root::open(ground.at(root)).unwrap();
                recipe.revalidate = Duration::ZERO;
                let files = open(recipe);
                let found = || outcome(&find(&files, file));
                assert_eq!(found().unwrap(), fuse::CONTENTS);
                for _ in 0..2 {
                    // What serves it ends, and only then its mount.
                    mounted.end();
                    assert_eq!(found(), Err(Missing::Failed));
                    mounted.unmount();
                    assert_eq!(found(), Err(Missing::NotFound));
                    mounted = mount().unwrap();
                    assert_eq!(found().unwrap(), fuse::CONTENTS, "root {root:?}");
                }
                // Nobody asked while it was away: what is open of the old one is known and dead, and has the same numbers.
                mounted.end();
                mounted.unmount();
                mounted = mount().unwrap();
                assert_eq!(found().unwrap(), fuse::CONTENTS, "root {root:?}");
                mounted.end();
                mounted.unmount();
            }
        },
    );
}
