//! What a request comes to, as far as it can be told without the file.

use crate::semantics::method::Method;
use crate::semantics::request::{Expectation, Request};
use crate::semantics::status::Status;
use crate::semantics::target::Form;

/// What to do once a request is whole, body included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Look the target up.
    Find,
    /// Answer an OPTIONS.
    Options,
    /// Answer with an error; the connection can go on.
    Refuse(Status),
    /// Answer with an error at once, and close.
    Fatal(Status),
}

impl Decision {
    /// The decision on a request whose framing and Host are in order: its method first, then what it
    /// expects, then its target.
    pub(crate) fn on(request: &Request) -> Decision {
        match request.method() {
            Method::Unknown => return Decision::Fatal(Status::NotImplemented),
            Method::Refused => return Decision::Refuse(Status::MethodNotAllowed),
            Method::Get | Method::Head | Method::Options => {}
        }
        if request.expectation() == Expectation::Unknown {
            return Decision::Refuse(Status::ExpectationFailed);
        }
        match (request.form(), request.method()) {
            (Form::Path | Form::Server, Method::Options) => Decision::Options,
            (Form::Path, _) => Decision::Find,
            (Form::Outside, _) => Decision::Refuse(Status::NotFound),
            (Form::Malformed, _) => Decision::Refuse(Status::BadRequest),
            (Form::Server | Form::Other, _) => Decision::Fatal(Status::BadRequest),
        }
    }

    /// The decision when the body turns out longer than the bound, and so cannot be dropped.
    pub(crate) fn on_large_body(self) -> Decision {
        match self {
            Decision::Fatal(_) => self,
            Decision::Refuse(Status::MethodNotAllowed) => Decision::Fatal(Status::MethodNotAllowed),
            Decision::Find | Decision::Options | Decision::Refuse(_) => {
                Decision::Fatal(Status::ContentTooLarge)
            }
        }
    }
}
