//! Where a server listens.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::{Path, PathBuf};

/// An address that connections go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A port of a host.
    Tcp(SocketAddr),
    /// A socket in the file system; behind an `@`, one in the abstract namespace (unix(7)).
    Unix(PathBuf),
}

impl Address {
    /// Whether nothing of what goes there leaves this machine.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

/// What a Unix socket's name means.
///
/// # Errors
/// For a name that is too long.
pub(crate) fn unix(name: &Path) -> io::Result<UnixAddr> {
    match name.as_os_str().as_bytes() {
        [b'@', name @ ..] => UnixAddr::from_abstract_name(name),
        _ => UnixAddr::from_pathname(name),
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(out),
            Self::Unix(path) => path.display().fmt(out),
        }
    }
}
