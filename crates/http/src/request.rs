//! Reads a whole head (RFC 9112, sections 3 and 5).
//!
//! `httparse` parses the field lines; the request line, and what follows from the fields, is ours to judge.

use std::ops::Range;

use crate::body::Body;
use crate::conditional::Conditions;
use crate::config::Config;
use crate::fields::{self, Name};
use crate::framing::Framing;
use crate::head::Layout;
use crate::host;
use crate::status::Status;
use crate::syntax::{elements, is_token};

/// What the server does with a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Options,
    /// Known, and not allowed on any file: 405.
    Refused,
    /// 501. Methods are case-sensitive (RFC 9110, 9.1), so `get` is one of these.
    Unknown,
}

impl Method {
    fn of(token: &[u8]) -> Method {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"OPTIONS" => Method::Options,
            b"POST" | b"PUT" | b"DELETE" | b"PATCH" | b"TRACE" | b"CONNECT" => Method::Refused,
            _ => Method::Unknown,
        }
    }
}

/// The request line, by positions within the bytes that hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLine {
    method: Method,
    /// HTTP/1.0. Every later 1.x is as 1.1 (RFC 9110, 2.5).
    old: bool,
    target_start: usize,
    target_end: usize,
}

impl RequestLine {
    /// `line` begins at position `start` and comes without its line end. One space separates, and nothing else does.
    pub(crate) fn parse(
        line: &[u8],
        start: usize,
        max_target: usize,
    ) -> Result<RequestLine, Status> {
        let (method, target_at) = match line {
            [b'G', b'E', b'T', b' ', ..] => (Method::Get, 4),
            _ => {
                let space = memchr::memchr(b' ', line).ok_or(Status::BadRequest)?;
                if !is_token(&line[..space]) {
                    return Err(Status::BadRequest);
                }
                (Method::of(&line[..space]), space + 1)
            }
        };
        let (rest, version) = line.split_last_chunk::<9>().ok_or(Status::BadRequest)?;
        let target = rest.get(target_at..).unwrap_or_default();
        if target.is_empty() || target.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            return Err(Status::BadRequest);
        }
        let old = match version {
            b" HTTP/1.1" => false,
            b" HTTP/1.0" => true,
            [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => false,
            [
                b' ',
                b'H',
                b'T',
                b'T',
                b'P',
                b'/',
                b'2'..=b'9',
                b'.',
                b'0'..=b'9',
            ] => {
                return Err(Status::VersionNotSupported);
            }
            _ => return Err(Status::BadRequest),
        };
        if target.len() > max_target {
            return Err(Status::UriTooLong);
        }
        Ok(RequestLine {
            method,
            old,
            target_start: start + target_at,
            target_end: start + target_at + target.len(),
        })
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::Head
    }

    fn target(&self) -> Range<usize> {
        self.target_start..self.target_end
    }
}

/// What the client expects before it sends a body (RFC 9110, 10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    None,
    /// `100-continue`: the client may be waiting, and may never send the body at all.
    Continue,
    /// Something that no server can meet: 417.
    Unknown,
}

/// A request whose framing and Host are in order.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) target: &'a [u8],
    /// HTTP/1.0: closes unless the client asks otherwise, and then it must be told that it got its way.
    pub(crate) old: bool,
    /// Whether the client wants the connection kept (RFC 9112, 9.3).
    pub(crate) persistent: bool,
    pub(crate) expectation: Expectation,
    pub(crate) body: Option<Body>,
}

impl<'a> Request<'a> {
    /// `bytes` hold a head of that `layout`. Preconditions and ranges go to `conditions`, which must be empty.
    ///
    /// An error means that framing or Host is not in order: answer, then close.
    pub(crate) fn parse(
        bytes: &'a [u8],
        layout: &Layout,
        conditions: &mut Conditions,
        config: &Config,
    ) -> Result<Request<'a>, Status> {
        let line = layout.line;
        let mut host: Option<&[u8]> = None;
        let mut hosts = 0u32;
        let mut framing = Framing::default();
        let mut close = false;
        let mut keep = false;
        let mut expectation = Expectation::None;
        let block = &bytes[layout.fields_start..layout.end];
        fields::each(block, layout.fields, |name, value| match name {
            Name::Host => {
                hosts += 1;
                host = Some(value);
            }
            Name::Connection => {
                for option in elements(value) {
                    close |= option.eq_ignore_ascii_case(b"close");
                    keep |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            Name::ContentLength => framing.content_length(value),
            Name::TransferEncoding => framing.transfer_encoding(value),
            Name::Expect => expectation = expect(expectation, value),
            Name::Condition(name) => conditions.push(name, value),
        })?;
        let host_required = !line.old;
        if hosts > 1 || (hosts == 0 && host_required) || !host.is_none_or(host::is_well_formed) {
            return Err(Status::BadRequest);
        }
        if line.old && expectation == Expectation::Continue {
            expectation = Expectation::None;
        }
        Ok(Request {
            method: line.method,
            target: &bytes[line.target()],
            old: line.old,
            persistent: !close && (keep || !line.old),
            expectation,
            body: framing.body(line.old, config)?,
        })
    }
}

fn expect(so_far: Expectation, value: &[u8]) -> Expectation {
    elements(value)
        .filter(|member| !member.is_empty())
        .fold(so_far, |so_far, member| {
            if so_far != Expectation::Unknown && member.eq_ignore_ascii_case(b"100-continue") {
                Expectation::Continue
            } else {
                Expectation::Unknown
            }
        })
}
