//! `shed`: 503 for what would have to wait to be let in.

use std::future::ready;
use std::task::{Context, Poll};

use meter::StageCounters;
use tower::{Layer, Service};

use crate::service::{Answering, Answers, Error, Request, Response};

/// Puts a filter that sheds before a service.
#[derive(Debug, Clone)]
pub(crate) struct ShedLayer(pub(crate) StageCounters);

impl<S> Layer<S> for ShedLayer {
    type Service = Shed<S>;

    fn layer(&self, next: S) -> Shed<S> {
        Shed {
            next,
            is_ready: false,
            stage: self.0,
        }
    }
}

/// Is always ready, and answers in place of a service that is not.
#[derive(Debug, Clone)]
pub(crate) struct Shed<S> {
    next: S,
    is_ready: bool,
    stage: StageCounters,
}

impl<S: Answers> Service<Request> for Shed<S> {
    type Response = Response;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.is_ready = match self.next.poll_ready(context) {
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => true,
            Poll::Pending => {
                // What was asked stands in the limit's queue from now on, and would be given a permit that nobody uses while this
                // connection is kept. A clone has asked for nothing.
                self.next = self.next.clone();
                false
            }
        };
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answering {
        if self.is_ready {
            self.is_ready = false;
            return Box::pin(self.next.call(request));
        }
        self.stage.rejected(1);
        Box::pin(ready(Err(Error::Overloaded)))
    }
}
