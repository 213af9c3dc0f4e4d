//! How a request can come to nothing, each way a class of its own.

use rustix::io::Errno;
use std::io;

/// A class of failures, to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens there.
    ConnectRefused,
    /// No route to the host or its network.
    ConnectUnreachable,
    /// The connection was not made within the timeout.
    ConnectTimeout,
    /// Connecting failed in another way.
    ConnectOther,
    /// The server's certificate is not believed.
    Certificate,
    /// The handshake of TLS failed in another way.
    Handshake,
    /// This machine ran out of ports to connect from.
    NoPorts,
    /// This process ran out of descriptors.
    NoDescriptors,
    /// There was no connection to send it on, and none could be made.
    NoConnection,
    /// Not answered within the timeout.
    Timeout,
    /// The connection was reset.
    Reset,
    /// The socket failed in another way.
    Socket,
    /// A success that was not expected (`--expect`).
    Status2xx,
    /// A redirect.
    Status3xx,
    /// The server calls the request wrong.
    Status4xx,
    /// The server calls itself wrong.
    Status5xx,
    /// A status code of no class that HTTP has.
    StatusOther,
    /// The status or the body was not what it must be (`--verify`).
    Mismatch,
    /// The response was malformed or cut.
    Http(http::client::Error),
}

/// The first classes are of attempts to connect, of which there may be many for one request, or one for many.
const CONNECTING: usize = 8;
/// Classes before those of malformed responses.
const OWN: usize = 18;
const NAMES: [&str; OWN] = [
    "connect_refused",
    "connect_unreachable",
    "connect_timeout",
    "connect_other",
    "tls_certificate",
    "tls_handshake",
    "no_ports",
    "no_descriptors",
    "no_connection",
    "timeout",
    "reset",
    "socket",
    "status_2xx",
    "status_3xx",
    "status_4xx",
    "status_5xx",
    "status_other",
    "body_mismatch",
];

const OWN_CLASSES: [Failure; OWN] = [
    Failure::ConnectRefused,
    Failure::ConnectUnreachable,
    Failure::ConnectTimeout,
    Failure::ConnectOther,
    Failure::Certificate,
    Failure::Handshake,
    Failure::NoPorts,
    Failure::NoDescriptors,
    Failure::NoConnection,
    Failure::Timeout,
    Failure::Reset,
    Failure::Socket,
    Failure::Status2xx,
    Failure::Status3xx,
    Failure::Status4xx,
    Failure::Status5xx,
    Failure::StatusOther,
    Failure::Mismatch,
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
            Self::Certificate => 4,
            Self::Handshake => 5,
            Self::NoPorts => 6,
            Self::NoDescriptors => 7,
            Self::NoConnection => 8,
            Self::Timeout => 9,
            Self::Reset => 10,
            Self::Socket => 11,
            Self::Status2xx => 12,
            Self::Status3xx => 13,
            Self::Status4xx => 14,
            Self::Status5xx => 15,
            Self::StatusOther => 16,
            Self::Mismatch => 17,
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

    /// The class of this name.
    pub fn named(name: &str) -> Option<Self> {
        let own = OWN_CLASSES.into_iter();
        let mut all = own.chain(http::client::Error::ALL.iter().copied().map(Self::Http));
        all.find(|failure| Self::name(failure.index()) == name)
    }

    /// Whether failures of a class are each of one attempt to connect.
    pub(crate) fn is_of_connecting(index: usize) -> bool {
        index < CONNECTING
    }

    /// Whether failures of a class are each of one request.
    pub(crate) fn is_of_request(index: usize) -> bool {
        let of_none = Self::Http(http::client::Error::Unsolicited);
        index >= CONNECTING && index != of_none.index()
    }

    /// Every class of answers that no server may give: malformed, or with other bytes than they must have. A connection that ends early
    /// is none of them.
    pub(crate) fn unsound() -> impl Iterator<Item = Self> {
        use http::client::Error;
        let of_http = Error::ALL.into_iter().filter(|error| {
            !matches!(
                error,
                Error::ClosedBeforeResponse | Error::ClosedInHead | Error::ClosedInBody
            )
        });
        of_http.map(Self::Http).chain([Self::Mismatch])
    }

    /// What a failure to connect is.
    pub fn connecting(error: &io::Error) -> Self {
        let of_tls = error.get_ref().and_then(|why| why.downcast_ref());
        match of_tls {
            Some(rustls::Error::InvalidCertificate(_)) => return Self::Certificate,
            Some(_) => return Self::Handshake,
            None => {}
        }
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // Where a Unix socket is to be, there is none.
            Some(Errno::CONNREFUSED | Errno::NOENT) => Self::ConnectRefused,
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
    pub(crate) fn exchanging(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Reset,
            _ => Self::Socket,
        }
    }

    /// The class of a status code that is a failure.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Status2xx,
            300..=399 => Self::Status3xx,
            400..=499 => Self::Status4xx,
            500..=599 => Self::Status5xx,
            _ => Self::StatusOther,
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
        assert!(Failure::is_of_connecting(Failure::NoDescriptors.index()));
        assert!(Failure::is_of_request(Failure::NoConnection.index()));
        for status in 1..10 {
            let class = Failure::of_status(status * 100);
            let name = Failure::name(class.index());
            assert!(name == format!("status_{status}xx") || name == "status_other");
        }
        for class in 0..Failure::CLASSES {
            let named = Failure::named(Failure::name(class));
            assert_eq!(named.map(Failure::index), Some(class));
        }
        assert_eq!(Failure::named("patience"), None);
        let http = Failure::Http(http::client::Error::NotHttp);
        assert_eq!(Failure::name(http.index()), "not_http");
    }
}
