//! `retry=N`: asks again where the answer is 502 or 503, or there is none for want of room.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use tower::retry::budget::{Budget, TpsBudget};
use tower::retry::{Policy, RetryLayer};

use crate::service::{Error, Request, Response, status};

/// For how long a request counts that was not repeated.
const BUDGET_SPAN: Duration = Duration::from_secs(10);
/// Repetitions a second that are allowed however few requests there are.
const LEAST_A_SECOND: u32 = 10;
/// Repetitions for each request beyond those.
const SHARE: f32 = 0.2;

/// tower's own, with one budget for the clones of all connections: whoever is down is not asked many times as often as before.
pub(crate) fn layer(times: usize) -> RetryLayer<Again> {
    let budget = TpsBudget::new(BUDGET_SPAN, LEAST_A_SECOND, SHARE);
    RetryLayer::new(Again {
        left: times,
        budget: Arc::new(budget),
    })
}

/// Whether a request is repeated. Every method here may be, since none changes anything (RFC 9110, 9.2.2); what has been answered
/// in any other way would be so again, and what came too late would only be later.
#[derive(Clone)]
pub(crate) struct Again {
    left: usize,
    budget: Arc<TpsBudget>,
}

impl Policy<Request, Response, Error> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request,
        outcome: &mut Result<Response, Error>,
    ) -> Option<Ready<()>> {
        if !matches!(status(outcome), 502 | 503) {
            self.budget.deposit();
            return None;
        }
        if self.left == 0 || !self.budget.withdraw() {
            return None;
        }
        self.left -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        Some(Arc::clone(request))
    }
}
