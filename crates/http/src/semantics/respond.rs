//! What to answer, once it is known whether there is a file: nothing but a decision.

use crate::semantics::conditional::Outcome;
use crate::semantics::entity::Entity;
use crate::semantics::method::Method;
use crate::semantics::range::{self, Selection};
use crate::semantics::request::Request;
use crate::semantics::response::{Content, Response};
use crate::semantics::status::Status;

/// Why there is no file to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// 404
    NotFound,
    /// 403
    Forbidden,
    /// It is a directory, and was asked for without the slash at its end: 301.
    NeedsSlash,
    /// The server has run out of something, descriptors for instance, and will have it again: 503.
    Busy,
    /// The file system failed: 500.
    Failed,
}

/// What became of looking for the file that a request means.
pub type Found<'a> = Result<&'a Entity, Missing>;

/// Answers a GET or a HEAD: the preconditions in the order of RFC 9110, 13.2.2, then the range.
///
/// `now` is the time in seconds since the epoch, `None` for a server without a clock; `max_ranges`
/// is how many ranges a request may ask for before it is answered with the whole file.
#[inline]
pub fn respond<'a>(
    request: &'a Request,
    found: Found<'a>,
    now: Option<u64>,
    max_ranges: usize,
) -> Response<'a> {
    match found {
        Ok(entity) if request.conditions().is_empty() => Response::whole(entity),
        Ok(entity) => respond_on_condition(request, entity, now, max_ranges),
        Err(Missing::NotFound) => Response::page(Status::NotFound),
        Err(Missing::Forbidden) => Response::page(Status::Forbidden),
        Err(Missing::NeedsSlash) => Response::redirect(request.target()),
        Err(Missing::Busy) => Response::page(Status::ServiceUnavailable),
        Err(Missing::Failed) => Response::page(Status::InternalServerError),
    }
}

fn respond_on_condition<'a>(
    request: &'a Request,
    entity: &'a Entity,
    now: Option<u64>,
    max_ranges: usize,
) -> Response<'a> {
    let (range, known) = match request.conditions().evaluate(entity, now) {
        Outcome::Perform { range, known } => (range, known),
        Outcome::NotModified => return Response::not_modified(entity),
        Outcome::Failed => return Response::page(Status::PreconditionFailed),
    };
    // No other method than GET has ranges (RFC 9110, 14.2).
    let range = range.filter(|_| request.method() == Method::Get);
    let selection = range.map_or(Selection::Whole, |value| {
        range::select(value, entity.len(), max_ranges)
    });
    match selection {
        Selection::Whole => Response::whole(entity),
        Selection::Part(part) => Response::part(entity, Content::Part(part), known),
        Selection::Parts(parts) => Response::part(entity, Content::Parts(parts), known),
        Selection::Unsatisfiable => Response::unsatisfiable(entity),
    }
}
