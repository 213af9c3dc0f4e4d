//! What can go wrong before the link stands, and what ends it.

use std::io;
use std::path::PathBuf;

/// Why there is no link, or no more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no hosts to be joined.
    #[error(transparent)]
    Hosts(#[from] network::Error),
    /// A namespace that was named cannot be opened.
    #[error("cannot use {path} as a network namespace: {source}; give one like /proc/PID/ns/net", path = path.display())]
    Namespace {
        /// Where it should be.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// There are no TUN devices.
    #[error("cannot make a TUN device in the {host}'s namespace: {source}; {todo}")]
    Tun {
        /// Which of the hosts.
        host: &'static str,
        /// What the kernel said.
        source: io::Error,
        /// What to do about it.
        todo: &'static str,
    },
    /// netem was asked for and cannot be had.
    #[error(
        "cannot have netem shape the link: {0}; without '--way netem' packets go through user space"
    )]
    Netem(String),
    /// Threads, signals, descriptors.
    #[error("cannot {what}: {source}")]
    Own {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn own(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Own { what, source }
    }

    pub(crate) fn tun(host: &'static str, source: io::Error) -> Self {
        let todo = match source.kind() {
            io::ErrorKind::NotFound => {
                "load it with 'modprobe tun', or in a container pass '--device /dev/net/tun --cap-add NET_ADMIN'"
            }
            io::ErrorKind::ResourceBusy => "something joins these hosts already: make others",
            _ => "it takes root (in a container: '--cap-add NET_ADMIN')",
        };
        Self::Tun { host, source, todo }
    }
}
