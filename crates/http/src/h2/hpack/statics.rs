//! The fields that every peer knows (RFC 7541, appendix A).

/// The fields, of which the first has index 1.
#[rustfmt::skip]
pub(crate) static FIELDS: [(&[u8], &[u8]); 61] = [
    (b":authority", b""), (b":method", b"GET"), (b":method", b"POST"), (b":path", b"/"), (b":path", b"/index.html"),
    (b":scheme", b"http"), (b":scheme", b"https"), (b":status", b"200"), (b":status", b"204"), (b":status", b"206"),
    (b":status", b"304"), (b":status", b"400"), (b":status", b"404"), (b":status", b"500"), (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"), (b"accept-language", b""), (b"accept-ranges", b""), (b"accept", b""),
    (b"access-control-allow-origin", b""), (b"age", b""), (b"allow", b""), (b"authorization", b""), (b"cache-control", b""),
    (b"content-disposition", b""), (b"content-encoding", b""), (b"content-language", b""), (b"content-length", b""),
    (b"content-location", b""), (b"content-range", b""), (b"content-type", b""), (b"cookie", b""), (b"date", b""), (b"etag", b""),
    (b"expect", b""), (b"expires", b""), (b"from", b""), (b"host", b""), (b"if-match", b""), (b"if-modified-since", b""),
    (b"if-none-match", b""), (b"if-range", b""), (b"if-unmodified-since", b""), (b"last-modified", b""), (b"link", b""),
    (b"location", b""), (b"max-forwards", b""), (b"proxy-authenticate", b""), (b"proxy-authorization", b""), (b"range", b""),
    (b"referer", b""), (b"refresh", b""), (b"retry-after", b""), (b"server", b""), (b"set-cookie", b""),
    (b"strict-transport-security", b""), (b"transfer-encoding", b""), (b"user-agent", b""), (b"vary", b""), (b"via", b""),
    (b"www-authenticate", b""),
];

/// Where in the table the names are that are written here.
pub(crate) mod index {
    pub(crate) const AUTHORITY: usize = 1;
    pub(crate) const METHOD: usize = 2;
    pub(crate) const GET: usize = 2;
    pub(crate) const PATH: usize = 4;
    pub(crate) const SCHEME_HTTP: usize = 6;
    pub(crate) const SCHEME_HTTPS: usize = 7;
    pub(crate) const STATUS: usize = 8;
    pub(crate) const ACCEPT_RANGES: usize = 18;
    pub(crate) const ALLOW: usize = 22;
    pub(crate) const CONTENT_ENCODING: usize = 26;
    pub(crate) const CONTENT_LENGTH: usize = 28;
    pub(crate) const CONTENT_RANGE: usize = 30;
    pub(crate) const CONTENT_TYPE: usize = 31;
    pub(crate) const DATE: usize = 33;
    pub(crate) const ETAG: usize = 34;
    pub(crate) const LAST_MODIFIED: usize = 44;
    pub(crate) const LOCATION: usize = 46;
    pub(crate) const RETRY_AFTER: usize = 53;
    pub(crate) const SERVER: usize = 54;
    pub(crate) const WWW_AUTHENTICATE: usize = 61;
}
