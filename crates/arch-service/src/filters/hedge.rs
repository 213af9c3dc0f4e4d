//! `hedge=TIME`: asks a second time what is not answered by then, and takes the first answer (Dean and Barroso, "The Tail at Scale",
//! 2013).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::sleep;
use tower::ServiceExt;
use tower::retry::budget::{Budget, TpsBudget};

use super::Filter;
use crate::service::{Answering, Answers, Request};

/// For how long a request counts towards the budget.
const BUDGET_SPAN: Duration = Duration::from_secs(10);
/// Second requests that are allowed a second, however few requests there are.
const LEAST_A_SECOND: u32 = 10;
/// Second requests for each request beyond those: where everything is late, asking twice would make it later.
const SHARE: f32 = 0.1;

/// Has two answers race where one is late.
#[derive(Clone)]
pub(crate) struct Hedge {
    after: Duration,
    budget: Arc<TpsBudget>,
}

impl Hedge {
    pub(crate) fn new(after: Duration) -> Self {
        let budget = TpsBudget::new(BUDGET_SPAN, LEAST_A_SECOND, SHARE);
        Self {
            after,
            budget: Arc::new(budget),
        }
    }
}

impl Filter for Hedge {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        let (first, other) = (next.call(Arc::clone(&request)), next.clone());
        let Self { after, budget } = self.clone();
        Box::pin(async move {
            let first = pin!(first);
            let first = match select(first, pin!(sleep(after))).await {
                Either::Left((outcome, _)) => {
                    budget.deposit();
                    return outcome;
                }
                Either::Right(((), first)) => first,
            };
            if !budget.withdraw() {
                return first.await;
            }
            // Whichever is dropped is not waited for. A failure is no answer as long as the other may have one.
            match select(first, pin!(other.oneshot(request))).await {
                Either::Left((Err(_), second)) => second.await,
                Either::Right((Err(_), first)) => first.await,
                Either::Left((response, _)) | Either::Right((response, _)) => response,
            }
        })
    }
}
