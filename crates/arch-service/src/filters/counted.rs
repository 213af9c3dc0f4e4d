//! What every filter tells of itself, and `stats` of what stands behind it: how many requests are in it, how long they take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use meter::StageCounters;
use tower::{Layer, Service};

use crate::service::{Answering, Answers, Error, Request, Response};

/// Counts what goes through a service, from its wish to be let in to its answer.
#[derive(Debug, Clone)]
pub(crate) struct CountedLayer(pub(crate) StageCounters);

impl<S> Layer<S> for CountedLayer {
    type Service = Counted<S>;

    fn layer(&self, next: S) -> Counted<S> {
        let (stage, inside) = (self.0, Arc::default());
        Counted {
            next,
            gauge: Gauge { stage, inside },
            waits: None,
        }
    }
}

/// A service whose requests are counted.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    next: S,
    gauge: Gauge,
    /// The request that waits to be let in, or has been and is to be handed over.
    waits: Option<Inside>,
}

/// How many requests are inside, in all clones together.
#[derive(Debug, Clone)]
struct Gauge {
    stage: StageCounters,
    inside: Arc<AtomicUsize>,
}

/// A request that is inside, until this is dropped.
#[derive(Debug)]
struct Inside {
    gauge: Gauge,
    since: Instant,
}

impl Gauge {
    fn enter(&self) -> Inside {
        self.stage.queue(self.inside.fetch_add(1, Relaxed) + 1);
        Inside {
            gauge: self.clone(),
            since: Instant::now(),
        }
    }
}

impl Drop for Inside {
    /// Answered or given up: either way it has left.
    fn drop(&mut self) {
        let Gauge { stage, inside } = &self.gauge;
        stage.handled(1, self.since.elapsed());
        stage.queue(inside.fetch_sub(1, Relaxed) - 1);
    }
}

impl<S: Clone> Clone for Counted<S> {
    fn clone(&self) -> Self {
        Self {
            next: self.next.clone(),
            gauge: self.gauge.clone(),
            waits: None,
        }
    }
}

impl<S: Answers> Service<Request> for Counted<S> {
    type Response = Response;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.waits.get_or_insert_with(|| self.gauge.enter());
        let outcome = ready!(self.next.poll_ready(context));
        if outcome.is_err() {
            self.waits = None;
        }
        Poll::Ready(outcome)
    }

    fn call(&mut self, request: Request) -> Answering {
        let inside = self.waits.take().unwrap_or_else(|| self.gauge.enter());
        let answer = self.next.call(request);
        Box::pin(async move {
            let outcome = answer.await;
            drop(inside);
            outcome
        })
    }
}
