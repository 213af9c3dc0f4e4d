//! Which file a path names, against a real file system.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod sandbox;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use files::{Missing, Path, Resolver, Root};
use rustix::fs::{CWD, FileType, Mode, inotify, mknodat};
use rustix::io::Errno;
use support::{Ground, RESOLVERS, contents, find, open, outcome};

#[track_caller]
fn names(ground: &Ground, text: &str, expected: Result<&str, Missing>) {
    for resolver in RESOLVERS {
        let files = open(ground.resolved_by(resolver));
        let found = outcome(&find(&files, text));
        let expected = expected.map(|text| text.as_bytes().to_vec());
        assert_eq!(found, expected, "{text:?} by {resolver:?}");
    }
}

#[test]
fn files_and_directories() {
    let ground = Ground::new();
    ground.write("index.html", "root");
    ground.write("file.txt", "file");
    ground.write("dir/index.html", "dir");
    ground.write("bare/file.txt", "below");
    ground.write("odd/index.html/file.txt", "the index is a directory");
    ground.write("deep/a/b/c/d.txt", "deep");
    names(&ground, "", Ok("root"));
    names(&ground, "index.html", Ok("root"));
    names(&ground, "file.txt", Ok("file"));
    names(&ground, "dir/", Ok("dir"));
    names(&ground, "dir", Err(Missing::NeedsSlash));
    names(&ground, "dir/index.html", Ok("dir"));
    names(&ground, "bare/file.txt", Ok("below"));
    names(&ground, "bare", Err(Missing::NotFound));
    names(&ground, "bare/", Err(Missing::NotFound));
    names(&ground, "odd", Err(Missing::NotFound));
    names(&ground, "odd/", Err(Missing::NotFound));
    names(&ground, "deep/a/b/c/d.txt", Ok("deep"));
    names(&ground, "file.txt/", Err(Missing::NotFound));
    names(&ground, "file.txt/below", Err(Missing::NotFound));
    names(&ground, "nowhere", Err(Missing::NotFound));
    names(&ground, "nowhere/", Err(Missing::NotFound));
    names(&ground, &"n".repeat(256), Err(Missing::NotFound));
    names(&ground, &"n/".repeat(4000), Err(Missing::NotFound));
}

#[test]
fn names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let ground = Ground::new();
    let name = b"\xff\n\x01%2e\\";
    fs::write(ground.root().join(std::ffi::OsStr::from_bytes(name)), "odd").unwrap();
    for resolver in RESOLVERS {
        let files = open(ground.resolved_by(resolver));
        let path = Path {
            bytes: name,
            directory: false,
        };
        assert_eq!(contents(&files.find(path, Instant::now()).unwrap()), b"odd");
        // No path from the network holds a NUL; if one did, the system would not be asked.
        let nul = Path {
            bytes: b"odd\0name",
            directory: false,
        };
        let found = files.find(nul, Instant::now());
        assert_eq!(found.unwrap_err(), Missing::NotFound);
    }
}

#[test]
fn symbolic_links() {
    let ground = Ground::new();
    ground.write("file.txt", "file");
    ground.write("dir/index.html", "dir");
    ground.write("dir/inner.txt", "inner");
    ground.link("link.txt", "file.txt");
    ground.link("dir/up.txt", "../file.txt");
    ground.link("chain.txt", "dir/up.txt");
    ground.link("to-dir", "dir");
    ground.link("out.txt", "../secret.txt");
    ground.link("dir/out.txt", "../../secret.txt");
    ground.link("absolute.txt", ground.outside().join("secret.txt"));
    ground.link("out", "../outside");
    ground.link("around.txt", "../root/file.txt");
    ground.link("loop-a", "loop-b");
    ground.link("loop-b", "loop-a");
    ground.link("self", "self");
    ground.link("dangling", "nowhere");
    ground.link("root-link", ".");
    names(&ground, "link.txt", Ok("file"));
    names(&ground, "dir/up.txt", Ok("file"));
    names(&ground, "chain.txt", Ok("file"));
    names(&ground, "to-dir", Err(Missing::NeedsSlash));
    names(&ground, "to-dir/", Ok("dir"));
    names(&ground, "to-dir/inner.txt", Ok("inner"));
    names(&ground, "root-link/root-link/file.txt", Ok("file"));
    for out in [
        "out.txt",
        "dir/out.txt",
        "to-dir/out.txt",
        "absolute.txt",
        "out",
        "out/",
        "out/secret.txt",
        "loop-a",
        "self",
        "self/x",
        "dangling",
        "dangling/",
        // It comes back, and still it was outside.
        "around.txt",
    ] {
        names(&ground, out, Err(Missing::NotFound));
    }
}

#[test]
fn links_of_the_kernel_that_are_no_paths() {
    let ground = Ground::new();
    for resolver in RESOLVERS {
        let mut recipe = ground.recipe();
        recipe.root = Root::open_with("/proc/self", resolver).unwrap();
        let files = open(recipe);
        for magic in [
            "exe",
            "root/etc/passwd",
            "root",
            "cwd/Cargo.toml",
            "fd/0",
            "task/self",
        ] {
            let found = find(&files, magic).unwrap_err();
            assert_eq!(found, Missing::NotFound, "{magic} by {resolver:?}");
        }
        assert!(find(&files, "stat").is_ok());
    }
}

