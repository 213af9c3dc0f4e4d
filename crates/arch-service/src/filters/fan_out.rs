//! `fan-out=N`: asks so many times at once and waits for all, as whoever puts an answer together from parts has to.

use std::sync::Arc;

use futures_util::future::join_all;
use tower::ServiceExt;

use super::Filter;
use crate::service::{Answering, Answers, Request, Response};

/// Asks for so many answers at a time. They are alike, and so the first good one is the answer; but it is given when the last of
/// them has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FanOut(pub(crate) usize);

impl Filter for FanOut {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        let own = next.call(Arc::clone(&request));
        let others = (1..self.0).map(|_| next.clone().oneshot(Arc::clone(&request)));
        let others = join_all(others.collect::<Vec<_>>());
        Box::pin(async move {
            let (own, others) = futures_util::future::join(own, others).await;
            let is_good = |outcome: &Result<Response, _>| {
                outcome
                    .as_ref()
                    .is_ok_and(|response| response.status() < 500)
            };
            let mut all = std::iter::once(own).chain(others).collect::<Vec<_>>();
            let chosen = all.iter().position(is_good).unwrap_or(0);
            all.swap_remove(chosen)
        })
    }
}
