//! Which file a path names, against a real file system.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use files::{Missing, Path, Root};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use support::{Ground, contents, find, open, outcome};

#[track_caller]
fn names(ground: &Ground, text: &str, expected: Result<&str, Missing>) {
    let found = outcome(&find(&ground.open(), text));
    assert_eq!(
        found,
        expected.map(|text| text.as_bytes().to_vec()),
        "{text:?}"
    );
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
    let files = ground.open();
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
    assert_eq!(
        files.find(nul, Instant::now()).unwrap_err(),
        Missing::NotFound
    );
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
    let mut recipe = ground.recipe();
    recipe.root = Root::open("/proc/self").unwrap();
    let files = open(recipe);
    for magic in [
        "exe",
        "root/etc/passwd",
        "root",
        "cwd/Cargo.toml",
        "fd/0",
        "task/self",
    ] {
        assert_eq!(
            find(&files, magic).unwrap_err(),
            Missing::NotFound,
            "{magic}"
        );
    }
    assert!(find(&files, "stat").is_ok());
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
fn dotfiles() {
    let ground = Ground::new();
    for name in [
        ".hidden",
        ".dir/file.txt",
        "dir/.hidden",
        "dir/..odd",
        "a.b",
        "dir/c.",
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
    ] {
        names(&ground, hidden, Err(Missing::NotFound));
    }
    names(&ground, "a.b", Ok("it"));
    names(&ground, "dir/c.", Ok("it"));
    // Whoever links to it from a name without a dot wants it served.
    names(&ground, "visible", Ok("it"));
    let mut recipe = ground.recipe();
    recipe.dotfiles = true;
    let files = open(recipe);
    for hidden in [".hidden", ".dir/file.txt", "dir/.hidden", "dir/..odd"] {
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
}

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
