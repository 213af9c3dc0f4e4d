//! Turning connections away that nobody can serve.

use crate::h1::encode::{Manner, Persistence};
use crate::h1::scratch::{Finished, Scratch};
use crate::semantics::response::Response;
use crate::semantics::status::Status;

/// A whole answer, to [`Scratch::out`], for a connection that cannot be served because the server
/// lacks what it takes, a thread for instance: 503, to come back in a second. Afterwards linger: a
/// request may be on its way.
pub fn refusal(scratch: &mut Scratch) {
    let manner = Manner {
        persistence: Persistence::Closed,
        head_only: false,
    };
    let response = Response::page(Status::ServiceUnavailable);
    scratch.encode(&response, manner);
    scratch.finished.push(Finished {
        status: response.status.code(),
    });
}
