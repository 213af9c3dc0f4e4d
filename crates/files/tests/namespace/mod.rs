//! File systems that a test mounts where nobody else sees them.

#![allow(dead_code, reason = "every test binary has a copy of its own")]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, UnmountFlags};
use tempfile::TempDir;

/// Set in the process that has a namespace of its own, to the test that it is for.
const OURS: &str = "ARCHBENCH_TEST_IN_NAMESPACE";

/// Runs `body`, the body of `test`, in a process whose mounts nobody else sees and which may mount, as root of a user
/// namespace if need be. Where the system allows none of this, says that the test is skipped.
pub(crate) fn with_mounts(test: &str, body: impl FnOnce()) {
    if std::env::var_os(OURS).is_some_and(|ours| ours == test) {
        return body();
    }
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .arg("--mount")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(OURS, test);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return println!("skipped: the program unshare cannot be run: {error}"),
    };
    let complaints = String::from_utf8_lossy(&output.stderr);
    if complaints.starts_with("unshare: ") {
        return println!("skipped: no namespace of one's own here: {complaints}");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    assert!(output.status.success(), "{text}{complaints}");
}

/// What is mounted, until it is dropped.
pub(crate) struct Mount {
    place: PathBuf,
    _directory: Option<TempDir>,
}

impl Mount {
    pub(crate) fn path(&self) -> &Path {
        &self.place
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.place, UnmountFlags::DETACH);
    }
}

/// A file system in memory; `None`, which says that the test is skipped, where it cannot be mounted.
pub(crate) fn tmpfs() -> Option<Mount> {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_path_buf();
    mount("tmpfs", &place, "mode=755").then(|| Mount {
        place,
        _directory: Some(directory),
    })
}

/// A directory as a container sees it: written to above, read from below. `None` as for [`tmpfs`].
pub(crate) fn overlay(lower: &Path) -> Option<(Mount, Mount)> {
    // What is written has to lie on a file system that is no overlay itself, as the one of a container is.
    let above = tmpfs()?;
    let at = |name: &str| above.path().join(name);
    for name in ["upper", "work", "merged"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={},userxattr",
        lower.display(),
        at("upper").display(),
        at("work").display()
    );
    let place = at("merged");
    mount("overlay", &place, &options).then(|| {
        let merged = Mount {
            place,
            _directory: None,
        };
        (merged, above)
    })
}

/// A disk in a file below `place`, whose inodes have no room for parts of a second. `None` as for [`tmpfs`].
pub(crate) fn ext4_with_small_inodes(place: &Path) -> Option<Mount> {
    let image = place.join("image");
    std::fs::File::create(&image)
        .unwrap()
        .set_len(16 << 20)
        .unwrap();
    let at = place.join("disk");
    std::fs::create_dir(&at).unwrap();
    let run = |program: &str, arguments: &[&OsStr]| {
        let ran = Command::new(program).args(arguments).output();
        let why = match ran {
            Ok(output) if output.status.success() => return true,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        println!("skipped: {program} has not made a disk in a file: {why}");
        false
    };
    let made = run(
        "mkfs.ext4",
        &["-q".as_ref(), "-I".as_ref(), "128".as_ref(), image.as_ref()],
    ) && run(
        "mount",
        &["-o".as_ref(), "loop".as_ref(), image.as_ref(), at.as_ref()],
    );
    made.then_some(Mount {
        place: at,
        _directory: None,
    })
}

fn mount(kind: &str, place: &Path, options: &str) -> bool {
    let options = CString::new(options).unwrap();
    let place = CString::new(place.as_os_str().as_bytes()).unwrap();
    let mounted = rustix::mount::mount(kind, &place, kind, MountFlags::empty(), &*options);
    if let Err(error) = mounted {
        println!("skipped: {kind} cannot be mounted here: {error}");
    }
    mounted.is_ok()
}
