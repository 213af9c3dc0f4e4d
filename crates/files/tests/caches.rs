//! Names, headers and contents: what is remembered, for how long, and what it may cost.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use files::Delivery::PageCache;
use files::{Body, Missing};
use support::{Ground, OnDrop, contents, find, memory, open, outcome, path};

#[test]
fn a_name_is_used_until_it_is_to_be_looked_up_afresh() {
    let ground = Ground::new();
    ground.write("file.txt", "old");
    let mut recipe = ground.recipe();
    recipe.revalidate = Duration::from_secs(10);
    let files = open(recipe);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let it = path("file.txt");
    assert!(files.try_find(it, start).is_none());
    let old = files.find(it, at(1)).unwrap();
    ground.write("new.txt", "new!");
    fs::rename(ground.at("new.txt"), ground.at("file.txt")).unwrap();
    for seconds in [1, 5, 10] {
        assert!(
            Arc::ptr_eq(&files.try_find(it, at(seconds)).unwrap(), &old),
            "after {seconds} s"
        );
        assert!(
            Arc::ptr_eq(&files.find(it, at(seconds)).unwrap(), &old),
            "after {seconds} s"
        );
    }
    assert!(files.try_find(it, at(11)).is_none());
    let new = files.find(it, at(11)).unwrap();
    assert_eq!((contents(&new), new.len()), (b"new!".to_vec(), 4));
    // Whoever still has the old one still has its bytes.
    assert_eq!(contents(&old), b"old");
    assert!(Arc::ptr_eq(&files.try_find(it, at(20)).unwrap(), &new));
    fs::remove_file(ground.at("file.txt")).unwrap();
    assert_eq!(outcome(&files.find(it, at(30))), Err(Missing::NotFound));
    assert!(
        files.try_find(it, at(11)).is_none(),
        "what is gone is forgotten"
    );
}

#[test]
fn a_file_that_has_not_changed_stays_open() {
    let ground = Ground::new();
    ground.write("file.txt", "it");
    let mut recipe = ground.recipe();
    recipe.revalidate = Duration::ZERO;
    let files = open(recipe);
    let first = find(&files, "file.txt").unwrap();
    let second = find(&files, "file.txt").unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert!(
        files.try_find(path("file.txt"), Instant::now()).is_none(),
        "nothing is known without asking"
    );
}

#[test]
fn each_change_makes_another_file_of_it() {
    let ground = Ground::new();
    ground.write("file.txt", "aaaa");
    let mut recipe = ground.recipe();
    recipe.revalidate = Duration::ZERO;
    let files = open(recipe);
    let mut last = find(&files, "file.txt").unwrap();
    let modified = fs::metadata(ground.at("file.txt"))
        .unwrap()
        .modified()
        .unwrap();
    let open_for_writing = || {
        File::options()
            .write(true)
            .open(ground.at("file.txt"))
            .unwrap()
    };
    let changes: [(&str, &dyn Fn()); 4] = [
        ("grown", &|| ground.write("file.txt", "aaaaaaaa")),
        ("cut", &|| open_for_writing().set_len(4).unwrap()),
        ("as long as before, its time set back", &|| {
            ground.write("file.txt", "bbbb");
            open_for_writing().set_modified(modified).unwrap();
        }),
        ("replaced by its like", &|| {
            ground.write("other.txt", "bbbb");
            File::options()
                .write(true)
                .open(ground.at("other.txt"))
                .unwrap()
                .set_modified(modified)
                .unwrap();
            fs::rename(ground.at("other.txt"), ground.at("file.txt")).unwrap();
        }),
    ];
    for (change, apply) in changes {
        // The clock that files are stamped with ticks every few milliseconds.
        std::thread::sleep(Duration::from_millis(20));
        apply();
        let now = find(&files, "file.txt").unwrap();
        assert!(!Arc::ptr_eq(&now, &last), "{change}");
        let expected = fs::read(ground.at("file.txt")).unwrap();
        assert_eq!(
            memory(files.load(&now, 0..now.len(), PageCache).ok()),
            expected,
            "{change}"
        );
        assert_eq!(files.header(&now).len, expected.len() as u64, "{change}");
        last = now;
    }
}

