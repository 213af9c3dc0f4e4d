//! `cache=TIME`: answers that are kept for so long, for others who ask the same.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use arch::session::KeptFile;
use http::Method;
use quick_cache::Weighter;
use quick_cache::sync::Cache as Store;
use tokio::time::Instant;

use super::Filter;
use crate::service::{Answering, Answers, Error, Request, Response};

/// Bytes that all answers together may have.
const ROOM: u64 = 32 << 20;
/// Answers that are expected.
const ANSWERS: usize = 1024;

/// Keeps answers 200 to a GET whose bytes are in memory, under host, path and query. A request with a user, or that will not have what
/// was kept, is passed on.
#[derive(Clone)]
pub(crate) struct Cache {
    time: Duration,
    store: Arc<Store<Vec<u8>, Kept, Size>>,
}

/// An answer, and until when it is as good as a new one.
#[derive(Debug, Clone)]
struct Kept {
    until: Instant,
    file: Arc<KeptFile>,
}

#[derive(Clone)]
struct Size;

impl Weighter<Vec<u8>, Kept> for Size {
    fn weight(&self, key: &Vec<u8>, kept: &Kept) -> u64 {
        key.len() as u64 + kept.file.len()
    }
}

impl Cache {
    pub(crate) fn new(time: Duration) -> Self {
        Self {
            time,
            store: Arc::new(Store::with_weighter(ANSWERS, ROOM, Size)),
        }
    }

    fn keep(&self, key: Vec<u8>, outcome: &Result<Response, Error>) {
        if let Ok(Response::File(answer)) = outcome
            && let Some(file) = answer.keep()
        {
            let until = Instant::now() + self.time;
            let file = Arc::new(file);
            self.store.insert(key, Kept { until, file });
        }
    }
}

impl Filter for Cache {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        if is_for_one_alone(&request) {
            return Box::pin(next.call(request));
        }
        let key = key(&request);
        if let Some(Kept { until, file }) = self.store.get(&key)
            && Instant::now() < until
        {
            let answer = file.answer(request);
            return Box::pin(ready(Ok(Response::File(answer))));
        }
        let may_be_kept = request.method() == Method::Get && !request.is_conditional();
        let answer = next.call(request);
        let own = self.clone();
        Box::pin(async move {
            let outcome = answer.await;
            if may_be_kept {
                own.keep(key, &outcome);
            }
            outcome
        })
    }
}

/// What makes one request the same as another.
fn key(request: &Request) -> Vec<u8> {
    let target = request.target();
    let mut key = target.authority().to_ascii_lowercase();
    target.write_path(&mut key);
    target.write_query(&mut key);
    key
}

/// Whether a request is to have an answer of its own.
fn is_for_one_alone(request: &Request) -> bool {
    request.fields().any(|(name, value)| {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let lower = || value.to_ascii_lowercase();
        is("authorization")
            || is("cookie")
            || is("pragma") && lower() == b"no-cache"
            || is("cache-control") && {
                let directives = lower();
                let mut directives = directives.split(|byte| *byte == b',');
                directives.any(|one| matches!(one.trim_ascii(), b"no-cache" | b"no-store"))
            }
    })
}
