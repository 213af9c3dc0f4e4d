//! `cache=TIME`: answers that are kept for so long, for others who ask the same.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use arch::session::KeptFile;
use http::relay::RelayedHead;
use http::{Method, Status};
use quick_cache::Weighter;
use quick_cache::sync::Cache as Store;
use tokio::time::Instant;

use super::Filter;
use crate::service::{Answering, Answers, Request, Response};
use crate::upstream::Body;

/// Bytes that all answers together may have.
const ROOM: u64 = 32 << 20;
/// Answers that are expected.
const ANSWERS: usize = 1024;
/// The longest answer of another server that is kept, in bytes.
const MOST_RELAYED: u64 = 256 << 10;

/// Keeps answers 200 to a GET whose bytes fit into memory, under host, path and query. A request with a user, or that will not have what
/// was kept, is passed on.
#[derive(Clone)]
pub(crate) struct Cache {
    time: Duration,
    store: Arc<Store<Vec<u8>, Kept, Size>>,
}

/// An answer, and until when it is as good as a new one.
#[derive(Clone)]
struct Kept {
    since: Instant,
    answer: Arc<KeptAnswer>,
}

enum KeptAnswer {
    /// Conditions and ranges are judged anew for each request.
    File(KeptFile),
    /// Only a request for all of it is answered.
    Relayed(Box<RelayedHead>, Arc<[u8]>),
}

#[derive(Clone)]
struct Size;

impl Weighter<Vec<u8>, Kept> for Size {
    fn weight(&self, key: &Vec<u8>, kept: &Kept) -> u64 {
        let bytes = match &*kept.answer {
            KeptAnswer::File(file) => file.len(),
            KeptAnswer::Relayed(_, bytes) => bytes.len() as u64,
        };
        key.len() as u64 + bytes
    }
}

impl KeptAnswer {
    /// Keeps an answer if it may be, and waits for all of it.
    async fn of(response: &mut Response) -> Option<Self> {
        match response {
            Response::File(answer) => answer.keep().map(Self::File),
            Response::Relayed(head, body) if may_be_kept(head) => {
                body.gather().await;
                let bytes = Arc::clone(body.bytes()?);
                Some(Self::Relayed(head.clone(), bytes))
            }
            Response::Relayed(..) | Response::Page(_) => None,
        }
    }

    /// Answers a request that asks the same.
    fn answer(&self, request: &Request, age: Duration) -> Option<Response> {
        match self {
            Self::File(file) => Some(Response::File(Box::new(file.answer(Arc::clone(request))))),
            Self::Relayed(..) if request.is_conditional() => None,
            Self::Relayed(head, bytes) => {
                let mut head = head.clone();
                head.add_age(age.as_secs());
                let body = Body::whole(Arc::clone(bytes));
                Some(Response::Relayed(head, body))
            }
        }
    }
}

impl Cache {
    pub(crate) fn new(time: Duration) -> Self {
        Self {
            time,
            store: Arc::new(Store::with_weighter(ANSWERS, ROOM, Size)),
        }
    }

    fn kept(&self, key: &[u8], request: &Request) -> Option<Response> {
        let Kept { since, answer } = self.store.get(key)?;
        let age = since.elapsed();
        (age < self.time).then(|| answer.answer(request, age))?
    }
}

impl Filter for Cache {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        if is_for_one_alone(&request) {
            return Box::pin(next.call(request));
        }
        let key = key(&request);
        if let Some(response) = self.kept(&key, &request) {
            return Box::pin(ready(Ok(response)));
        }
        let is_for_all = request.method() == Method::Get && !request.is_conditional();
        let answer = next.call(request);
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            let mut outcome = answer.await;
            if let (true, Ok(response)) = (is_for_all, &mut outcome)
                && let Some(answer) = KeptAnswer::of(response).await
            {
                let (since, answer) = (Instant::now(), Arc::new(answer));
                store.insert(key, Kept { since, answer });
            }
            outcome
        })
    }
}

/// Whether another server's answer may be given to others: it is small, and says nothing that forbids it or that makes it one of
/// several.
fn may_be_kept(head: &RelayedHead) -> bool {
    let is_small = head.length().is_some_and(|length| length <= MOST_RELAYED);
    let forbids = |(name, value): (&[u8], &[u8])| {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        is("set-cookie")
            || is("vary")
            || is("cache-control") && has_directive(value, &[b"no-cache", b"no-store", b"private"])
    };
    head.status() == Status::Ok.code() && is_small && !head.fields().any(forbids)
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
        is("authorization")
            || is("cookie")
            || is("pragma") && has_directive(value, &[b"no-cache"])
            || is("cache-control") && has_directive(value, &[b"no-cache", b"no-store"])
    })
}

/// Whether one of these is in a list of directives, whatever it is given there.
fn has_directive(list: &[u8], wanted: &[&[u8]]) -> bool {
    let mut names = list.split(|byte| *byte == b',').map(|directive| {
        let name = directive.split(|byte| *byte == b'=').next();
        name.unwrap_or_default().trim_ascii()
    });
    names.any(|name| wanted.iter().any(|one| name.eq_ignore_ascii_case(one)))
}
