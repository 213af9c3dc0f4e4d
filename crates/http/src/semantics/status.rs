//! The statuses that this server answers with (RFC 9110, section 15).

macro_rules! statuses {
    ($($name:ident = $code:literal $reason:literal,)+) => {
        /// A status code that this server can answer with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Status {
            $(#[doc = $reason] $name = $code,)+
        }

        impl Status {
            /// The three digits and the reason phrase: `404 Not Found`.
            pub fn text(self) -> &'static [u8] {
                match self {
                    $(Status::$name => concat!($code, " ", $reason).as_bytes(),)+
                }
            }

            /// The body of an answer that has nothing more to say than its status.
            pub fn page(self) -> &'static [u8] {
                match self {
                    $(Status::$name => concat!($code, " ", $reason, "\n").as_bytes(),)+
                }
            }
        }
    };
}

statuses! {
    Ok = 200 "OK",
    NoContent = 204 "No Content",
    PartialContent = 206 "Partial Content",
    MovedPermanently = 301 "Moved Permanently",
    NotModified = 304 "Not Modified",
    BadRequest = 400 "Bad Request",
    Unauthorized = 401 "Unauthorized",
    Forbidden = 403 "Forbidden",
    NotFound = 404 "Not Found",
    MethodNotAllowed = 405 "Method Not Allowed",
    RequestTimeout = 408 "Request Timeout",
    PreconditionFailed = 412 "Precondition Failed",
    ContentTooLarge = 413 "Content Too Large",
    UriTooLong = 414 "URI Too Long",
    RangeNotSatisfiable = 416 "Range Not Satisfiable",
    ExpectationFailed = 417 "Expectation Failed",
    HeaderFieldsTooLarge = 431 "Request Header Fields Too Large",
    InternalServerError = 500 "Internal Server Error",
    NotImplemented = 501 "Not Implemented",
    BadGateway = 502 "Bad Gateway",
    ServiceUnavailable = 503 "Service Unavailable",
    GatewayTimeout = 504 "Gateway Timeout",
    VersionNotSupported = 505 "HTTP Version Not Supported",
}

impl Status {
    /// The three digits, as a number.
    pub fn code(self) -> u16 {
        self as u16
    }
}