#[test]
fn no_more_names_than_were_asked_for() {
    let ground = Ground::new();
    for number in 0..200 {
        ground.write(&format!("{number}"), "it");
    }
    for limit in [0, 1, 10, 100] {
        let mut recipe = ground.recipe();
        recipe.name_cache = limit;
        let files = open(recipe);
        for number in 0..200 {
            find(&files, &number.to_string()).unwrap();
        }
        let now = Instant::now();
        let known = (0..200)
            .filter(|number| files.try_find(path(&number.to_string()), now).is_some())
            .count();
        assert!(known <= limit, "{known} of {limit}");
        assert!(limit < 10 || known > 0, "none of {limit}");
    }
}

#[test]
fn small_files_are_kept_in_memory_and_large_ones_are_not() {
    let ground = Ground::new();
    ground.write("small.bin", vec![b's'; 8192]);
    ground.write("large.bin", vec![b'l'; 8193]);
    ground.write("empty.bin", "");
    ground.settle();
    let files = ground.open();
    let small = find(&files, "small.bin").unwrap();
    assert!(files.kept(&small).is_none());
    assert_eq!(
        memory(files.load(&small, 0..small.len(), PageCache).ok()),
        vec![b's'; 8192]
    );
    assert_eq!(memory(files.kept(&small)), vec![b's'; 8192]);
    let large = find(&files, "large.bin").unwrap();
    assert!(matches!(
        files.load(&large, 0..large.len(), PageCache),
        Ok(Body::File)
    ));
    assert!(files.kept(&large).is_none());
    assert!(find(&files, "empty.bin").unwrap().is_empty());
    let mut recipe = ground.recipe();
    recipe.content_cache_bytes = 0;
    let files = open(recipe);
    let small = find(&files, "small.bin").unwrap();
    assert!(matches!(
        files.load(&small, 0..small.len(), PageCache),
        Ok(Body::File)
    ));
    assert!(files.kept(&small).is_none());
}

#[test]
fn contents_keep_to_their_budget() {
    let ground = Ground::new();
    let size = |number: usize| 1 + number * 97 % 8000;
    for number in 0..300 {
        ground.write(&format!("{number}"), vec![b'x'; size(number)]);
    }
    ground.settle();
    for budget in [1, 10_000, 100_000] {
        let mut recipe = ground.recipe();
        recipe.content_cache_bytes = budget;
        recipe.name_cache = 300;
        let files = open(recipe);
        let mut most = 0;
        for number in 0..300 {
            let entry = find(&files, &number.to_string()).unwrap();
            assert!(files.load(&entry, 0..entry.len(), PageCache).is_ok());
            if number % 20 == 0 {
                let kept = (0..=number)
                    .filter_map(|number| files.kept(&*find(&files, &number.to_string()).ok()?));
                let bytes: usize = kept.map(|body| memory(Some(body)).len()).sum();
                assert!(bytes as u64 <= budget, "{bytes} of {budget}");
                most = most.max(bytes);
            }
        }
        assert!(budget < 10_000 || most > 0, "nothing is kept of {budget}");
    }
}

#[test]
fn headers_are_computed_once_or_each_time() {
    let ground = Ground::new();
    ground.write("file.txt", "12345");
    let files = ground.open();
    let entry = find(&files, "file.txt").unwrap();
    let (first, second) = (
        &*files.header(&entry) as *const support::Header,
        &*files.header(&entry) as *const support::Header,
    );
    assert_eq!(first, second);
    assert_eq!(files.header(&entry).len, 5);
    let mut recipe = ground.recipe();
    recipe.header_cache = false;
    let files = open(recipe);
    let entry = find(&files, "file.txt").unwrap();
    assert!(matches!(files.header(&entry), files::Header::Fresh(_)));
    assert_eq!(files.header(&entry).len, 5);
}

