//! What can go wrong with a capture.

use std::io;
use std::path::PathBuf;

/// Why there is no capture, or no more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such interface.
    #[error(
        "cannot capture on {interface}: there is no such interface; /proc/net/dev lists those that there are"
    )]
    NoInterface {
        /// Its name.
        interface: String,
    },
    /// This program may not capture.
    #[error(
        "cannot capture packets on {interface}: {source}; it takes root (in a container: '--cap-add NET_RAW') or, in a namespace of \
         your own, 'unshare --map-root-user --net'"
    )]
    Forbidden {
        /// Its name.
        interface: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel gives no such ring.
    #[error(
        "cannot have a ring of {bytes} bytes for packets on {interface}: {source}; a smaller --ring may do"
    )]
    Ring {
        /// The interface's name.
        interface: String,
        /// How large it would be.
        bytes: u64,
        /// What the kernel said.
        source: io::Error,
    },
    /// The interface has frames of a kind that is not read here.
    #[error(
        "cannot read frames of {interface}: its links are of kind {kind}, and Ethernet, loopback and TUN are read; '--view datagram' may do"
    )]
    LinkKind {
        /// The interface's name.
        interface: String,
        /// `ARPHRD_`…
        kind: u16,
    },
    /// The trace cannot be written.
    #[error("cannot write packets to {path}: {source}", path = path.display())]
    Trace {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Signals, descriptors, the ring itself.
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
}
