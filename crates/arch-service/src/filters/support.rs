//! A service whose answers a test decides, and requests for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, RawTarget, Status};
use meter::Meter;
use tokio::time::sleep;
use tower::util::BoxCloneService;
use tower::{Service, ServiceExt};

use super::Filters;
use crate::service::{Answering, Chain, Error, Request, Response};

/// What a scripted service does with a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply {
    /// After so long.
    pub(crate) after: Duration,
    /// It answers with this, or fails.
    pub(crate) outcome: Result<Status, Error>,
}

impl Reply {
    pub(crate) fn with(status: Status) -> Self {
        Self {
            after: Duration::ZERO,
            outcome: Ok(status),
        }
    }

    pub(crate) fn after(ms: u64, status: Status) -> Self {
        Self {
            after: Duration::from_millis(ms),
            outcome: Ok(status),
        }
    }
}

/// A service that answers its calls as it was told, the last reply for all that follow.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    replies: Arc<[Reply]>,
    calls: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
}

impl Scripted {
    pub(crate) fn new(replies: &[Reply]) -> Self {
        Self {
            replies: replies.into(),
            calls: Arc::default(),
            answers: Arc::default(),
        }
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }

    /// How many of its answers were waited for.
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(SeqCst)
    }
}

impl Service<Request> for Scripted {
    type Response = Response;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Answering {
        let call = self.calls.fetch_add(1, SeqCst);
        let Reply { after, outcome } = self.replies[call.min(self.replies.len() - 1)];
        let answers = Arc::clone(&self.answers);
        Box::pin(async move {
            sleep(after).await;
            answers.fetch_add(1, SeqCst);
            outcome.map(Response::Page)
        })
    }
}

/// A chain of filters before a scripted service, and what their stages counted.
pub(crate) struct Tried {
    pub(crate) chain: Chain,
    pub(crate) service: Scripted,
    meter: Meter,
}

impl Tried {
    pub(crate) fn new(filters: &str, replies: &[Reply]) -> Self {
        let filters: Filters = filters.parse().unwrap();
        let (service, meter) = (Scripted::new(replies), Meter::new().unwrap());
        let names = filters.stage_names();
        let stages = names.iter().flat_map(|name| meter.stages([name]).unwrap());
        let leaf = BoxCloneService::new(service.clone());
        Self {
            chain: filters.compose(leaf, stages.collect()),
            service,
            meter,
        }
    }

    /// The status of one more request.
    pub(crate) async fn get(&self) -> u16 {
        self.ask(request("/", &[])).await
    }

    pub(crate) async fn ask(&self, request: Request) -> u16 {
        let outcome = self.chain.clone().oneshot(request).await;
        crate::service::status(&outcome)
    }

    /// Of a stage: requests that went through it, and those that it refused.
    pub(crate) fn counted(&self, name: &str) -> (u64, u64) {
        let stages = self.meter.snapshot().stages;
        let stage = stages.iter().find(|stage| stage.name == name).unwrap();
        (stage.now.events, stage.now.rejected)
    }

    /// The most requests that were in a stage at a time.
    pub(crate) fn at_most(&self, name: &str) -> u64 {
        let stages = self.meter.snapshot().stages;
        let stage = stages.iter().find(|stage| stage.name == name).unwrap();
        stage.queue_peak
    }
}

/// A GET with these fields.
pub(crate) fn request(target: &str, fields: &[(&str, &str)]) -> Request {
    let target = RawTarget::new(target.as_bytes()).unwrap();
    let mut request = http::Request::new(Method::Get, target);
    for (name, value) in fields {
        request.keep(name, value.as_bytes());
        request.push(name, value.as_bytes()).unwrap();
    }
    Arc::new(request)
}
