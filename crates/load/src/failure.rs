//! How a request can come to nothing, each way a class of its own.

use rustix::io::Errno;
use std::io;

/// A class of failures, to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The port was refused.
    ConnectRefused,
    /// No route to the host or its network.
    ConnectUnreachable,
    /// The connection was not made within the timeout.
    ConnectTimeout,
    /// Connecting failed in another way.
    ConnectOther,
    /// This machine ran out of ports to connect from.
    NoPorts,
    /// This process ran out of descriptors.
    NoDescriptors,
    /// Not answered within the timeout.
    Timeout,
    /// The connection was reset.
    Reset,
    /// The socket failed in another way.
    Socket,
    /// A redirect.
    Status3xx,
    /// The server calls the request wrong.
    Status4xx,
    /// The server calls itself wrong.
    Status5xx,
    /// A status code of no class that HTTP has.
    StatusOther,
    /// The body was not what it must be (`--verify`).
    Mismatch,
    /// The response was malformed or cut.
    Http(http::client::Error),
}

/// Classes before those of malformed responses.
const OWN: usize = 14;
const NAMES: [&str; OWN] = [
    "connect_refused",
    "connect_unreachable",
    "connect_timeout",
    "connect_other",
    "no_ports",
    "no_descriptors",
    "timeout",
    "reset",
    "socket",
    "status_3xx",
    "status_4xx",
    "status_5xx",
    "status_other",
    "body_mismatch",
];

impl Failure {
    /// How many classes there are.
    pub const CLASSES: usize = OWN + http::client::Error::ALL.len();

    /// Its number, below [`Failure::CLASSES`].
    pub fn index(self) -> usize {
        match self {
            Self::ConnectRefused => 0,
            Self::ConnectUnreachable => 1,
            Self::ConnectTimeout => 2,
            Self::ConnectOther => 3,
            Self::NoPorts => 4,
            Self::NoDescriptors => 5,
            Self::Timeout => 6,
            Self::Reset => 7,
            Self::Socket => 8,
            Self::Status3xx => 9,
            Self::Status4xx => 10,
            Self::Status5xx => 11,
            Self::StatusOther => 12,
            Self::Mismatch => 13,
            Self::Http(error) => OWN + error.index(),
        }
    }

    /// The name of a class, for machines and people.
    pub fn name(index: usize) -> &'static str {
        match NAMES.get(index) {
            Some(name) => name,
            None => http::client::Error::ALL[index - OWN].name(),
        }
    }

    /// What a failure to connect is.
    pub fn connecting(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::CONNREFUSED) => Self::ConnectRefused,
            Some(Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::NETDOWN | Errno::HOSTDOWN) => {
                Self::ConnectUnreachable
            }
            Some(Errno::TIMEDOUT) => Self::ConnectTimeout,
            Some(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) => Self::NoPorts,
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS) => Self::NoDescriptors,
            _ => Self::ConnectOther,
        }
    }

    /// What a failure of an established connection is.
    pub fn exchanging(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Reset,
            _ => Self::Socket,
        }
    }

    /// What a status code is, if it is a failure.
    #[inline]
    pub fn status(status: u16) -> Option<Self> {
        match status {
            200..=299 | 304 => None,
            300..=399 => Some(Self::Status3xx),
            400..=499 => Some(Self::Status4xx),
            500..=599 => Some(Self::Status5xx),
            _ => Some(Self::StatusOther),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_name() {
        let mut names: Vec<_> = (0..Failure::CLASSES).map(Failure::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Failure::CLASSES);
        assert_eq!(Failure::name(Failure::Timeout.index()), "timeout");
        assert_eq!(Failure::name(Failure::Mismatch.index()), "body_mismatch");
        let http = Failure::Http(http::client::Error::NotHttp);
        assert_eq!(Failure::name(http.index()), "not_http");
    }
}
