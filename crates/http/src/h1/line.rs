//! The request line (RFC 9112, section 3).

use crate::semantics::method::Method;
use crate::semantics::status::Status;
use crate::semantics::syntax::is_token;
use crate::semantics::target::RawTarget;

/// A request line that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) method: Method,
    /// HTTP/1.0. Every later 1.x is as 1.1 (RFC 9110, 2.5).
    pub(crate) old: bool,
    pub(crate) target: RawTarget<'a>,
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
        let target = RawTarget::new(target).ok_or(Status::BadRequest)?;
        let old = match version {
            b" HTTP/1.1" => false,
            b" HTTP/1.0" => true,
            _ => match version.strip_prefix(b" HTTP/") {
                Some([b'1', b'.', b'2'..=b'9']) => false,
                Some([b'2'..=b'9', b'.', b'0'..=b'9']) => return Err(Status::VersionNotSupported),
                _ => return Err(Status::BadRequest),
            },
        };
        if target.text().len() > max_target {
            return Err(Status::UriTooLong);
        }
        Ok(Line {
            method,
            old,
            target,
        })
    }
}
