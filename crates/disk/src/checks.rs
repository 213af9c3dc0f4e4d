//! What can be said before mounting, and what a refusal means.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::Error;

const DEVICE: &str = "/dev/fuse";

/// Whether the kernel's side is there and open to us.
pub(crate) fn device() -> Result<(), Error> {
    let opened = OpenOptions::new().read(true).write(true).open(DEVICE);
    opened.map(drop).map_err(no_device)
}

fn no_device(source: io::Error) -> Error {
    let todo = if source.kind() == io::ErrorKind::PermissionDenied {
        "run as root, or have an administrator open it with 'chmod 666 /dev/fuse'"
    } else {
        "load it with 'modprobe fuse', or in a container pass '--device /dev/fuse --cap-add SYS_ADMIN'"
    };
    Error::Device { source, todo }
}

/// The directory with the contents and the one to mount on, made if need be, as absolute paths.
pub(crate) fn directories(root: &Path, mountpoint: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let root = directory(root).map_err(|source| Error::Root {
        path: root.into(),
        source,
    })?;
    let given = mountpoint;
    let failed = |source: io::Error| {
        // What the kernel says of a mount whose file system has no process any more.
        if source.raw_os_error() == Some(Errno::NOTCONN.raw_os_error()) {
            Error::Stale { path: given.into() }
        } else {
            Error::Mountpoint {
                path: given.into(),
                source,
            }
        }
    };
    match std::fs::metadata(given) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(given).map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
        Ok(_) => {}
    }
    let mountpoint = directory(given).map_err(failed)?;
    if root.starts_with(&mountpoint) || mountpoint.starts_with(&root) {
        return Err(Error::Nested { root, mountpoint });
    }
    let mut entries = std::fs::read_dir(&mountpoint).map_err(failed)?;
    if entries.next().is_some() {
        return Err(Error::NotEmpty { path: mountpoint });
    }
    Ok((root, mountpoint))
}

fn directory(path: &Path) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    if std::fs::metadata(&path)?.is_dir() {
        Ok(path)
    } else {
        Err(Errno::NOTDIR.into())
    }
}

/// What it means that mounting failed. Without root, mounting is left to the program fusermount3.
pub(crate) fn explain(mountpoint: &Path, source: io::Error) -> Error {
    if source.kind() == io::ErrorKind::NotFound {
        return Error::NoHelper;
    }
    let path = mountpoint.into();
    let text = source.to_string();
    let source = match text.trim() {
        // What fusermount3 prints ends its line itself.
        trimmed if trimmed.len() < text.len() => io::Error::other(trimmed.to_owned()),
        _ => source,
    };
    Error::Refused { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_about_a_device_depends_on_what_is_wrong_with_it() {
        let says = |kind: io::ErrorKind| no_device(kind.into()).to_string();
        assert!(says(io::ErrorKind::PermissionDenied).contains("chmod 666 /dev/fuse"));
        assert!(says(io::ErrorKind::NotFound).contains("modprobe fuse"));
    }

    #[test]
    fn directories_are_checked_before_anything_is_mounted() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        std::fs::create_dir(at("root")).unwrap();
        std::fs::write(at("root/file"), b"").unwrap();

        assert!(directories(&at("root"), &at("new/mount")).is_ok());
        assert!(at("new/mount").is_dir());
        let check = |root: &str, mountpoint: &str| {
            directories(&at(root), &at(mountpoint))
                .unwrap_err()
                .to_string()
        };
        assert!(check("missing", "new/mount").contains("as the contents of the disk"));
        assert!(check("root/file", "new/mount").contains("Not a directory"));
        assert!(check("root", "root/file").contains("Not a directory"));
        assert!(check("root", "root/inside").contains("one lies in the other"));
        assert!(check("root", "").contains("one lies in the other"));
        assert!(check("new", "root").contains("not empty"));
    }
}
