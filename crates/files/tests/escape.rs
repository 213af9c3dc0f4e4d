//! Whatever a path is made of, and whatever happens to the tree meanwhile, nothing outside the root is ever opened.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use files::{Files, Path, Resolver};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::{Ground, Header, OnDrop, contents, open, place, tree};

/// What segments of paths are made of: names in the tree, links of all kinds, and bytes that mean something elsewhere.
const SEGMENTS: [&[u8]; 22] = [
    b"a",
    b"b",
    b"c.txt",
    b"up",
    b"up2",
    b"inside",
    b"out",
    b"out-file",
    b"absolute",
    b"absolute-in",
    b"loop",
    b"self",
    b"proc",
    b"index.html",
    b"...",
    b"..\\",
    b"%2e%2e",
    b"\xff\xfe",
    b"a\nb",
    b"*",
    b"secret.txt",
    b"root",
];

/// Links of which some target lies outside, so that what is beyond them is refused even where it leads back inside.
const LEADING_OUT: [&[u8]; 6] = [
    b"out",
    b"out-file",
    b"absolute",
    b"absolute-in",
    b"proc",
    b"up2",
];

/// Holds what was found under `bytes` against what the file system says itself.
fn check(ground: &Ground, files: &Files<Header>, bytes: &[u8]) -> Result<(), TestCaseError> {
    let root = ground.root();
    let real = fs::canonicalize(root.join(OsStr::from_bytes(bytes)));
    let real = real
        .ok()
        .filter(|real| real.starts_with(&root) && real.is_file());
    let found = files.find(
        Path {
            bytes,
            directory: false,
        },
        Instant::now(),
    );
    match (&found, &real) {
        (Ok(entry), Some(real)) => {
            prop_assert_eq!(&place(entry), real);
            prop_assert_eq!(
                entry.file.metadata().unwrap().ino(),
                real.metadata().unwrap().ino()
            );
        }
        (Ok(entry), None) => prop_assert!(false, "{:?} was opened", place(entry)),
        (Err(_), None) => {}
        (Err(missing), Some(real)) => {
            let out = bytes
                .split(|&byte| byte == b'/')
                .any(|segment| LEADING_OUT.contains(&segment));
            prop_assert!(out, "{real:?} is {missing:?}");
        }
    }
    Ok(())
}

fn no_path_leads_out(resolver: Resolver) {
    let ground = tree();
    let mut recipe = ground.resolved_by(resolver);
    // Both from the cache and not: a few names fit.
    recipe.name_cache = 20;
    recipe.dotfiles = true;
    let files = open(recipe);
    let segment = prop_oneof![
        8 => prop::sample::select(&SEGMENTS[..]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>().prop_filter("no separator, no end", |byte| !matches!(byte, 0 | b'/')), 1..5)
            .prop_filter("normalised", |segment| !matches!(&segment[..], b"." | b"..")),
    ];
    let paths = prop::collection::vec(segment, 1..8).prop_map(|segments| segments.join(&b'/'));
    let config = Config {
        cases: 5000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner
        .run(&paths, |path| check(&ground, &files, &path))
        .unwrap();
}

/// The classic attack: a directory is moved out while a path with `..` in it is on its way through.
fn not_even_while_directories_are_moved(resolver: Resolver) {
    let ground = Ground::new();
    ground.write("a/b/d/file.txt", "inside");
    ground.write("secret.txt", "inside");
    ground.link("a/b/d/two-up", "../../secret.txt");
    ground.link("a/b/d/three-up", "../../../secret.txt");
    ground.link("a/swapped", "b/d/file.txt");
    fs::create_dir_all(ground.outside().join("x")).unwrap();
    fs::write(ground.outside().join("x/secret.txt"), "secret").unwrap();
    let mut recipe = ground.resolved_by(resolver);
    recipe.name_cache = 0;
    let files = open(recipe);
    let over = AtomicBool::new(false);
    let (mut opened, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        // Also when the test fails, which must not wait for ever.
        let _over = OnDrop(&over);
        scope.spawn(|| {
            let (home, away) = (ground.at("a/b/d"), ground.outside().join("x/d"));
            let (file, link) = (ground.at("a/swapped"), ground.at("a/other"));
            std::os::unix::fs::symlink(ground.outside().join("secret.txt"), &link).unwrap();
            while !over.load(Relaxed) {
                fs::rename(&home, &away).unwrap();
                fs::rename(&away, &home).unwrap();
                // A link inside and a link out trade places.
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, &file, rustix::fs::CWD, &link, flags)
                    .unwrap();
            }
        });
        let deadline = Instant::now() + std::time::Duration::from_secs(20);
        let mut number = 0;
        while number < 20_000 || opened == 0 || refused == 0 {
            assert!(
                Instant::now() < deadline,
                "{opened} opened, {refused} refused: nothing happens meanwhile"
            );
            number += 1;
            let path = [
                "a/b/d/two-up",
                "a/b/d/three-up",
                "a/b/d/file.txt",
                "a/swapped",
            ][number % 4];
            match files.find(
                Path {
                    bytes: path.as_bytes(),
                    directory: false,
                },
                Instant::now(),
            ) {
                Ok(entry) => {
                    assert_eq!(contents(&entry), b"inside", "{path}");
                    opened += 1;
                }
                Err(_) => refused += 1,
            }
        }
    });
}

