//! What a service is: a function from a request to a response that comes later (Eriksen, section 2.2).

use std::pin::Pin;
use std::sync::Arc;

use arch::session::{Answer, FileAnswer};
use http::Status;
use http::relay::RelayedHead;
use tokio::sync::Notify;
use tower::Service;
use tower::util::BoxCloneService;

use crate::upstream::Body;

/// What is asked: a value that filters look at, copy at no cost, and send on.
pub(crate) type Request = Arc<http::Request>;

/// What is answered.
#[derive(Debug)]
pub(crate) enum Response {
    /// What there is to be said of a file; what comes first of it is at hand.
    File(Box<FileAnswer>),
    /// A status, and nothing more than that.
    Page(Status),
    /// What another server said.
    Relayed(Box<RelayedHead>, Body),
}

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Error {
    /// Nothing came in time.
    TimedOut,
    /// There is too much to do.
    Overloaded,
    /// Another server cannot be reached, or says nothing.
    Unreachable,
    /// Another server says what cannot be passed on.
    Malformed,
}

/// What a service returns: a response, or an error, when it is there.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// Services and filters put together, whichever they are. A clone is as good as the original, but is made ready by itself.
pub(crate) type Chain = BoxCloneService<Request, Response, Error>;

/// Whatever a filter can stand before.
pub(crate) trait Answers:
    Service<Request, Response = Response, Error = Error, Future: Send + 'static>
    + Clone
    + Send
    + 'static
{
}

impl<S> Answers for S where
    S: Service<Request, Response = Response, Error = Error, Future: Send + 'static>
        + Clone
        + Send
        + 'static
{
}

impl Response {
    /// Its status code.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::File(answer) => answer.status(),
            Self::Page(status) => status.code(),
            Self::Relayed(head, _) => head.status(),
        }
    }

    /// As a session takes it. `ready` is told when there is more of a body for which it had to wait.
    pub(crate) fn into_answer(self, ready: &Arc<Notify>) -> Answer {
        match self {
            Self::File(answer) => Answer::File(answer),
            Self::Page(status) => Answer::Page(status),
            Self::Relayed(head, body) => Answer::Relayed(head, body.into_source(ready)),
        }
    }
}

impl Error {
    /// What the client is told.
    pub(crate) fn status(self) -> Status {
        match self {
            Self::TimedOut => Status::GatewayTimeout,
            Self::Overloaded => Status::ServiceUnavailable,
            Self::Unreachable | Self::Malformed => Status::BadGateway,
        }
    }
}

/// The status code of what came of a request.
pub(crate) fn status(outcome: &Result<Response, Error>) -> u16 {
    match outcome {
        Ok(response) => response.status(),
        Err(error) => error.status().code(),
    }
}
