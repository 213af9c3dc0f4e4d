//! What can be wrong with a response, each kind a class of its own.

use std::fmt;

/// A malformed or unfinished response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The first bytes are no HTTP/1 status line.
    NotHttp,
    /// The status line has no valid status code.
    BadStatus,
    /// A field line that is none.
    BadField,
    /// The head does not end within [`super::head::MAX_HEAD_BYTES`].
    HeadTooLarge,
    /// More field lines than any server has a reason to send.
    TooManyFields,
    /// A Content-Length that is no number, overflows, or contradicts another.
    BadLength,
    /// A Transfer-Encoding in which chunked is repeated, or that is empty, or that came with HTTP/1.0.
    BadTransferCoding,
    /// Both Transfer-Encoding and Content-Length.
    ConflictingFraming,
    /// A chunk size that is no number or absurdly large, or a chunk extension without end.
    BadChunkSize,
    /// A chunk whose data is not followed by a line end.
    BadChunkEnd,
    /// A trailer section that is malformed or without end.
    BadTrailer,
    /// Interim responses without end.
    TooManyInterim,
    /// 101: the server changed to a protocol nobody asked for.
    Upgrade,
    /// Bytes to which no request belongs.
    Unsolicited,
    /// Closed with a request outstanding, before the first byte of its response.
    ClosedBeforeResponse,
    /// Closed within the head.
    ClosedInHead,
    /// Closed within the body.
    ClosedInBody,
    /// What came where HTTP/2 was spoken is none, or breaks its rules.
    NotHttp2,
    /// A stream of HTTP/2 was reset.
    StreamReset,
}

impl Error {
    /// Every class, in the order of the numbers given by [`Error::index`].
    pub const ALL: [Self; 19] = [
        Self::NotHttp,
        Self::BadStatus,
        Self::BadField,
        Self::HeadTooLarge,
        Self::TooManyFields,
        Self::BadLength,
        Self::BadTransferCoding,
        Self::ConflictingFraming,
        Self::BadChunkSize,
        Self::BadChunkEnd,
        Self::BadTrailer,
        Self::TooManyInterim,
        Self::Upgrade,
        Self::Unsolicited,
        Self::ClosedBeforeResponse,
        Self::ClosedInHead,
        Self::ClosedInBody,
        Self::NotHttp2,
        Self::StreamReset,
    ];

    /// Its place in [`Error::ALL`], to count by.
    pub fn index(self) -> usize {
        self as usize
    }

    /// A name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotHttp => "not_http",
            Self::BadStatus => "bad_status",
            Self::BadField => "bad_field",
            Self::HeadTooLarge => "head_too_large",
            Self::TooManyFields => "too_many_fields",
            Self::BadLength => "bad_length",
            Self::BadTransferCoding => "bad_transfer_coding",
            Self::ConflictingFraming => "conflicting_framing",
            Self::BadChunkSize => "bad_chunk_size",
            Self::BadChunkEnd => "bad_chunk_end",
            Self::BadTrailer => "bad_trailer",
            Self::TooManyInterim => "too_many_interim",
            Self::Upgrade => "upgrade",
            Self::Unsolicited => "unsolicited",
            Self::ClosedBeforeResponse => "closed_before_response",
            Self::ClosedInHead => "closed_in_head",
            Self::ClosedInBody => "closed_in_body",
            Self::NotHttp2 => "not_http2",
            Self::StreamReset => "stream_reset",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotHttp => "the server does not speak HTTP/1",
            Self::BadStatus => "malformed status code",
            Self::BadField => "malformed header field",
            Self::HeadTooLarge => "head too large",
            Self::TooManyFields => "too many header fields",
            Self::BadLength => "malformed or contradictory Content-Length",
            Self::BadTransferCoding => "malformed Transfer-Encoding",
            Self::ConflictingFraming => "both Transfer-Encoding and Content-Length",
            Self::BadChunkSize => "malformed chunk size",
            Self::BadChunkEnd => "chunk data not followed by a line end",
            Self::BadTrailer => "malformed trailer section",
            Self::TooManyInterim => "interim responses without end",
            Self::Upgrade => "unasked change of protocol",
            Self::Unsolicited => "bytes that answer no request",
            Self::ClosedBeforeResponse => "closed before the response began",
            Self::ClosedInHead => "closed within the head",
            Self::ClosedInBody => "closed within the body",
            Self::NotHttp2 => "the server does not speak HTTP/2 in the clear, or breaks its rules",
            Self::StreamReset => "the server gave the answer up",
        })
    }
}

impl std::error::Error for Error {}
