//! What a server tells all of its connections.

/// Limits, and whether connections are kept. One for a process; it does not change while the
/// process serves.
///
/// Every limit is a bound on memory or on work that one client can cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether a connection may carry a second request. `false`: every answer says `Connection:
    /// close`.
    pub keep_alive: bool,
    /// Requests that one connection may carry; the last answer says `Connection: close`. 0 = no
    /// limit.
    pub max_requests_per_connection: u64,
    /// Longest request target in bytes, query included; beyond it 414 (RFC 9110, 15.5.15).
    pub max_target: usize,
    /// Longest head in bytes, from the request line to the empty line that ends it; beyond it 431
    /// (RFC 6585, 5).
    pub max_head: usize,
    /// Most header field lines in a head; beyond it 431.
    pub max_fields: usize,
    /// Longest request body in bytes that is read and dropped, so that the connection can be kept;
    /// beyond it 413.
    pub max_body: u64,
    /// Most ranges in a request; a request for more is answered with the whole file (RFC 9110,
    /// 14.2), as is one for ranges that add up to more than that. 0: ranges are ignored.
    pub max_ranges: usize,
    /// Whether requests keep all of their field lines, for whoever answers them elsewhere: see
    /// [`Connection::take_request`](crate::Connection::take_request).
    pub keep_fields: bool,
    /// Whether the payloads of several frames of a body may be wanted sent at a time, for whoever can put their headers in between:
    /// see [`Frames`](crate::h2::Frames).
    pub gather_frames: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            keep_alive: true,
            max_requests_per_connection: 0,
            max_target: 8 << 10,
            max_head: 32 << 10,
            max_fields: 100,
            max_body: 64 << 10,
            max_ranges: 100,
            keep_fields: false,
            gather_frames: false,
        }
    }
}
