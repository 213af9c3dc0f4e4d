//! `fail-fast=TIME`: once what stands behind it is out of reach, 503 at once for so long, and then one request tries.

use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use meter::StageCounters;
use tokio::time::Instant;

use super::Filter;
use crate::service::{Answering, Answers, Error, Request, status};

/// Keeps requests from what could not be reached (502) a short time ago.
#[derive(Debug, Clone)]
pub(crate) struct FailFast {
    time: Duration,
    /// Until when nobody is let through; whoever finds it past is the one that tries, and the next has to wait for another time.
    shut_until: Arc<Mutex<Option<Instant>>>,
    stage: StageCounters,
}

impl FailFast {
    pub(crate) fn new(time: Duration, stage: StageCounters) -> Self {
        Self {
            time,
            shut_until: Arc::default(),
            stage,
        }
    }

    /// Whether a request is let through.
    fn admits(&self) -> bool {
        let now = Instant::now();
        let mut shut_until = self
            .shut_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &mut *shut_until {
            None => true,
            Some(until) if now < *until => false,
            Some(until) => {
                *until = now + self.time;
                true
            }
        }
    }

    fn note(&self, is_reached: bool) {
        let mut shut_until = self
            .shut_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *shut_until = match is_reached {
            true => None,
            false => Some(Instant::now() + self.time),
        };
    }
}

impl Filter for FailFast {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        if !self.admits() {
            self.stage.rejected(1);
            return Box::pin(ready(Err(Error::Overloaded)));
        }
        let (answer, own) = (next.call(request), self.clone());
        Box::pin(async move {
            let outcome = answer.await;
            own.note(status(&outcome) != 502);
            outcome
        })
    }
}
