//! Two hosts on one machine: network namespaces with a network of their own between them.
//!
//! Over loopback no packet leaves the kernel: there is one network stack, which hands itself its own buffers. Two namespaces have two
//! stacks, each with its interface, its routes, its neighbours and its ports; a veth pair between them is a cable. It is still one
//! kernel, and what a packet costs on both hosts is paid for by whoever's thread carries it; there is no card and no interrupt of one,
//! and a frame may be as large as segmentation offload makes it (64 KiB) instead of what a wire would take.
//!
//! Nothing of this is in the file system, and nothing has to be removed: a namespace lives as long as somebody holds it open or runs in
//! it, and its interfaces go with it. So whatever ends the program that made the hosts, even a SIGKILL, ends them. Only a process that
//! outlives it in there keeps them; [`leftovers`] finds such, by the namespaces' names, which carry the process id of their maker.
//! Two programs that make hosts at once never meet, although all use the same addresses.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`namespace`] | one network namespace: made, entered, held |
//! | [`hosts`] | two of them, and the veth pair that joins them |
//! | [`interface`] | an interface's address and state, by rtnetlink |
//! | [`leftover`] | what a killed program left behind |

pub mod hosts;
pub mod interface;
pub mod leftover;
pub mod namespace;

pub use hosts::{CLIENT, Hosts, INTERFACE, PREFIX_BITS, Role, SERVER, available, give_address};
pub use leftover::{Leftover, Name, leftovers};
pub use namespace::Namespace;

use std::io;

/// Why there are no hosts; the text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This program may not make network namespaces.
    #[error(
        "cannot make a network namespace: {0}; it takes root (in a container: '--cap-add SYS_ADMIN --cap-add NET_ADMIN') or, where \
         unprivileged user namespaces are allowed, 'unshare --map-root-user' before the command"
    )]
    Forbidden(io::Error),
    /// Something else went wrong.
    #[error("cannot {what}: {source}")]
    Failed {
        /// What was tried.
        what: String,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn when(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Failed {
            what: what.into(),
            source,
        }
    }
}
