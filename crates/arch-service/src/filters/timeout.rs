//! `timeout=TIME`: 504 for what is not answered in time.

use std::time::Duration;

use meter::StageCounters;

use super::Filter;
use crate::service::{Answering, Answers, Error, Request};

/// Waits for an answer no longer than that, and drops whatever was on the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Timeout {
    pub(crate) at_most: Duration,
    pub(crate) stage: StageCounters,
}

impl Filter for Timeout {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        let answer = tokio::time::timeout(self.at_most, next.call(request));
        let stage = self.stage;
        Box::pin(async move {
            answer.await.unwrap_or_else(|_| {
                stage.rejected(1);
                Err(Error::TimedOut)
            })
        })
    }
}