/// Marsaglia, Xorshift RNGs, 2003.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as usize % bound
    }

    fn path(&mut self, names: &[&[u8]], longest: usize) -> Vec<u8> {
        let length = 1 + self.below(longest);
        let names: Vec<&[u8]> = (0..length)
            .map(|_| names[self.below(names.len())])
            .collect();
        names.join(&b'/')
    }
}

/// Two things in the tree trade places, or one is moved out, and then back.
fn rearrange(ground: &Ground, random: &mut Random) {
    let root = ground.root();
    // Where it really is, so that the way back is the same.
    let mut place = || {
        let path = root.join(OsStr::from_bytes(&random.path(&SEGMENTS[..13], 3)));
        let parent = fs::canonicalize(path.parent()?).ok()?;
        let place = parent.join(path.file_name()?);
        (parent.starts_with(&root) && place.symlink_metadata().is_ok()).then_some(place)
    };
    let (Some(one), Some(other)) = (place(), place()) else {
        return;
    };
    if one.is_dir() && !one.is_symlink() {
        let away = ground.outside().join("moved");
        fs::rename(&one, &away).unwrap();
        fs::rename(&away, &one).unwrap();
        return;
    }
    let exchange = || {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(rustix::fs::CWD, &one, rustix::fs::CWD, &other, flags)
    };
    // Not if one lies within the other.
    if exchange().is_ok() {
        exchange().unwrap();
    }
}

/// Whatever is in the tree is now here, now there, now outside, where every name of the tree is that of a secret: one step that is
/// taken outside finds it.
fn nor_while_anything_is_anywhere(resolver: Resolver) {
    const SECRET: &[u8] = b"secret";
    let ground = tree();
    let outside = ground.outside();
    for directory in ["", "a", "a/b", "a/b/a", "b"] {
        let directory = outside.join(directory);
        fs::create_dir_all(&directory).unwrap();
        for name in ["c.txt", "index.html", "..\\", "a\nb", "*"] {
            fs::write(directory.join(name), SECRET).unwrap();
        }
    }
    // What is moved out comes to lie beside these, and what was inside it would lead to them.
    for name in ["c.txt", "index.html"] {
        fs::write(outside.parent().unwrap().join(name), SECRET).unwrap();
    }
    let mut recipe = ground.resolved_by(resolver);
    recipe.name_cache = 0;
    let files = open(recipe);
    let over = AtomicBool::new(false);
    let mut opened = 0;
    std::thread::scope(|scope| {
        let _over = OnDrop(&over);
        scope.spawn(|| {
            let mut random = Random(1999);
            while !over.load(Relaxed) {
                rearrange(&ground, &mut random);
            }
        });
        let mut random = Random(2004);
        for _ in 0..30_000 {
            let path = random.path(&SEGMENTS, 6);
            let directory = random.below(4) == 0;
            let found = files.find(
                Path {
                    bytes: &path,
                    directory,
                },
                Instant::now(),
            );
            if let Ok(entry) = found {
                let path = path.escape_ascii();
                assert_ne!(contents(&entry), SECRET, "{path}");
                opened += 1;
            }
        }
    });
    assert!(opened > 1000, "only {opened} were opened");
}

mod by_the_kernel {
    use files::Resolver::Kernel;

    #[test]
    fn no_path_leads_out() {
        super::no_path_leads_out(Kernel);
    }

    #[test]
    fn not_even_while_directories_are_moved() {
        super::not_even_while_directories_are_moved(Kernel);
    }

    #[test]
    fn nor_while_anything_is_anywhere() {
        super::nor_while_anything_is_anywhere(Kernel);
    }
}

mod segment_by_segment {
    use files::Resolver::Walk;

    #[test]
    fn no_path_leads_out() {
        super::no_path_leads_out(Walk);
    }

    #[test]
    fn not_even_while_directories_are_moved() {
        super::not_even_while_directories_are_moved(Walk);
    }

    #[test]
    fn nor_while_anything_is_anywhere() {
        super::nor_while_anything_is_anywhere(Walk);
    }
}