#[test]
fn a_file_with_two_names_has_a_header_for_each() {
    let ground = Ground::new();
    ground.write("page.txt", "it");
    fs::hard_link(ground.at("page.txt"), ground.at("page.html")).unwrap();
    ground.link("page.css", "page.txt");
    let files = ground.open();
    for name in ["page.txt", "page.html", "page.css", "page.txt"] {
        let entry = find(&files, name).unwrap();
        assert_eq!(files.header(&entry).name, name.as_bytes());
    }
}

#[test]
fn a_file_that_changed_just_now_is_not_kept_yet() {
    let ground = Ground::new();
    let mut recipe = ground.recipe();
    recipe.revalidate = Duration::ZERO;
    let files = open(recipe);
    let shown = (0..1000).any(|_| {
        let since = Instant::now();
        ground.write("file.txt", "it");
        let entry = find(&files, "file.txt").unwrap();
        assert_eq!(
            memory(files.load(&entry, 0..entry.len(), PageCache).ok()),
            b"it"
        );
        let kept = files.kept(&entry).is_some();
        // A machine that is busy elsewhere may have taken its time, and then it may be kept.
        let just_now = since.elapsed() < Duration::from_millis(5);
        assert!(!(just_now && kept));
        just_now
    });
    assert!(shown, "it takes too long to read a file");
    ground.settle();
    let entry = find(&files, "file.txt").unwrap();
    assert_eq!(
        memory(files.load(&entry, 0..entry.len(), PageCache).ok()),
        b"it"
    );
    assert_eq!(memory(files.kept(&entry)), b"it");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_kept() {
    let ground = Ground::new();
    ground.write("file.bin", vec![b'a'; 8000]);
    let mut recipe = ground.recipe();
    recipe.revalidate = Duration::ZERO;
    let files = open(recipe);
    let entry = find(&files, "file.bin").unwrap();
    File::options()
        .write(true)
        .open(ground.at("file.bin"))
        .unwrap()
        .set_len(100)
        .unwrap();
    // It was found with 8000 bytes: whoever sends it from the file meets its end there.
    assert!(matches!(
        files.load(&entry, 0..entry.len(), PageCache),
        Ok(Body::File)
    ));
    assert!(files.kept(&entry).is_none());
    let entry = find(&files, "file.bin").unwrap();
    assert_eq!(
        memory(files.load(&entry, 0..entry.len(), PageCache).ok()),
        vec![b'a'; 100]
    );
    // Writers and readers at the same time: whatever is kept under a state is of one writing.
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _over = OnDrop(&over);
        scope.spawn(|| {
            let mut letter = b'a';
            while !over.load(Relaxed) {
                letter = if letter == b'z' { b'a' } else { letter + 1 };
                ground.write("next.bin", vec![letter; 4000 + usize::from(letter)]);
                fs::rename(ground.at("next.bin"), ground.at("file.bin")).unwrap();
            }
        });
        for _ in 0..3000 {
            let entry = find(&files, "file.bin").unwrap();
            if let Ok(Body::Memory { bytes, .. }) = files.load(&entry, 0..entry.len(), PageCache) {
                let letter = bytes[0];
                assert_eq!(bytes.len() as u64, entry.len());
                assert!(
                    bytes.iter().all(|&byte| byte == letter),
                    "two states in one"
                );
            }
        }
    });
}

#[test]
fn threads_share_one_cache() {
    let ground = Ground::new();
    for number in 0..50 {
        ground.write(&format!("{number}"), format!("file {number}"));
    }
    let files = ground.open();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let files = &files;
            scope.spawn(move || {
                for round in 0..500 {
                    let number = (round * 7 + thread * 13) % 50;
                    let entry = find(files, &number.to_string()).unwrap();
                    assert_eq!(
                        memory(files.load(&entry, 0..entry.len(), PageCache).ok()),
                        format!("file {number}").as_bytes()
                    );
                }
            });
        }
    });
}
