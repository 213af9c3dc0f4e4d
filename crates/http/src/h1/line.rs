//! The request line (RFC 9112, section 3).

use crate::semantics::status::Status;
use crate::semantics::syntax::{is_token, is_visible};
use crate::semantics::target;

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
    pub(crate) fn of(token: &[u8]) -> Method {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"OPTIONS" => Method::Options,
            b"POST" | b"PUT" | b"DELETE" | b"PATCH" | b"TRACE" | b"CONNECT" => Method::Refused,
            _ => Method::Unknown,
        }
    }
}

/// A request line that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) method: Method,
    /// HTTP/1.0. Every later 1.x is as 1.1 (RFC 9110, 2.5).
    pub(crate) old: bool,
    /// Not empty, and without space or control byte.
    pub(crate) target: &'a [u8],
    /// The target is a path that needs neither decoding nor normalising.
    pub(crate) plain: bool,
}

impl<'a> Line<'a> {
    /// `line` comes without its line end. One space separates, and nothing else does.
    pub(crate) fn parse(line: &'a [u8], max_target: usize) -> Result<Line<'a>, Status> {
        let (rest, version) = line.split_last_chunk::<9>().ok_or(Status::BadRequest)?;
        let (method, target) = match rest {
            [b'G', b'E', b'T', b' ', target @ ..] => (Method::Get, target),
            _ => {
                let space = memchr::memchr(b' ', rest).ok_or(Status::BadRequest)?;
                if !is_token(&rest[..space]) {
                    return Err(Status::BadRequest);
                }
                (Method::of(&rest[..space]), &rest[space + 1..])
            }
        };
        let plain = target::is_plain(target);
        if !plain && (target.is_empty() || !target.iter().all(|&byte| is_visible(byte))) {
            return Err(Status::BadRequest);
        }
        let old = match version {
            b" HTTP/1.1" => false,
            b" HTTP/1.0" => true,
            _ => match version.strip_prefix(b" HTTP/") {
                Some([b'1', b'.', b'2'..=b'9']) => false,
                Some([b'2'..=b'9', b'.', b'0'..=b'9']) => return Err(Status::VersionNotSupported),
                _ => return Err(Status::BadRequest),
            },
        };
        if target.len() > max_target {
            return Err(Status::UriTooLong);
        }
        Ok(Line {
            method,
            old,
            target,
            plain,
        })
    }
}
