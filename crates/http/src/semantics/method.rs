//! Request methods (RFC 9110, section 9).

/// The methods that every file has, as Allow tells them (RFC 9110, 10.2.1).
pub(crate) const ALLOWED: &[u8] = b"GET, HEAD, OPTIONS";

/// What the server does with a method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Transfer the file (RFC 9110, 9.3.1).
    #[default]
    Get,
    /// The same without the file's bytes (RFC 9110, 9.3.2).
    Head,
    /// Say what can be done with the file (RFC 9110, 9.3.7).
    Options,
    /// Known, and not allowed on any file: 405.
    Refused,
    /// 501. Methods are case-sensitive (RFC 9110, 9.1), so `get` is one of these.
    Unknown,
}

impl Method {
    /// The method that a token names.
    pub fn of(token: &[u8]) -> Method {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"OPTIONS" => Method::Options,
            b"POST" | b"PUT" | b"DELETE" | b"PATCH" | b"TRACE" | b"CONNECT" => Method::Refused,
            _ => Method::Unknown,
        }
    }
}
