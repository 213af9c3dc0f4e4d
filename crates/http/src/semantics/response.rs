//! A response as a value: what is answered, however that is carried.

use std::ops::Range;

use crate::semantics::entity::Entity;
use crate::semantics::range::Parts;
use crate::semantics::status::Status;
use crate::semantics::target::Target;

/// How to prove who one is, as WWW-Authenticate asks (RFC 7617, 2).
pub(crate) const CHALLENGE: &[u8] = b"Basic realm=\"archbench\", charset=\"UTF-8\"";
/// When to come back, in seconds, as Retry-After tells it (RFC 9110, 10.2.3).
pub(crate) const RETRY_AFTER: &[u8] = b"1";

/// What a server answers.
///
/// The fields that say how it is delivered (Date, Server, Connection) and those that follow from
/// the body (Content-Length, Content-Range, and the Content-Type of a page or of several parts) are
/// added by whoever encodes it. A response to HEAD is the same as one to GET; whoever encodes it
/// leaves the body out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The status code.
    pub status: Status,
    /// What is told beside it.
    pub fields: Fields<'a>,
    /// What comes after the head.
    pub body: Body<'a>,
}

/// The fields of a response that its body does not imply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields<'a> {
    /// None.
    None,
    /// `Allow`: the methods that every file has (RFC 9110, 10.2.1).
    Allow,
    /// `WWW-Authenticate`: Basic, for the one realm there is (RFC 9110, 11.6.1; RFC 7617).
    Challenge,
    /// `Retry-After`: in a second (RFC 9110, 10.2.3).
    RetryAfter,
    /// `Location`: the same path with a slash at its end, and the query (RFC 9110, 10.2.2).
    Location(&'a Target),
    /// `Content-Range: bytes */N`: the length that would have been right (RFC 9110, 15.5.17).
    CompleteLength(u64),
    /// `ETag` alone, for a client that knows the rest (RFC 9110, 15.4.5).
    EntityTag(&'a Entity),
    /// `Last-Modified`, `ETag`, `Accept-Ranges` and `Content-Type`.
    Representation(&'a Entity),
}

/// What comes after the head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Nothing, and there could be nothing.
    Empty,
    /// A line that says what the status says: [`Status::page`].
    Page,
    /// Bytes of this file.
    File(&'a Entity, Content<'a>),
}

/// Which bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// All.
    Whole,
    /// One range (RFC 9110, 15.3.7.1).
    Part(Range<u64>),
    /// Several ranges, as `multipart/byteranges` (RFC 9110, 15.3.7.2).
    Parts(Parts<'a>),
}

impl<'a> Response<'a> {
    /// Has nothing more to say than its status.
    pub fn page(status: Status) -> Response<'a> {
        Response {
            status,
            fields: match status {
                Status::MethodNotAllowed => Fields::Allow,
                Status::Unauthorized => Fields::Challenge,
                Status::ServiceUnavailable => Fields::RetryAfter,
                _ => Fields::None,
            },
            body: Body::Page,
        }
    }

    /// The bytes of the file that come first. `None`: it has none.
    pub fn first_range(&self) -> Option<Range<u64>> {
        match &self.body {
            Body::Empty | Body::Page => None,
            Body::File(entity, Content::Whole) => (entity.len() > 0).then(|| 0..entity.len()),
            Body::File(_, Content::Part(range)) => Some(range.clone()),
            Body::File(_, Content::Parts(parts)) => parts.clone().next(),
        }
    }

    /// 204, the answer to OPTIONS (RFC 9110, 9.3.7).
    pub fn options() -> Response<'a> {
        Response {
            status: Status::NoContent,
            fields: Fields::Allow,
            body: Body::Empty,
        }
    }

    /// 301 to the same path with a slash at its end.
    pub(crate) fn redirect(target: &'a Target) -> Response<'a> {
        Response {
            status: Status::MovedPermanently,
            fields: Fields::Location(target),
            body: Body::Page,
        }
    }

    /// 304: what a 200 would have said of the kind that updates a cache, and that its client does
    /// not know already (RFC 9110, 15.4.5). With an entity tag at hand, Last-Modified is not of
    /// that kind.
    pub(crate) fn not_modified(entity: &'a Entity) -> Response<'a> {
        Response {
            status: Status::NotModified,
            fields: Fields::EntityTag(entity),
            body: Body::Empty,
        }
    }

    /// 416, with the length that would have been right (RFC 9110, 15.5.17).
    pub(crate) fn unsatisfiable(entity: &Entity) -> Response<'a> {
        Response {
            status: Status::RangeNotSatisfiable,
            fields: Fields::CompleteLength(entity.len()),
            body: Body::Page,
        }
    }

    /// 200, with the whole file.
    #[inline]
    pub(crate) fn whole(entity: &'a Entity) -> Response<'a> {
        Response {
            status: Status::Ok,
            fields: Fields::Representation(entity),
            body: Body::File(entity, Content::Whole),
        }
    }

    /// 206, with a part of the file. `known`: the client has the file's fields, which need not be
    /// told again, the entity tag apart (RFC 9110, 15.3.7).
    pub(crate) fn part(entity: &'a Entity, content: Content<'a>, known: bool) -> Response<'a> {
        Response {
            status: Status::PartialContent,
            fields: if known {
                Fields::EntityTag(entity)
            } else {
                Fields::Representation(entity)
            },
            body: Body::File(entity, content),
        }
    }
}