#[test]
fn what_is_no_regular_file() {
    let ground = Ground::new();
    let mode = Mode::from_raw_mode(0o644);
    mknodat(CWD, ground.at("fifo"), FileType::Fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(ground.at("socket")).unwrap();
    ground.link("to-fifo", "fifo");
    // Only root may make a device.
    let device = rustix::fs::makedev(1, 3);
    let _ = mknodat(
        CWD,
        ground.at("null"),
        FileType::CharacterDevice,
        mode,
        device,
    );
    for odd in ["fifo", "fifo/", "to-fifo", "socket", "socket/", "null"] {
        let started = Instant::now();
        names(&ground, odd, Err(Missing::NotFound));
        assert!(started.elapsed() < Duration::from_secs(5), "{odd} blocks");
    }
}

#[test]
fn a_fifo_is_not_opened() {
    let ground = Ground::new();
    mknodat(
        CWD,
        ground.at("fifo"),
        FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    ground.write("file.txt", "file");
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    for name in ["fifo", "file.txt"] {
        inotify::add_watch(&watch, ground.at(name), inotify::WatchFlags::OPEN).unwrap();
    }
    let opened = |name: &str, expected| {
        names(&ground, name, expected);
        let mut buffer = [std::mem::MaybeUninit::uninit(); 1024];
        inotify::Reader::new(&watch, &mut buffer).next().is_ok()
    };
    assert!(opened("file.txt", Ok("file")), "what is served is opened");
    let mut rest = [0; 1024];
    while rustix::io::read(&watch, &mut rest).is_ok() {}
    assert!(!opened("fifo", Err(Missing::NotFound)));
}

#[test]
fn a_deep_tree() {
    let ground = Ground::new();
    let deep = "d/".repeat(100);
    ground.write(&format!("{deep}file.txt"), "deep");
    ground.link(&format!("{deep}back"), format!("{}d/d/", "../".repeat(100)));
    names(&ground, &format!("{deep}file.txt"), Ok("deep"));
    let around = format!("{deep}back/{}file.txt", "d/".repeat(98));
    names(&ground, &around, Ok("deep"));
    // One link too many for the kernel is one too many for us.
    for (links, expected) in [(40, Ok("deep")), (41, Err(Missing::NotFound))] {
        let ground = Ground::new();
        ground.write("link-0", "deep");
        for link in 1..=links {
            ground.link(&format!("link-{link}"), format!("link-{}", link - 1));
        }
        names(&ground, &format!("link-{links}"), expected);
    }
}

#[test]
fn a_sandbox_that_refuses_openat2_costs_nothing_but_time() {
    let ground = Ground::new();
    ground.write("dir/file.txt", "file");
    ground.link("link", "dir");
    let recipe = ground.recipe();
    assert_eq!(recipe.root.resolver(), Resolver::Kernel);
    assert_eq!(recipe.root.refusal(), None);
    for (errno, why) in [
        (Errno::NOSYS, "there is no openat2 here"),
        (Errno::PERM, "openat2 is refused here"),
    ] {
        std::thread::scope(|scope| {
            let sandboxed = scope.spawn(|| {
                sandbox::refuse_openat2(errno);
                let files = open(ground.recipe());
                let root = ground.recipe().root;
                assert_eq!(root.resolver(), Resolver::Walk);
                assert!(root.refusal().unwrap().starts_with(why));
                assert_eq!(outcome(&find(&files, "link/file.txt")).unwrap(), b"file");
                assert_eq!(find(&files, "dir").unwrap_err(), Missing::NotFound);
            });
            sandboxed.join().unwrap();
        });
    }
}

#[test]
fn dotfiles() {
    let ground = Ground::new();
    for name in [
        ".hidden",
        ".dir/file.txt",
        "dir/.hidden",
        "dir/..odd",
        "a.b",
        "dir/c.",
        ".well-known/acme-challenge/token",
        ".well-known/index.html",
        ".well-known/.hidden",
        ".well-known-not",
        "dir/.well-known/file.txt",
    ] {
        ground.write(name, "it");
    }
    ground.link("visible", ".hidden");
    for hidden in [
        ".hidden",
        ".dir/file.txt",
        ".dir/",
        "dir/.hidden",
        "dir/..odd",
        ".well-known/.hidden",
        ".well-known-not",
        "dir/.well-known/file.txt",
    ] {
        names(&ground, hidden, Err(Missing::NotFound));
    }
    names(&ground, ".well-known/acme-challenge/token", Ok("it"));
    names(&ground, ".well-known/", Ok("it"));
    names(&ground, ".well-known", Err(Missing::NeedsSlash));
    names(&ground, "a.b", Ok("it"));
    names(&ground, "dir/c.", Ok("it"));
    // Whoever links to it from a name without a dot wants it served.
    names(&ground, "visible", Ok("it"));
    let mut recipe = ground.recipe();
    recipe.dotfiles = true;
    let files = open(recipe);
    for hidden in [
        ".hidden",
        ".dir/file.txt",
        "dir/.hidden",
        "dir/..odd",
        ".well-known/.hidden",
    ] {
        assert_eq!(outcome(&find(&files, hidden)).unwrap(), b"it", "{hidden}");
    }
}

#[test]
fn what_may_not_be_read() {
    if rustix::process::getuid().is_root() {
        // Root may read everything; the conformance battery tests it as somebody else.
        return;
    }
    let ground = Ground::new();
    ground.write("file.txt", "file");
    ground.write("closed/file.txt", "file");
    let forbid = |name: &str, mode| {
        fs::set_permissions(ground.at(name), fs::Permissions::from_mode(mode)).unwrap()
    };
    forbid("file.txt", 0);
    forbid("closed", 0);
    names(&ground, "file.txt", Err(Missing::Forbidden));
    names(&ground, "closed/file.txt", Err(Missing::Forbidden));
    names(&ground, "closed", Err(Missing::Forbidden));
    forbid("closed", 0o755);
    // Who may enter need not be able to list.
    ground.write("entered/index.html", "index");
    forbid("entered", 0o711);
    forbid("", 0o711);
    names(&ground, "entered/", Ok("index"));
    names(&ground, "entered", Err(Missing::NeedsSlash));
    forbid("", 0o755);
}
