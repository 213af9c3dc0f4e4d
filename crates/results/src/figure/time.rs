//! The times of a request.

use contracts::Distribution;
use contracts::load::Report;

/// Which time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFigure {
    /// The response time in an open loop, the service time in a closed one, which has no due times.
    Latency,
    /// From when it was due to the last byte.
    Response,
    /// From writing to the last byte.
    Service,
    /// From when it was due until a connection was free.
    Wait,
    /// The generator's own delay.
    Lag,
    /// From writing to the first byte.
    FirstByte,
    /// From asking for a connection to having it.
    Connect,
    /// Of that, the handshake of TLS.
    Handshake,
    /// From the intended start of a session to the last byte of its last request.
    Session,
}

/// The times of a request, by the names in expectations.
pub(super) const METRICS: [(&str, TimeFigure); 9] = [
    ("latency", TimeFigure::Latency),
    ("response", TimeFigure::Response),
    ("service", TimeFigure::Service),
    ("wait", TimeFigure::Wait),
    ("lag", TimeFigure::Lag),
    ("first_byte", TimeFigure::FirstByte),
    ("connect", TimeFigure::Connect),
    ("handshake", TimeFigure::Handshake),
    ("session", TimeFigure::Session),
];

impl TimeFigure {
    /// As expectations call it.
    pub fn name(self) -> &'static str {
        METRICS
            .iter()
            .find(|(_, metric)| *metric == self)
            .map_or("latency", |(name, _)| name)
    }

    /// Where a generator's report has it.
    pub(super) fn of(self, load: &Report) -> Option<&Distribution> {
        let times = match self {
            Self::Latency if load.is_open_loop() => &load.response_time_us,
            // What a closed loop reports as one is the service time again.
            Self::Response if !load.is_open_loop() => &None,
            Self::Response => &load.response_time_us,
            Self::Latency | Self::Service => &load.service_time_us,
            Self::Wait => &load.connection_wait_us,
            Self::Lag => &load.generator_lag_us,
            Self::FirstByte => &load.first_byte_us,
            Self::Connect => &load.connect_time_us,
            Self::Handshake => &load.handshake_time_us,
            Self::Session => &load.session_time_us,
        };
        times.as_ref()
    }
}
