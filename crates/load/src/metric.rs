//! The times that are measured, by name.

use crate::record::Record;
use hdrhistogram::Histogram;
use stats::hist::Censored;

/// A time that is measured for each request (or connection, or session).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Last byte − intended; in a closed loop, the service time.
    Response,
    /// Last byte − written.
    Service,
    /// Connection free − intended.
    Wait,
    /// Written − the later of intended and connection free.
    Lag,
    /// First byte − written.
    FirstByte,
    /// From asking for a connection to having it.
    Connect,
    /// Of that, the handshake of TLS.
    Handshake,
    /// From the intended start of a session to its end.
    Session,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Response,
        Self::Service,
        Self::Wait,
        Self::Lag,
        Self::FirstByte,
        Self::Connect,
        Self::Handshake,
        Self::Session,
    ];
    /// Their names on the command line.
    pub const NAMES: [&'static str; 8] = [
        "response",
        "service",
        "wait",
        "lag",
        "first_byte",
        "connect",
        "handshake",
        "session",
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self::ALL[at])
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Its values in a record, those of requests that were given up among them; none where the two do not go together, which
    /// histograms of the same bounds do.
    pub fn times(self, record: &Record, closed_loop: bool) -> Option<Censored> {
        let answered = self.of(record, closed_loop);
        match self.censored(record, closed_loop) {
            Some(given_up) => Censored::new(answered, given_up).ok(),
            None => Some(Censored::among(answered.clone(), &Histogram::new(3).ok()?)),
        }
    }

    /// Its histogram of answered requests in a record.
    pub fn of(self, record: &Record, closed_loop: bool) -> &Histogram<u64> {
        match self {
            Self::Response if closed_loop => &record.service,
            Self::Response => &record.response,
            Self::Service => &record.service,
            Self::Wait => &record.wait,
            Self::Lag => &record.lag,
            Self::FirstByte => &record.first_byte,
            Self::Connect => &record.connect,
            Self::Handshake => &record.handshake,
            Self::Session => &record.session,
        }
    }

    /// Its values of requests that were given up.
    pub fn censored(self, record: &Record, closed_loop: bool) -> Option<&Histogram<u64>> {
        match self {
            Self::Response if !closed_loop => Some(&record.censored_response),
            Self::Response | Self::Service => Some(&record.censored_service),
            _ => None,
        }
    }
}
