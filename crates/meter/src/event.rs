//! What is counted, and by which names reports give the errors.

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A connection was accepted.
    Connection,
    /// A byte of an answer was put on a socket.
    Byte,
    /// An answer 2xx was sent whole.
    Success,
    /// An answer 3xx was sent whole.
    Redirection,
    /// An answer 4xx was sent whole.
    ClientError,
    /// An answer 5xx was sent whole.
    ServerError,
    /// The client reset the connection, or it broke otherwise.
    Broken,
    /// A request did not come whole in time (408).
    RequestTimeout,
    /// A client did not read its answer for too long.
    Stalled,
    /// A file became shorter while it was served.
    Truncated,
    /// A file could not be read.
    Unreadable,
    /// A connection could not be accepted for want of descriptors or memory.
    AcceptFailed,
    /// A connection was turned away with 503 as soon as it was accepted.
    Refused,
    /// A process or thread was replaced, or goes on although its work had a defect.
    Replaced,
    /// An answer was cut off because the drain deadline passed.
    Abandoned,
    /// A request was answered 503 because there was too much to do.
    Shed,
    /// Another server, whose answer was to be passed on, gave none or broke it off.
    UpstreamFailed,
    /// A handshake of TLS came to its end in full.
    Handshake,
    /// A handshake of TLS took up a session from before.
    Resumption,
    /// A handshake of TLS came to nothing: what came was no such thing, or the two ends have nothing in common.
    HandshakeFailed,
    /// A handshake of TLS did not come to its end in time.
    HandshakeTimeout,
    /// What came after the handshake was no record of TLS, or not the client's.
    BadRecord,
    /// What came where TLS is spoken was a request in the clear.
    NotTls,
    /// A client sent no more without having said so over TLS: somebody else may have cut it off.
    EndedWithoutClose,
    /// A client of HTTP/2 did not keep to the protocol, and its connection was ended.
    ProtocolError,
    /// What came as a request of HTTP/2 is none, and its stream was reset.
    RequestMalformed,
    /// A connection of HTTP/2 was ended because too many requests were taken back, or had to be reset.
    ResetFlood,
    /// Likewise, because a head came in too many frames, or too long ones.
    ContinuationFlood,
    /// Likewise, because of too many SETTINGS.
    SettingsFlood,
    /// Likewise, because of too many PING.
    PingFlood,
    /// Likewise, because of too many frames with nothing in them.
    EmptyFrameFlood,
    /// Likewise, because windows were opened too often, or by too little.
    WindowFlood,
    /// Likewise, because priorities were changed too often, or of too many frames that mean nothing.
    PriorityFlood,
}

impl Event {
    /// The errors, each with the name that reports give it.
    pub const ERRORS: [(Self, &'static str); 25] = [
        (Self::Broken, "connection_broken"),
        (Self::RequestTimeout, "request_timeout"),
        (Self::Stalled, "reader_stalled"),
        (Self::Truncated, "file_truncated"),
        (Self::Unreadable, "file_unreadable"),
        (Self::AcceptFailed, "accept_failed"),
        (Self::Refused, "connection_refused_503"),
        (Self::Replaced, "worker_replaced"),
        (Self::Abandoned, "answer_abandoned"),
        (Self::Shed, "request_refused_503"),
        (Self::UpstreamFailed, "upstream_failed"),
        (Self::HandshakeFailed, "tls_handshake_failed"),
        (Self::HandshakeTimeout, "tls_handshake_timeout"),
        (Self::BadRecord, "tls_record_bad"),
        (Self::NotTls, "tls_not_spoken"),
        (Self::EndedWithoutClose, "tls_close_missing"),
        (Self::ProtocolError, "http2_protocol_error"),
        (Self::RequestMalformed, "http2_request_malformed"),
        (Self::ResetFlood, "http2_flood_of_resets"),
        (Self::ContinuationFlood, "http2_flood_of_continuations"),
        (Self::SettingsFlood, "http2_flood_of_settings"),
        (Self::PingFlood, "http2_flood_of_pings"),
        (Self::EmptyFrameFlood, "http2_flood_of_empty_frames"),
        (Self::WindowFlood, "http2_flood_of_windows"),
        (Self::PriorityFlood, "http2_flood_of_priorities"),
    ];

    /// The event that an answer with this status is.
    pub fn answer(status: u16) -> Self {
        match status {
            ..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

/// What there is more or less of from time to time; the most ever is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// Threads that serve, in all processes.
    Threads,
    /// Processes that serve.
    Processes,
}
