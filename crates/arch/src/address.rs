//! Where a server listens: an address of the network, or a Unix socket.

use std::fmt;
use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::net::SocketAddrUnix;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An IP address and a port; port 0 picks a free one.
    Ip(SocketAddr),
    /// A Unix socket of that name in the file system.
    Path(PathBuf),
    /// A Unix socket of that name in the abstract namespace, where no file is made (unix(7)).
    Abstract(String),
}

/// Where a port alone is served: on this machine and nowhere else.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Address {
    /// The IP address and port, of one that has them.
    pub fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Path(_) | Self::Abstract(_) => None,
        }
    }

    /// As a Unix socket's address.
    ///
    /// # Errors
    /// For a name that is too long, 107 bytes being the most.
    pub(crate) fn unix(&self) -> io::Result<Option<SocketAddrUnix>> {
        Ok(match self {
            Self::Ip(_) => None,
            Self::Path(path) => Some(SocketAddrUnix::new(path.as_os_str().as_bytes())?),
            Self::Abstract(name) => Some(SocketAddrUnix::new_abstract_name(name.as_bytes())?),
        })
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected ADDRESS:PORT, like 127.0.0.1:9001, [::1]:9001, localhost:9001 or 9001 alone, or unix:PATH";
        if let Some(name) = text.strip_prefix("unix:") {
            return match name.strip_prefix('@') {
                Some("") => Err("expected a name behind unix:@, like unix:@archbench".to_owned()),
                Some(name) => Ok(Self::Abstract(name.to_owned())),
                None if name.is_empty() => {
                    Err("expected a path behind unix:, like unix:/run/archbench.sock".to_owned())
                }
                None => Ok(Self::Path(name.into())),
            };
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let port = text.strip_prefix(':').unwrap_or(text);
        if let Ok(port) = port.parse() {
            return Ok(Self::Ip(SocketAddr::new(LOOPBACK, port)));
        }
        let (host, port) = text.rsplit_once(':').ok_or(EXPECTED)?;
        let is_name = !host.is_empty() && !host.contains([':', '[', ']', '/', ' ']);
        if !is_name || port.parse::<u16>().is_err() {
            return Err(EXPECTED.to_owned());
        }
        let found = text
            .to_socket_addrs()
            .map_err(|error| format!("there is no host {host}: {error}"))?;
        // What every client tries, whether or not the name has an IPv6 address as well.
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(SocketAddr::is_ipv6);
        let first = found.first().ok_or("the host has no address")?;
        Ok(Self::Ip(*first))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Path(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
        }
    }
}

/// A socket's file, removed when the process that bound it lets go of it.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    owner: rustix::process::Pid,
}

impl SocketFile {
    /// The file that this process has just bound, and on which it does not listen yet.
    ///
    /// # Errors
    /// Where it cannot be given its mode.
    pub(crate) fn bound(path: &Path, mode: u32) -> io::Result<Self> {
        let file = Self {
            path: path.to_owned(),
            owner: rustix::process::getpid(),
        };
        std::fs::set_permissions(path, Permissions::from_mode(mode))?;
        Ok(file)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A worker process has a copy of its parent's.
        if rustix::process::getpid() == self.owner {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes the file of a socket on which nobody listens any more: its server was killed, or its machine stopped.
///
/// # Errors
/// That somebody listens; that the file is something else, which is not ours to remove; what removing it reports.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it exists and is no socket; choose another path with --addr",
        ));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn addresses_as_people_type_them() {
        let ip = |text: &str| text.parse::<Address>().unwrap().ip().unwrap();
        for text in ["127.0.0.1:8080", "8080", ":8080", "localhost:8080"] {
            assert_eq!(ip(text), "127.0.0.1:8080".parse().unwrap(), "{text}");
        }
        assert_eq!(ip("[::1]:80"), "[::1]:80".parse().unwrap());
        assert_eq!(ip("0.0.0.0:0"), "0.0.0.0:0".parse().unwrap());
        let unix = |text: &str| text.parse::<Address>().unwrap();
        assert_eq!(
            unix("unix:/run/a.sock"),
            Address::Path("/run/a.sock".into())
        );
        assert_eq!(unix("unix:@a"), Address::Abstract("a".to_owned()));
        for text in ["unix:/run/a.sock", "unix:@a", "127.0.0.1:80", "[::1]:80"] {
            assert_eq!(unix(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_one_is() {
        for text in [
            "",
            ":",
            "host",
            "host:",
            "::1:80",
            "[::1]",
            "host:99999",
            "http://h:80",
            "unix:",
            "unix:@",
            "99999",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.starts_with("expected"), "{text}: {error}");
        }
    }

    #[test]
    fn only_a_socket_that_nobody_serves_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.sock");
        remove_stale(&path).unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        let error = remove_stale(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        remove_stale(&path).unwrap();
        assert!(!path.exists());
        std::fs::write(&path, "precious").unwrap();
        assert!(
            remove_stale(&path)
                .unwrap_err()
                .to_string()
                .contains("is no socket")
        );
        assert!(path.exists());
    }
}
