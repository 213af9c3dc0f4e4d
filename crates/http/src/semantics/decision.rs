//! What a request comes to, as far as it can be told without the file.

use crate::semantics::method::Method;
use crate::semantics::request::{Expectation, Request};
use crate::semantics::status::Status;
use crate::semantics::target::Form;

/// What to do once a request is whole, body included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look the target up.
    Find,
    /// Answer an OPTIONS.
    Options,
    /// Answer with an error; the connection can go on.
    Refuse(Status),
    /// Answer with an error at once, and close.
    Fatal(Status),
}

impl Verdict {
    /// The verdict on a request whose framing and Host are in order: its method first, then what it
    /// expects, then its target.
    pub(crate) fn on(request: &Request) -> Verdict {
        match request.method() {
            Method::Unknown => return Verdict::Fatal(Status::NotImplemented),
            Method::Refused => return Verdict::Refuse(Status::MethodNotAllowed),
            Method::Get | Method::Head | Method::Options => {}
        }
        if request.expectation() == Expectation::Unknown {
            return Verdict::Refuse(Status::ExpectationFailed);
        }
        match (request.form(), request.method()) {
            (Form::Path | Form::Server, Method::Options) => Verdict::Options,
            (Form::Path, _) => Verdict::Find,
            (Form::Outside, _) => Verdict::Refuse(Status::NotFound),
            (Form::Malformed, _) => Verdict::Refuse(Status::BadRequest),
            (Form::Server | Form::Other, _) => Verdict::Fatal(Status::BadRequest),
        }
    }

    /// The verdict when the body turns out longer than the bound, and so cannot be dropped.
    pub(crate) fn on_large_body(self) -> Verdict {
        match self {
            Verdict::Fatal(_) => self,
            Verdict::Refuse(Status::MethodNotAllowed) => Verdict::Fatal(Status::MethodNotAllowed),
            Verdict::Find | Verdict::Options | Verdict::Refuse(_) => {
                Verdict::Fatal(Status::ContentTooLarge)
            }
        }
    }
}
